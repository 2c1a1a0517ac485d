//! Anchors, and the answers of an earlier run, through the client and the journal's file: one process after the other
//! until all is judged.

use std::borrow::Borrow;
use std::path::Path;

use tunegate::cycle::journal::{Begun, Journal, VERSION, read};
use tunegate::results::{Results, Vote};
use tunegate::suite::Anchor;

use super::*;

fn anchor(at: usize) -> Anchor {
    Anchor {
        question: format!("what is {at} squared?"),
        answer: format!("anchored {at}"),
        reference: Some((at * at).to_string()),
        expected: 0.5,
        tolerance: 0.1,
        fingerprint: format!("anchor {at}"),
        place: Place {
            file: "s.yaml".into(),
            line: 1,
            column: 1,
        },
    }
}

/// Answers `it is N`; the judge's score is the answer's number in hundredths.
fn part() -> Arc<Part> {
    Arc::new(Part::new(|body| {
        if !is_judge(body) {
            let asked = body["messages"][0]["content"].as_str().unwrap();
            return completion(&asked.replace("say ", "it is "));
        }
        let answer = shown(body, "answer").unwrap();
        if answer.starts_with("anchored") {
            assert!(shown(body, "question").unwrap().ends_with(" squared?"));
            assert!(shown(body, "system").is_none() && shown(body, "reference").is_some());
        }
        let (_, number) = answer.rsplit_once(' ').unwrap();
        let score = number.parse::<f64>().unwrap() / 100.0;
        completion(&json!({"feedback": "f", "reasoning": "r", "score": score}).to_string())
    }))
}

/// One process: what the folder's journal tells, then an evaluation that is noted in it.
async fn process(
    folder: &Path,
    suite: &Suite,
    earlier: Option<&Results>,
    calls: Option<u64>,
) -> (Ran, usize) {
    let history = read(folder).unwrap();
    let journal = match &history {
        Some(_) => Journal::resume(folder).unwrap(),
        None => {
            let begun = Begun {
                version: VERSION,
                ..Begun::default()
            };
            Journal::begin(folder, begun).unwrap()
        }
    };
    let history = history.unwrap_or_default();
    let known = eval::Known {
        samples: history.samples,
        beside: history.beside,
        ..eval::Known::default()
    };
    let keep = |kept: eval::Kept<'_>| {
        let noted = match kept {
            eval::Kept::Answer { case, sample } => journal.note_answer(case, sample),
            eval::Kept::Vote { case, sample, vote } => journal.note_vote(case, sample, vote),
            eval::Kept::Beside { key, vote } => journal.note_beside(key, vote),
        };
        noted.map_err(|fault| fault.to_string())
    };
    let part = part();
    let limits = eval::Limits {
        calls,
        ..eval::Limits::default()
    };
    let cancel = CancellationToken::new();
    let ran = evaluated_in(suite, earlier, &part, limits, known, &keep, cancel).await;
    let chats = part.count("chat");
    (ran, chats)
}

/// The evaluation as the file that an earlier run has left.
fn results_of(ran: &Ran) -> Results {
    let mut results: Value = json!({
        "version": 1,
        "tool": {"name": "tunegate", "version": "0"},
        "run": {"id": "earlier", "started_at": "2026-01-02T03:04:05Z", "duration_ms": 1, "base_url": "", "emulator": false},
        "suite": {
            "name": "s", "path": "s.yaml", "fingerprint": "", "project": "p", "model": "m", "gates": [],
            "judge": {"model": "another", "temperature": 0.0, "votes": 1, "fingerprint": "another"},
        },
        "calls": {},
    });
    results["suite"]["cycle"] = serde_json::to_value(CycleSettings::default()).unwrap();
    results["cases"] = serde_json::to_value(&ran.evaluation.cases).unwrap();
    serde_json::from_value(results).unwrap()
}

fn scores(votes: impl IntoIterator<Item: Borrow<Vote>>) -> Vec<Option<f64>> {
    votes.into_iter().map(|vote| vote.borrow().score).collect()
}

#[tokio::test]
async fn one_process_after_the_other_judges_what_is_left_beside_the_suite_and_pays_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = suite(3);
    suite.judge.anchors = (50..54).map(anchor).collect();
    let (mut first, _) = process(&folder.path().join("earlier"), &suite, None, None).await;
    let changed = first.evaluation.cases.iter().map(|mut case| {
        case.samples[0].answer = case.samples[0].answer.as_ref().map(|answer| format!("{answer}1"));
        case
    });
    first.evaluation.cases = changed.collect();
    let earlier = results_of(&first);
    let folder = folder.path().join("now");
    let mut paid = 0;
    // A look and two cases of three; a look, the third case and two anchors; then, without a look, the other two
    // anchors and the baseline's answers.
    for (budget, anchors, again) in [(6, 0, 0), (5, 2, 0), (3, 4, 1), (1, 4, 2), (9, 4, 3)] {
        let (ran, chats) = process(&folder, &suite, Some(&earlier), Some(budget)).await;
        paid += chats;
        assert_eq!(ran.evaluation.anchors.len(), 4);
        let judged = ran.evaluation.anchors.iter().flat_map(|anchor| &anchor.votes);
        let all = [0.5, 0.51, 0.52, 0.53].map(Some);
        let mut want = [None; 4];
        want[..anchors].copy_from_slice(&all[..anchors]);
        assert_eq!(scores(judged), want, "{budget}");
        let rejudged = ran.evaluation.rejudged.as_ref().unwrap();
        let judged = rejudged
            .cases
            .iter()
            .flat_map(|case| case.samples[0].votes.clone());
        let all = [0.01, 0.11, 0.21].map(Some);
        let mut want = [None; 3];
        want[..again].copy_from_slice(&all[..again]);
        assert_eq!(scores(judged), want, "{budget}");
        // The first one's budget is too small for the suite; for the others the suite is whole.
        let stopped = ran.evaluation.stopped.map(|stopped| stopped.kind);
        assert_eq!(stopped, (budget == 6).then_some(StopKind::Budget));
    }
    assert_eq!(paid, 6 + 4 + 3);
    // The journal holds no answer that is not a case's.
    let history = read(&folder).unwrap().unwrap();
    assert_eq!((history.samples.len(), history.beside.len()), (3, 7));
    assert!(history.samples.values().all(|sample| {
        let answer = sample.answer.as_deref().unwrap_or_default();
        answer.starts_with("it is")
    }));
}

#[tokio::test]
async fn another_baseline_is_given_the_judgements_of_its_own_answers_alone() {
    let folder = tempfile::tempdir().unwrap();
    let suite = suite(3);
    let (first, _) = process(&folder.path().join("earlier"), &suite, None, None).await;
    let earlier = results_of(&first);
    let folder = folder.path().join("now");
    let (_, chats) = process(&folder, &suite, Some(&earlier), None).await;
    assert_eq!(chats, 6 + 3);
    let mut another = earlier.clone();
    another.run.id = "another".to_owned();
    let mut cases: Vec<_> = another.cases.iter().collect();
    cases[1].samples[0].answer = Some("it is 77".to_owned());
    another.cases = cases.into();
    let (ran, chats) = process(&folder, &suite, Some(&another), None).await;
    assert_eq!(chats, 1);
    let rejudged = ran.evaluation.rejudged.unwrap();
    let judged = rejudged
        .cases
        .iter()
        .flat_map(|case| case.samples[0].votes.clone());
    assert_eq!(scores(judged), [Some(0.0), Some(0.77), Some(0.02)]);
    let (ran, chats) = process(&folder, &suite, None, None).await;
    assert_eq!((chats, ran.evaluation.rejudged), (0, None));
}
