//! Unfinished runs that meet another suite, another command, another day or another suite beside theirs.

use jiff::{SignedDuration, Timestamp};

use super::story::{PAID, SUITE, Story, TRACES};
use crate::matrix::night::Run;

/// The line of an undisturbed run's journal after which two of its three cases are answered and judged…
const HALF: i64 = 5;

/// … and the one after which its first trace is written.
const WROTE: i64 = 11;

/// The line after which a second trace is in doubt.
const DOUBTED: i64 = 12;

const ONE: [&str; 2] = ["--concurrency", "1"];

async fn died_at(line: i64) -> Story {
    let story = Story::new().await;
    let run = story.die_at(line, &ONE).await;
    assert_eq!(run.code, None, "{}", run.told);
    story
}

async fn command(story: &Story, arguments: &[&str]) -> Run {
    story.night.start(&story.emulator, arguments, &[]).end().await
}

fn aside(story: &Story) -> usize {
    let files = std::fs::read_dir(story.night.path("")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with("journal.") && name.len() > "journal.jsonl".len())
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_of_another_suite_is_not_gone_on_with() {
    let prompt = SUITE.replace("Deliver by 12 May.", "Deliver by 13 May.");
    let judge = format!("judge:\n  rubric: Amounts must match to the cent.\n{SUITE}");
    let gates = SUITE.replace("cases >= 1", "cases >= 2");
    let more = SUITE.replace(
        "gates:",
        "  - {id: new, prompt: Due on 3 May. When?, reference: Due on 3 May.}\ngates:",
    );
    for (suite, word, paid) in [
        (prompt, "changed: case discount", PAID),
        (judge, "the judge, its prompt or its rubric changed", PAID),
        (gates, "the gates", PAID),
        (more, "added: case new", PAID + 2),
    ] {
        let story = died_at(HALF).await;
        let before = story.paid().await;
        story.night.suit(&suite);
        let run = command(&story, &["eval", "s.yaml"]).await;
        assert_eq!(run.code, Some(0), "{}", run.told);
        assert!(
            run.told.contains("is not gone on with") && run.told.contains(word),
            "{word}: {}",
            run.told
        );
        assert_eq!((story.paid().await - before, aside(&story)), (paid, 1), "{word}");
        assert_eq!(story.night.results()["run"]["resumed"], 0, "{word}");
    }
    let story = died_at(HALF).await;
    let run = command(&story, &["eval", "s.yaml", "--model", "other"]).await;
    assert!(
        run.told.contains("the model was invoice-extractor and is other"),
        "{}",
        run.told
    );
    assert_eq!(aside(&story), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_wrote_is_finished_as_it_was_begun_or_begun_anew_by_a_person() {
    let story = died_at(WROTE).await;
    let journal = story.journal();
    let more = SUITE.replace(
        "gates:",
        "  - {id: new, prompt: Due on 3 May. When?, reference: Due on 3 May.}\ngates:",
    );
    story.night.suit(&more);
    for command_name in ["run", "eval"] {
        let run = command(&story, &[command_name, "s.yaml"]).await;
        assert_eq!(run.code, Some(2), "{}", run.told);
        for word in [
            "added: case new",
            "--fresh",
            ".tunegate/s",
            "has written to the service",
        ] {
            assert!(run.told.contains(word), "{word}: {}", run.told);
        }
        assert_eq!(story.journal(), journal);
    }
    let run = command(&story, &["run", "s.yaml", "--fresh"]).await;
    assert_eq!((run.code, aside(&story)), (Some(0), 1), "{}", run.told);
    // The trace that the first one wrote is not written again.
    story.whole(TRACES + 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn run_and_eval_go_on_from_each_others_journals() {
    // An evaluation that a run finishes.
    let story = Story::new().await;
    let half = HALF.to_string();
    let variables = [("TUNEGATE_TEST_DIE_AT", half.as_str())];
    let arguments = ["eval", "s.yaml", "--concurrency", "1"];
    assert_eq!(
        story
            .night
            .start(&story.emulator, &arguments, &variables)
            .end()
            .await
            .code,
        None
    );
    let run = story.run(&ONE).await;
    assert_eq!((run.code, story.paid().await), (Some(0), PAID), "{}", run.told);
    assert_eq!(story.night.results()["run"]["kept"]["answers"], 2);
    story.whole(TRACES).await.unwrap();
    // A run in whose midst others look.
    let story = died_at(WROTE).await;
    for look in [&["eval", "s.yaml"][..], &["run", "s.yaml", "--dry-run"]] {
        let looked = command(&story, look).await;
        assert_eq!(looked.code, Some(0), "{}", looked.told);
        assert_eq!(story.journal()[0]["fact"]["begun"]["command"], "run");
        assert!(
            !story
                .journal()
                .iter()
                .any(|line| line["fact"]["ended"].is_object()),
            "{look:?}"
        );
    }
    let run = story.run(&ONE).await;
    assert_eq!((run.code, story.paid().await), (Some(0), PAID), "{}", run.told);
    assert_eq!(story.night.results()["run"]["resumed"], 3);
    story.whole(TRACES).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_finishes_what_a_cycle_on_its_results_began() {
    let cycle = ["cycle", ".tunegate/s/results.json"];
    // It is taken up, looks anew, sends for the job, has it, and is about to say its last word.
    for line in [1, 2, 3, 4, -5] {
        let story = Story::new().await;
        let run = story.run(&["--no-launch"]).await;
        assert_eq!(run.code, Some(0), "{}", run.told);
        let line = line.to_string();
        let variables = [("TUNEGATE_TEST_DIE_AT", line.as_str())];
        let died = story.night.start(&story.emulator, &cycle, &variables).end().await;
        assert_eq!(died.code, None, "{line}: {}", died.told);
        let last = story.run(&ONE).await;
        assert_eq!(last.code, Some(0), "{line}: {}", last.told);
        assert_eq!(story.paid().await, PAID, "{line}");
        story
            .whole(TRACES)
            .await
            .unwrap_or_else(|why| panic!("{line}: {why}"));
        // And what is launched is not launched again.
        let again = command(&story, &cycle).await;
        assert_eq!(again.code, Some(2), "{}", again.told);
    }
}

/// Lets so many hours pass since a journal was begun.
fn age(story: &Story, hours: i64) {
    let path = story.night.path("journal.jsonl");
    let journal = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = journal.split_once(",\"fact\"").unwrap();
    let then = Timestamp::now() - SignedDuration::from_hours(hours);
    let begun = format!(
        "{{\"at\":\"{}\",\"fact\"{rest}",
        then.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    std::fs::write(&path, begun).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn old_answers_are_not_gone_on_with_and_old_doubts_are() {
    for (line, hours, taken_up) in [
        (HALF, 19, true),
        (HALF, 21, false),
        // What is written and not in doubt the new run finds there.
        (WROTE, 21, false),
        (DOUBTED, 21, true),
        (DOUBTED, 21 * 24, true),
        // All is done but for the last word: nothing is lost with it.
        (-25, 19, true),
        (-25, 21, false),
    ] {
        let story = died_at(line).await;
        age(&story, hours);
        let run = story.run(&ONE).await;
        assert_eq!(run.code, Some(0), "{}", run.told);
        let told = run.told.contains("is too old to be gone on with");
        let resumed = story.night.results()["run"]["resumed"] == 1;
        assert_eq!(
            (resumed, told),
            (taken_up, !taken_up),
            "{line}, {hours} h: {}",
            run.told
        );
        assert_eq!(aside(&story), usize::from(!taken_up));
        if taken_up {
            story.whole(TRACES).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_suites_the_one_that_is_through_is_not_begun_anew() {
    let story = Story::new().await;
    let second = std::fs::read_to_string(story.night.suite("s.yaml")).unwrap();
    let second = second
        .replace("name: s\n", "name: t\n")
        .replace("12.00", "13.00")
        .replace("May", "June");
    std::fs::write(story.night.suite("t.yaml"), second).unwrap();
    // The first one's whole evaluation, and in the midst of the second one's.
    let variables = [("TUNEGATE_TEST_DIE_AT", "12")];
    let arguments = ["eval", "s.yaml", "t.yaml", "--concurrency", "1"];
    let died = story
        .night
        .start(&story.emulator, &arguments, &variables)
        .end()
        .await;
    assert_eq!(died.code, None, "{}", died.told);
    let run = command(&story, &arguments).await;
    assert_eq!(run.code, Some(0), "{}", run.told);
    assert_eq!(story.paid().await, 2 * PAID, "{}", run.told);
}
