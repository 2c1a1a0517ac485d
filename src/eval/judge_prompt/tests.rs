use proptest::prelude::*;

use super::*;

const FULL: Material<'_> = Material {
    system: Some("Be brief."),
    question: "What is the total?",
    answer: "12 EUR",
    reference: Some("12.00 EUR"),
    rubric: Some("To the cent."),
};
const BARE: Material<'_> = Material {
    system: None,
    reference: None,
    rubric: None,
    ..FULL
};

fn own(template: &str, material: &Material<'_>) -> String {
    JudgePrompt::new(Some(template))
        .unwrap()
        .with_nonce(material, "NONCE")
        .unwrap()
}

/// The text between the one opening and the one closing marker of this name and nonce.
fn inside<'p>(prompt: &'p str, name: &str, nonce: &str) -> &'p str {
    let (open, close) = (format!("\n<{name}-{nonce}>\n"), format!("\n</{name}-{nonce}>\n"));
    let (_, rest) = prompt.split_once(&open).unwrap();
    let (text, rest) = rest.split_once(&close).unwrap();
    assert!(!rest.contains(&open) && !rest.contains(&close));
    text
}

fn nonce_of(prompt: &str) -> &str {
    let (_, rest) = prompt.split_once("that carry the code ").unwrap();
    rest.split_once('.').unwrap().0
}

#[test]
fn the_built_in_prompt_reads_well() {
    let prompt = JudgePrompt::new(None).unwrap();
    insta::assert_snapshot!("full", prompt.with_nonce(&FULL, "NONCE").unwrap());
    insta::assert_snapshot!("bare", prompt.with_nonce(&BARE, "NONCE").unwrap());
}

#[test]
fn a_suites_own_prompt_is_filled_with_fenced_texts() {
    let prompt = own(
        "Q:\n{{ prompt }}\nA:\n{{ answer }}\nR:\n{{ reference }}\nC:\n{{ rubric }}\n",
        &FULL,
    );
    assert!(
        prompt.starts_with("Q:\n<question-NONCE>\nWhat is the total?\n</question-NONCE>\nA:\n"),
        "{prompt}"
    );
    for (name, text) in [
        ("answer", "12 EUR"),
        ("reference", "12.00 EUR"),
        ("rubric", "To the cent."),
    ] {
        assert_eq!(inside(&prompt, name, "NONCE"), text);
    }
    assert!(prompt.contains("Reply with only one JSON object"), "{prompt}");
}

#[test]
fn absent_texts_are_empty_in_a_suites_own_prompt() {
    let prompt = own(
        "[{{ reference }}{{ rubric }}]{% if reference %}yes{% else %}no{% endif %} {{ answer }}",
        &BARE,
    );
    assert!(prompt.starts_with("[]no <answer-NONCE>"), "{prompt}");
}

#[test]
fn answer_and_rubric_are_never_left_out() {
    let prompt = own("Judge it.", &FULL);
    assert_eq!(inside(&prompt, "answer", "NONCE"), "12 EUR");
    assert_eq!(inside(&prompt, "rubric", "NONCE"), "To the cent.");
    assert!(!prompt.contains("<reference-"), "{prompt}");
    assert_eq!(own("{{ answer }}", &BARE).matches("<answer-NONCE>").count(), 1);
}

#[test]
fn texts_are_not_templates() {
    let material = Material {
        answer: "{{ reference }}{% raise %}<b>&",
        ..FULL
    };
    assert_eq!(
        inside(
            &own("{{ answer }}", &material).replacen('<', "\n<", 1),
            "answer",
            "NONCE"
        ),
        material.answer
    );
}

#[test]
fn templates_that_can_not_be_rendered_are_known_before_the_first_call() {
    for (template, told) in [
        ("{{ answer", "line 1"),
        ("\n{{ question }}", "undefined"),
        ("{% include 'x' %}", "line 1"),
        ("{% for a in range(99999) %}x{% endfor %}", "range is unknown"),
        ("{{ answer.nothing.more }}", "undefined"),
    ] {
        let fault = JudgePrompt::new(Some(template)).unwrap_err();
        assert!(fault.contains(told), "{template}: {fault}");
    }
}

#[test]
fn a_template_that_repeats_an_answer_is_bounded() {
    let often = "{{ answer }}".repeat(200);
    let prompt = JudgePrompt::new(Some(&often)).unwrap();
    let long = "x".repeat(1 << 20);
    let fault = prompt
        .render(&Material {
            answer: &long,
            ..BARE
        })
        .unwrap_err();
    assert!(!fault.is_empty());
}

#[test]
fn every_call_has_a_nonce_of_its_own() {
    let prompt = JudgePrompt::new(None).unwrap();
    let (one, two) = (prompt.render(&FULL).unwrap(), prompt.render(&FULL).unwrap());
    assert_ne!(nonce_of(&one), nonce_of(&two));
    assert!(nonce_of(&one).len() >= 16);
}

proptest! {
    #[test]
    fn no_text_leaves_its_fence(
        tail in "(</answer-[0-9a-f]{0,32}>|<rubric-NONCE>|\n|\\{\\{|\\PC){0,40}",
        other in any::<String>(),
    ) {
        let prompt = JudgePrompt::new(None).unwrap();
        // A nonce seen in an earlier call is of no use either.
        let earlier = prompt.render(&FULL).unwrap();
        let answer = format!("{tail}\n</answer-{}>\n{other}", nonce_of(&earlier));
        let material = Material { answer: &answer, question: &other, reference: Some(&tail), ..FULL };
        let rendered = prompt.render(&material).unwrap();
        let (_, tail_of_ours) = rendered.rsplit_once("that carry the code ").unwrap();
        let nonce = tail_of_ours.split_once('.').unwrap().0;
        prop_assert_eq!(inside(&rendered, "answer", nonce), answer.as_str());
        prop_assert_eq!(inside(&rendered, "question", nonce), other.as_str());
        prop_assert_eq!(inside(&rendered, "reference", nonce), tail.as_str());
    }
}

/// A new wording judges otherwise: the version that enters every judge's fingerprint has to follow it.
#[test]
fn the_version_follows_the_wording() {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new()
        .chain_update(BUILT_IN)
        .chain_update(REPLY)
        .finalize();
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (crate::suite::BUILT_IN_JUDGE_PROMPT, hex.as_str()),
        (1, "2cf5cbafd7d12a87"),
        "the prompt's texts changed: raise BUILT_IN_JUDGE_PROMPT and note the new digest here"
    );
}
