use super::*;

fn trace(processing: Processing, added_to_dataset: bool) -> Trace {
    Trace {
        id: "t".into(),
        created_at: None,
        model_id: None,
        input: "i".into(),
        output: "o".into(),
        score: Some(0.2),
        added_to_dataset,
        processing,
    }
}

#[test]
fn a_trace_that_nothing_happened_to_was_not_added() {
    assert_eq!(taken(&trace(Processing::None, false)), Ok(None));
    assert_eq!(
        taken(&trace(Processing::Processing, false)),
        Ok(Some(Added::Queued))
    );
    assert_eq!(
        taken(&trace(Processing::None, true)),
        Ok(Some(Added::Row { datapoint: None }))
    );
    let word = || Processing::Unknown("paused".into());
    assert_eq!(taken(&trace(word(), true)), Ok(Some(Added::Queued)));
    let unsaid = taken(&trace(word(), false)).expect_err("neither a yes nor a no");
    assert!(unsaid.message.contains("paused"), "{unsaid}");
}
