//! A command's work comes in and is driven to its end; only commands that wait for something need this.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Connections, and some files.
const DESCRIPTORS: usize = 320;

/// One thread for everything that waits: calls, answers and timers hand over to each other without waking another, which
/// costs more than what is done. What takes long runs beside it.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    reserve_descriptors();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    until_over(runtime, work)
}

/// For a service, which works more than it waits.
pub(super) fn block_on_several<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    reserve_descriptors();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    until_over(runtime, work)
}

fn until_over<T>(runtime: Runtime, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Makes the process's table of descriptors as large as it will be, while there is one thread: Linux lets whoever makes
/// it grow later wait for all processors, 20 ms for the 64th connection.
fn reserve_descriptors() {
    let errors = std::io::stderr();
    let copy = || errors.as_fd().try_clone_to_owned().ok();
    // Where there may be no more of them, it is as large as it gets.
    let held: Vec<OwnedFd> = std::iter::from_fn(copy).take(DESCRIPTORS).collect();
    drop(held);
}
