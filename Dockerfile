# syntax=docker/dockerfile:1

# The Alpine image's own target is musl, linked statically, on amd64 and arm64 alike: each platform builds natively.
# Dependabot keeps tag and digest together.
FROM rust:1.95.0-alpine3.23@sha256:606fd313a0f49743ee2a7bd49a0914bab7deedb12791f3a846a34a4711db7ed2 AS build

# ring compiles C against musl's headers. Alpine keeps no old packages, so a pinned version would break the build
# of a release that is a few weeks old.
# hadolint ignore=DL3018
RUN apk add --no-cache musl-dev

WORKDIR /build

# The dependencies alone, in a layer that changes only with the lock file.
COPY Cargo.toml Cargo.lock ./
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
