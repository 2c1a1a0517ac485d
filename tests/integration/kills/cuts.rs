//! A journal that lost its end: cut at any byte it is taken up again, and what it forgot is found at the service.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use tunegate::cycle::journal::{Journal, read};

use super::story::{SUITE, Story, TRACES, ensure, with};
use crate::harness::options;
use crate::matrix::night::Night;
use crate::matrix::together;

/// The line of an undisturbed run's journal that tells of the snapshot.
const SNAPSHOT: i64 = 20;

/// The bytes at which the lines of a journal end, with 0.
fn ends(journal: &[u8]) -> Vec<usize> {
    let breaks = journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
}

/// A story that is through, and its journal.
async fn told() -> (Story, Vec<u8>) {
    let mut options = options();
    // The job is under way all the while: the model that it trains would give other answers.
    options.training_delay = Duration::from_secs(3_600);
    let story = Story::of(SUITE, options).await;
    let run = story.run(&["--concurrency", "1"]).await;
    assert_eq!(run.code, Some(0), "{}", run.told);
    let journal = fs::read(story.night.path("journal.jsonl")).unwrap();
    (story, journal)
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_it_is_cut_it_can_be_read_and_taken_up() {
    let (_story, journal) = told().await;
    // The batches that follow a line to the disk are nothing to this.
    std::thread::spawn(move || {
        let ends = ends(&journal);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        for cut in 0..=journal.len() {
            if cut % 3 != 0 && !ends.contains(&cut) && !ends.contains(&(cut + 1)) {
                continue;
            }
            fs::write(&path, &journal[..cut]).unwrap();
            // A last line that lacks but its line break counts.
            let whole = *ends.iter().rfind(|end| **end <= cut + 1).unwrap();
            let history = read(folder.path()).unwrap_or_else(|fault| panic!("cut at {cut}: {fault}"));
            assert_eq!(history.is_some(), whole > 0, "cut at {cut}");
            if cut % 7 != 0 && !ends.contains(&cut) {
                continue;
            }
            let taken_up = Journal::resume(folder.path());
            assert_eq!(taken_up.is_ok(), whole > 0, "cut at {cut}");
            if whole > 0 {
                let now = fs::read(&path).unwrap();
                assert_eq!(now[..whole], journal[..whole], "cut at {cut}");
                let rest = std::str::from_utf8(&now[whole..]).unwrap();
                assert!(
                    rest.contains("resumed") && rest.ends_with('\n'),
                    "cut at {cut}: {rest}"
                );
                assert_eq!(
                    read(folder.path()).unwrap().map(|h| h.resumed),
                    Some(1),
                    "cut at {cut}"
                );
            }
        }
    })
    .join()
    .unwrap();
}

/// A run whose journal is cut after its service has done all.
async fn after_the_launch(story: &Story, journal: &[u8], cut: usize) -> Result<(), String> {
    let named = |why: String| format!("cut at {cut}: {why}");
    let night = Night::of(SUITE);
    fs::create_dir_all(night.path("")).unwrap();
    fs::write(night.path("journal.jsonl"), &journal[..cut]).unwrap();
    let run = night.run(&story.emulator).await;
    let with = |why| named(with(&run)(why));
    ensure(run.code == Some(0), || with(format!("ended with {:?}", run.code)))?;
    let results = night.results();
    let (outcome, reason) = (
        &results["cycle"]["outcome"],
        results["cycle"]["reason"].to_string(),
    );
    // What knows its run's identity knows its job; without it this is another run, with nothing new to tell.
    let known = cut + 1 >= ends(journal)[1] && cut < journal.len() - 1;
    let expected = if known {
        *outcome == "launched" && reason.contains("by an earlier attempt")
    } else {
        *outcome == "held" && (reason.contains("nothing new to train on") || reason.contains("is under way"))
    };
    ensure(expected, || with(format!("{outcome}: {reason}")))?;
    story.once().await.map_err(with)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_launch_every_cut_finds_the_job() {
    let (story, journal) = told().await;
    let ends = ends(&journal);
    let beside = ends.iter().flat_map(|end| [end.saturating_sub(1), *end, end + 1]);
    let cuts: BTreeSet<usize> = beside.chain((0..journal.len()).step_by(211)).collect();
    let cuts = cuts.into_iter().filter(|cut| *cut <= journal.len());
    together(cuts.map(|cut| after_the_launch(&story, &journal, cut))).await;
    story.whole(TRACES).await.unwrap();
}

/// A run that dies at a line, and then loses the last of its lines.
async fn in_the_middle(line: i64, lost: usize) -> Result<(), String> {
    let named = |why: String| format!("died at line {line}, then lost {lost}: {why}");
    let story = Story::new().await;
    let died = story.die_at(line, &["--concurrency", "1"]).await;
    ensure(died.code.is_none(), || {
        named(format!("ended with {:?}", died.code))
    })?;
    let path = story.night.path("journal.jsonl");
    let journal = fs::read(&path).unwrap();
    let ends = ends(&journal);
    let Some(&cut) = ends
        .get(ends.len().saturating_sub(1 + lost))
        .filter(|_| lost < ends.len())
    else {
        return Ok(());
    };
    // Half of the line behind it stands there yet.
    let cut = if lost.is_multiple_of(2) { cut } else { cut + 20 };
    fs::write(&path, &journal[..cut]).unwrap();
    let run = story.run(&["--concurrency", "1"]).await;
    let with = |why| named(with(&run)(why));
    ensure(run.code == Some(0), || with(format!("ended with {:?}", run.code)))?;
    story.once().await.map_err(with)?;
    let results = story.night.results();
    let reason = results["cycle"]["reason"].to_string();
    let forgotten = [
        "taken by somebody else after this run began",
        "nothing new to train on",
    ];
    match results["cycle"]["outcome"].as_str() {
        Some("launched") => story.whole(TRACES).await.map_err(with),
        // A snapshot that the journal has forgotten could be anybody's: none is taken beside it, and that is told.
        Some("held") if forgotten.iter().any(|word| reason.contains(word)) => {
            let state = story.emulator.state().await;
            let taken = state["snapshots"].as_array().map_or(0, Vec::len);
            ensure(taken == 1 && line >= SNAPSHOT, || {
                with(format!("held over {taken} snapshots"))
            })
        }
        outcome => Err(with(format!("{outcome:?}: {reason}"))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_every_loss_is_made_good_or_told() {
    let deaths = (1..=24).flat_map(|line| [1, 2, 3, 4, 5, 7, 10, 15].map(|lost| (line, lost)));
    together(deaths.map(|(line, lost)| in_the_middle(line, lost))).await;
}
