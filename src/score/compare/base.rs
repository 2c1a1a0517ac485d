//! The results of an earlier run in, what later runs compare with out.

use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::results::{
    Baseline, BaselineAnchor, BaselineCase, BaselineRun, BaselineSource, CaseResult, Left, Results,
};
use crate::score::anchors::anchor_score;
use crate::score::case::case_figure;

/// What a later run needs of these results to be compared with them.
///
/// It says `rejudged: false`: whoever had the answers scored again by another judge sets that, and the judge.
pub fn baseline(results: &Results, source: BaselineSource) -> Baseline {
    let mut left = Left::default();
    let cases = results.cases.iter().map(|of| {
        left.add(&of, results.suite.judge.votes);
        case(of)
    });
    let cases = cases.collect();
    Baseline {
        source,
        run: BaselineRun {
            id: results.run.id.clone(),
            started_at: results.run.started_at.clone(),
            commit: results.run.commit.clone(),
            model: results.suite.model.clone(),
            emulator: results.run.emulator,
            complete: left.is_nothing(),
            fingerprint: results.suite.fingerprint.clone(),
        },
        judge: results.suite.judge.clone(),
        rejudged: false,
        cases,
        anchors: results
            .anchors
            .iter()
            .filter_map(|anchor| {
                Some(BaselineAnchor {
                    fingerprint: anchor.fingerprint.clone(),
                    score: anchor_score(anchor)?,
                })
            })
            .collect(),
    }
}

fn case(case: CaseResult) -> BaselineCase {
    let digests = PartDigests::of(&case);
    BaselineCase {
        messages: digests.messages,
        parameters: digests.parameters,
        reference: digests.reference,
        score: case_figure(&case).score,
        pass_score: case.pass_score,
        critical: case.critical,
        id: case.id,
        fingerprint: case.fingerprint,
    }
}

/// What tells the parts of two cases apart.
#[derive(Debug)]
pub(super) struct PartDigests {
    /// Of the messages.
    pub(super) messages: String,
    /// Of the parameters and the number of samples.
    pub(super) parameters: String,
    /// Of the reference.
    pub(super) reference: Option<String>,
}

impl PartDigests {
    pub(super) fn of(case: &CaseResult) -> PartDigests {
        PartDigests {
            messages: digest(&case.messages),
            parameters: digest(&(&case.parameters, case.samples.len())),
            reference: case.reference.as_ref().map(digest),
        }
    }
}

/// The first 16 hexadecimal digits of SHA-256 over the JSON text.
fn digest(part: &impl Serialize) -> String {
    // Plain data of texts and numbers always has a JSON text.
    let text = serde_json::to_vec(part).unwrap_or_default();
    HEXLOWER.encode(&Sha256::digest(&text)[..8])
}
