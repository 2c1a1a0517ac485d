//! The binary: arguments in, exit code out.

use std::process::ExitCode;

/// musl's own is built to be small: every call of it is slow, and more so beside other threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tunegate::cli::main()
}
