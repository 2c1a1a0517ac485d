//! What a journal does on a disk that is slow, full or broken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;

/// A disk in memory that does as it is told.
#[derive(Debug, Default)]
struct Played {
    state: Mutex<Told>,
    busy: AtomicBool,
    /// Says that a trip began, and waits until it may end.
    gate: Option<(UnboundedSender<()>, Mutex<Receiver<()>>)>,
}

#[derive(Debug, Default)]
struct Told {
    bytes: Vec<u8>,
    durable: usize,
    trips: u32,
    /// Bytes that the disk holds; none: any number.
    room: Option<usize>,
    cannot_cut: bool,
    cannot_sync: bool,
}

impl Played {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap()
    }

    fn facts(&self) -> usize {
        facts(&self.told().bytes).len()
    }

    fn trips(&self) -> u32 {
        self.told().trips
    }

    fn all_is_durable(&self) -> bool {
        let told = self.told();
        told.durable == told.bytes.len()
    }
}

impl Disk for Arc<Played> {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut told = self.told();
        let room = told
            .room
            .map_or(usize::MAX, |room| room.saturating_sub(told.bytes.len()));
        let taken = bytes.len().min(room);
        told.bytes.extend(&bytes[..taken]);
        if taken < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        let mut told = self.told();
        if told.cannot_cut {
            return Err(io::Error::other("the disk is gone"));
        }
        told.bytes.truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        assert!(!self.busy.swap(true, Ordering::SeqCst), "two trips at once");
        let length = self.told().bytes.len();
        if let Some((began, may_end)) = &self.gate {
            let _nobody_counts = began.send(());
            may_end.lock().unwrap().recv().unwrap();
        }
        let mut told = self.told();
        told.trips += 1;
        let failed = std::mem::take(&mut told.cannot_sync);
        if !failed {
            told.durable = length;
        }
        self.busy.store(false, Ordering::SeqCst);
        if failed {
            return Err(io::Error::other("input/output error"));
        }
        Ok(())
    }
}

fn over(disk: &Arc<Played>) -> Journal {
    Journal::over(
        PathBuf::from("f/journal.jsonl"),
        None,
        Box::new(disk.clone()),
        0,
        0,
    )
}

/// A disk whose trips begin and end one by one.
fn gated() -> (Arc<Played>, UnboundedReceiver<()>, Sender<()>) {
    let (began, begins) = unbounded_channel();
    let (end, may_end) = channel();
    let disk = Played {
        gate: Some((began, Mutex::new(may_end))),
        ..Played::default()
    };
    (Arc::new(disk), begins, end)
}

#[tokio::test]
async fn who_waits_shares_the_next_trip() {
    let (disk, mut begins, end) = gated();
    let journal = over(&disk);
    journal.note(&Fact::Evaluated).unwrap();
    let wait = |journal: &Journal| {
        let journal = journal.clone();
        tokio::spawn(async move { journal.sync().await })
    };
    let first = wait(&journal);
    begins.recv().await.unwrap();
    // While the first is on its way a hundred more come; what they wait for is not aboard.
    let later: Vec<_> = (0..100)
        .map(|_| {
            journal.note(&Fact::Evaluated).unwrap();
            wait(&journal)
        })
        .collect();
    tokio::task::yield_now().await;
    end.send(()).unwrap();
    first.await.unwrap().unwrap();
    begins.recv().await.unwrap();
    assert!(later.iter().all(|waiter| !waiter.is_finished()));
    end.send(()).unwrap();
    for waiter in later {
        waiter.await.unwrap().unwrap();
    }
    journal.sync().await.unwrap();
    assert!(disk.trips() == 2 && disk.all_is_durable());
}

#[tokio::test]
async fn a_waiter_that_goes_away_leaves_its_trip_and_its_failure() {
    let (disk, mut begins, end) = gated();
    disk.told().cannot_sync = true;
    let journal = over(&disk);
    journal.note(&Fact::Evaluated).unwrap();
    {
        let mut waiter = Box::pin(journal.sync());
        tokio::select! {
            biased;
            _ = &mut waiter => panic!("the trip can't have ended"),
            _ = begins.recv() => {}
        }
    }
    let next = {
        let journal = journal.clone();
        tokio::spawn(async move { journal.sync().await })
    };
    tokio::task::yield_now().await;
    end.send(()).unwrap();
    let fault = next.await.unwrap().unwrap_err();
    assert!(fault.message.contains("input/output error"), "{fault}");
    assert_eq!(disk.trips(), 1);
}

#[tokio::test]
async fn after_a_trip_that_failed_nothing_is_promised() {
    let disk = Arc::new(Played::default());
    let journal = over(&disk);
    journal.note(&Fact::Evaluated).unwrap();
    journal.sync().await.unwrap();
    journal.note(&Fact::Evaluated).unwrap();
    disk.told().cannot_sync = true;
    let fault = journal.sync().await.unwrap_err();
    assert_eq!(
        fault.message,
        "can't bring to the disk the journal f/journal.jsonl: input/output error: look at the disk, or choose \
         another --output-dir"
    );
    // The disk would say yes by now, and what it lost it would not mention.
    assert_eq!(journal.sync().await, Err(fault.clone()));
    assert_eq!(journal.note(&Fact::Evaluated), Err(fault.clone()));
    assert_eq!(journal.clone().sync().await, Err(fault));
    assert_eq!((disk.trips(), disk.facts()), (2, 2));
}

#[tokio::test]
async fn a_full_disk_leaves_whole_lines() {
    let disk = Arc::new(Played::default());
    let journal = over(&disk);
    journal.note(&Fact::Evaluated).unwrap();
    let room = disk.told().bytes.len() + 10;
    disk.told().room = Some(room);
    let fault = journal.note(&Fact::Evaluated).unwrap_err();
    assert!(
        fault.message.contains("make room on the disk and run again"),
        "{fault}"
    );
    assert_eq!(disk.facts(), 1);
    journal.sync().await.unwrap();
    disk.told().room = None;
    journal.note(&Fact::Evaluated).unwrap();
    journal.sync().await.unwrap();
    assert!(disk.facts() == 2 && disk.all_is_durable());

    disk.told().room = Some(room);
    disk.told().cannot_cut = true;
    let fault = journal.note(&Fact::Evaluated).unwrap_err();
    assert!(
        fault
            .message
            .contains("; then can't repair the end of the journal"),
        "{fault}"
    );
    disk.told().room = None;
    disk.told().cannot_cut = false;
    assert_eq!(journal.note(&Fact::Evaluated), Err(fault.clone()));
    assert_eq!(journal.sync().await, Err(fault));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_systems_own_faults_are_told() {
    let over = |path: &str| {
        let file = File::options().append(true).open(path).unwrap();
        Journal::over(PathBuf::from(path), None, Box::new(file), 0, 0)
    };
    let full = over("/dev/full");
    let fault = full.note(&Fact::Evaluated).unwrap_err();
    assert!(
        fault
            .message
            .starts_with("can't write to the journal /dev/full: No space left"),
        "{fault}"
    );
    let nowhere = over("/dev/null");
    nowhere.note(&Fact::Evaluated).unwrap();
    let fault = nowhere.sync().await.unwrap_err();
    assert!(
        fault
            .message
            .starts_with("can't bring to the disk the journal /dev/null"),
        "{fault}"
    );
    assert_eq!(nowhere.note(&Fact::Evaluated), Err(fault));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_nobody_waits_for_is_on_the_disk_within_a_second() {
    let disk = Arc::new(Played::default());
    let journal = over(&disk);
    for batch in 1..4 {
        for _ in 0..50 {
            journal.note(&Fact::Evaluated).unwrap();
        }
        assert_eq!(disk.trips(), batch - 1);
        tokio::time::sleep(BATCH + Duration::from_millis(100)).await;
        assert!(disk.trips() == batch && disk.all_is_durable());
    }
    // Nothing new: no trip.
    tokio::time::sleep(BATCH * 10).await;
    assert_eq!(disk.trips(), 3);
    // What somebody waited for is not taken there again.
    journal.note(&Fact::Evaluated).unwrap();
    journal.sync().await.unwrap();
    tokio::time::sleep(BATCH * 2).await;
    assert_eq!(disk.trips(), 4);
    // It ends with the journal.
    journal.note(&Fact::Evaluated).unwrap();
    let tasks = tokio::runtime::Handle::current();
    assert_eq!(tasks.metrics().num_alive_tasks(), 1);
    drop(journal);
    tokio::task::yield_now().await;
    assert_eq!(tasks.metrics().num_alive_tasks(), 0);
    tokio::time::sleep(BATCH * 2).await;
    assert_eq!(disk.trips(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_misses_a_batch_is_in_the_next() {
    let (disk, mut begins, end) = gated();
    let journal = over(&disk);
    for _ in 0..3 {
        journal.note(&Fact::Evaluated).unwrap();
        let began = tokio::time::timeout(BATCH * 5, begins.recv()).await;
        assert_eq!(began, Ok(Some(())), "after {} trips", disk.trips());
        journal.note(&Fact::Evaluated).unwrap();
        end.send(()).unwrap();
    }
    assert!(begins.recv().await.is_some());
    end.send(()).unwrap();
    journal.sync().await.unwrap();
    assert!(disk.all_is_durable());
}

#[test]
fn a_runtime_that_ended_takes_no_batch_with_it() {
    let disk = Arc::new(Played::default());
    let journal = over(&disk);
    // None at all: the next sync covers it.
    journal.note(&Fact::Evaluated).unwrap();
    for trips in 1..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            journal.note(&Fact::Evaluated).unwrap();
            tokio::time::sleep(BATCH * 2).await;
            assert_eq!(disk.trips(), trips);
            journal.note(&Fact::Evaluated).unwrap();
        });
    }
}
