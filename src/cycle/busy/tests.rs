use super::*;

fn job(id: &str, name: &str, status: &str) -> Job {
    Job {
        id: id.into(),
        name: name.into(),
        status: status.into(),
        experiments: Vec::new(),
    }
}

fn snapshot(id: &str, created_at: &str, jobs: Vec<Job>) -> Snapshot {
    Snapshot {
        id: id.into(),
        label: id.into(),
        created_at: (!created_at.is_empty()).then(|| created_at.into()),
        rows: None,
        jobs,
    }
}

fn dataset(id: &str, snapshots: Vec<Snapshot>) -> Dataset {
    Dataset {
        id: id.into(),
        label: id.into(),
        status: String::new(),
        datapoints: None,
        snapshots,
    }
}

fn busy(datasets: &[Dataset], ours: Option<&str>, waits: bool) -> Option<String> {
    Scene {
        datasets,
        dataset: "d",
        ours,
        run: "1a2b3c4d",
        before: &["old".to_owned()],
    }
    .busy(waits)
}

#[test]
fn a_job_under_way_anywhere_in_the_project_is_a_reason_unless_it_is_ours() {
    let with = |job| {
        [
            dataset("other", vec![snapshot("old", "", vec![job])]),
            dataset("d", vec![]),
        ]
    };
    assert!(
        busy(&with(job("j", "nightly", "processing")), None, false)
            .is_some_and(|r| r.contains("job j (nightly)"))
    );
    assert_eq!(
        busy(&with(job("j", "nightly [1a2b3c4d]", "processing")), None, false),
        None
    );
    for through in ["completed", "failed", "cancelled", ""] {
        assert_eq!(
            busy(&with(job("j", "nightly", through)), None, false),
            None,
            "{through}"
        );
    }
}

#[test]
fn a_job_whose_experiments_run_is_under_way_where_the_service_says_nothing_of_it() {
    let mut silent = job("j", "n", "");
    silent.experiments.push(crate::studio::Experiment {
        id: "e".into(),
        label: String::new(),
        status: "deploying".into(),
        model_id: None,
    });
    assert!(
        busy(
            &[dataset("d", vec![snapshot("old", "", vec![silent])])],
            None,
            false
        )
        .is_some()
    );
}

#[test]
fn a_snapshot_of_somebody_else_s_since_we_began_is_a_reason() {
    let young = |jobs| {
        [dataset(
            "d",
            vec![snapshot("old", "", vec![]), snapshot("new", "", jobs)],
        )]
    };
    assert!(busy(&young(vec![]), None, false).is_some_and(|r| r.contains("snapshot new")));
    assert!(
        busy(&young(vec![]), None, true).is_some(),
        "its job is yet to come"
    );
    let through = || vec![job("j", "n", "completed")];
    assert!(busy(&young(through()), None, false).is_some());
    assert_eq!(busy(&young(through()), None, true), None);
    assert_eq!(
        busy(
            &[dataset("other", vec![snapshot("new", "", vec![])])],
            None,
            false
        ),
        None
    );
}

#[test]
fn of_two_that_took_a_snapshot_at_once_the_earlier_one_goes_on() {
    let scene = |ours: &str, other: &str| {
        let both = vec![snapshot("ours", ours, vec![]), snapshot("other", other, vec![])];
        busy(&[dataset("d", both)], Some("ours"), false).is_none()
    };
    assert!(scene("2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"));
    assert!(!scene("2026-01-01T00:00:02Z", "2026-01-01T00:00:01Z"));
    // The same instant: by the id, so that not both of them go on.
    assert!(!scene("2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"));
    assert!(!scene("", ""));
}
