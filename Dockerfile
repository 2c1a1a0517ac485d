# syntax=docker/dockerfile:1

# The Alpine image's own target is musl, linked statically, on amd64 and arm64 alike: each platform builds natively.
# Dependabot keeps tag and digest together.
FROM rust:1.95.0-alpine3.23@sha256:606fd313a0f49743ee2a7bd49a0914bab7deedb12791f3a846a34a4711db7ed2 AS toolchain

# ring compiles C against musl's headers. Alpine keeps no old packages, so a pinned version would break the build
# of a release that is a few weeks old.
# hadolint ignore=DL3018
RUN apk add --no-cache musl-dev

# Addresses that the loader has to adjust, packed: half a megabyte less of the file. musl's start-up code reads them since 1.2.4.
ENV RUSTFLAGS="-C link-arg=-Wl,-z,pack-relative-relocs"
WORKDIR /build

# What decides about the dependencies, and nothing else: a release raises the version, and its layers are still those
# of the release before.
FROM toolchain AS manifest
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^name = "tunegate"$/{n;s/^version = .*/version = "0.0.0"/}' Cargo.toml Cargo.lock

FROM toolchain AS build

# The dependencies alone. The layer is found by what is in the two files, so it lasts until the dependencies change.
COPY --from=manifest /build/Cargo.toml /build/Cargo.lock ./
RUN mkdir benches src \
    && touch benches/hot_paths.rs src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked --bin tunegate \
    && rm -r benches src

COPY . .
# Cargo judges by time stamps, and those of a checkout can be older than the empty sources above.
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked --bin tunegate

# Nothing but the program. The runner sets the working directory and owns the mounted files as root, so this
# image names neither directory nor user.
FROM scratch
LABEL org.opencontainers.image.title="tunegate" \
      org.opencontainers.image.description="Evaluates a fine-tuned model on Prem Studio, gates it, and launches the next fine-tuning job when the gates allow it" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/tunegate /tunegate
ENTRYPOINT ["/tunegate"]
