use serde_json::json;

use super::*;

const QUICK: Duration = Duration::from_millis(120);

fn one(check: Check, answer: &str) -> CheckResult {
    let mut results = Checks::new(&[check]).run(answer, QUICK).unwrap();
    assert_eq!(results.len(), 1);
    results.remove(0)
}

fn passes(check: Check, answer: &str) {
    let result = one(check, answer);
    assert!(result.passed && result.detail.is_none(), "{result:?} on {answer}");
}

fn fails(check: Check, answer: &str, detail: &str) {
    let result = one(check, answer);
    assert!(!result.passed, "{result:?} on {answer}");
    assert_eq!(result.detail.as_deref(), Some(detail), "{}", result.check);
}

#[test]
fn equals_compares_trimmed_texts() {
    passes(Check::Equals(" 12 EUR\n".to_owned()), "\n12 EUR ");
    fails(
        Check::Equals("12 EUR".to_owned()),
        "12 eur",
        r#"the answer is "12 eur""#,
    );
}

#[test]
fn contains_and_its_kin() {
    passes(Check::Contains("1,204.00".to_owned()), "it is 1,204.00 EUR");
    fails(
        Check::Contains("EUR".to_owned()),
        "1 eur",
        r#"the answer is "1 eur""#,
    );
    passes(Check::Icontains("STRASSE Ü".to_owned()), "strasse ü");
    fails(Check::Icontains("x".to_owned()), "y", r#"the answer is "y""#);
    passes(Check::NotContains("I cannot".to_owned()), "i cannot");
    fails(
        Check::NotContains("cannot".to_owned()),
        "I cannot say",
        r#"it stands there, in "I cannot say""#,
    );
}

#[test]
fn not_contains_shows_the_place() {
    let answer = format!("{}SECRET{}", "é".repeat(500), "ü".repeat(500));
    let detail = one(Check::NotContains("SECRET".to_owned()), &answer)
        .detail
        .unwrap();
    assert!(
        detail.contains("ééSECRETüü") && detail.chars().count() < 130,
        "{detail}"
    );
}

#[test]
fn regex_matches_anywhere() {
    passes(Check::Regex(r"\d{2}".to_owned()), "no 42");
    passes(Check::Regex(r"(?m)^b$".to_owned()), "a\nb");
    fails(Check::Regex(r"^\{".to_owned()), " {", r#"the answer is "{""#);
}

#[test]
fn is_json_takes_one_value_and_a_fence() {
    for answer in [
        "{}",
        " [1] ",
        "1",
        "\"x\"",
        "```json\n{\"a\": 1}\n```",
        "```\nnull\n```\n",
    ] {
        passes(Check::IsJson, answer);
    }
    for answer in [
        "",
        "{} {}",
        "{'a': 1}",
        "Here: {}",
        "```json\n{}",
        "```json {} ```",
        "{\"a\": NaN}",
    ] {
        let result = one(Check::IsJson, answer);
        assert!(
            !result.passed && result.detail.unwrap().starts_with("no JSON: "),
            "{answer}"
        );
    }
    let deep = "[".repeat(1 << 20);
    assert!(!one(Check::IsJson, &deep).passed);
}

fn schema(schema: Value) -> Check {
    Check::JsonSchema {
        file: "invoice.schema.json".to_owned(),
        schema: schema.into(),
    }
}

#[test]
fn json_schema_says_where_it_does_not_fit() {
    let total = schema(json!({
        "type": "object",
        "required": ["total"],
        "properties": {"total": {"type": "number"}, "id": {"type": "string", "pattern": "^[^x]"}},
    }));
    passes(total.clone(), "```json\n{\"total\": 1.5, \"id\": \"a\"}\n```");
    fails(
        total.clone(),
        r#"{"total": "1"}"#,
        r#"/total: the value is not of type "number""#,
    );
    fails(
        total.clone(),
        "{}",
        r#"the answer: "total" is a required property"#,
    );
    assert!(!one(total.clone(), r#"{"total": 1, "id": "xa"}"#).passed);
    assert!(one(total, "no").detail.unwrap().starts_with("no JSON: "));
}

#[test]
fn json_schema_fetches_nothing() {
    for reference in ["http://127.0.0.1:9/s.json", "file:///etc/passwd"] {
        let told = Checks::new(&[schema(json!({"$ref": reference}))])
            .run("{}", QUICK)
            .unwrap_err();
        assert!(
            told.starts_with("check json_schema: invoice.schema.json can't be used: "),
            "{told}"
        );
    }
}

#[test]
fn details_of_a_schema_are_short_whatever_the_answer() {
    let check = schema(json!({"additionalProperties": false, "items": {"enum": ["a".repeat(5000)]}}));
    for answer in [
        format!("{{\"{}\": 1}}", "k".repeat(1 << 20)),
        format!("[\"{}\"]", "v".repeat(1 << 20)),
        format!("[{}1]", "1,".repeat(1 << 18)),
    ] {
        let detail = one(check.clone(), &answer).detail.unwrap();
        assert!(detail.chars().count() <= MAX_DETAIL, "{detail}");
    }
}

#[test]
fn similar_holds_against_its_bound() {
    let check = |min| Check::Similar {
        to: "1,204.00 EUR".to_owned(),
        min,
    };
    passes(check(0.8), "1,204.00");
    passes(check(1.0), " 1,204.00 EUR ");
    fails(
        check(0.81),
        "1,204.00",
        r#"similarity is 0.800; the answer is "1,204.00""#,
    );
    fails(check(0.1), "", "similarity is 0.000; the answer is \"\"");
}

#[test]
fn max_chars_counts_characters() {
    passes(Check::MaxChars(3), "äöü");
    fails(Check::MaxChars(2), "äöü", "the answer has 3 characters");
}

#[test]
fn max_latency_looks_at_the_call() {
    passes(Check::MaxLatency(QUICK), "");
    fails(
        Check::MaxLatency(Duration::from_millis(119)),
        "",
        "the answer took 120 ms",
    );
}

#[test]
fn every_check_speaks_also_behind_a_failed_one() {
    let checks = Checks::new(&[
        Check::Contains("a".to_owned()),
        Check::Contains("b".to_owned()),
        Check::Contains("c".to_owned()),
    ]);
    let passed: Vec<bool> = checks
        .run("b", QUICK)
        .unwrap()
        .into_iter()
        .map(|result| result.passed)
        .collect();
    assert_eq!(passed, [false, true, false]);
}

#[test]
fn details_are_short_and_on_one_line() {
    let answer = format!("line\n\u{1b}[31m\"{}", "x".repeat(1 << 20));
    let detail = one(Check::Equals("y".to_owned()), &answer).detail.unwrap();
    assert!(
        detail.starts_with(r#"the answer is "line\n\u001b[31m\""#),
        "{detail}"
    );
    assert!(detail.chars().count() <= MAX_DETAIL);
    assert!(!detail.contains('\n'));
}

#[test]
fn labels_read_like_the_suite() {
    for (check, written) in [
        (Check::Equals("a\nb".to_owned()), r#"equals: "a\nb""#),
        (Check::Contains("1,204.00".to_owned()), r#"contains: "1,204.00""#),
        (Check::Icontains("x".to_owned()), r#"icontains: "x""#),
        (
            Check::NotContains("I \"can't\"".to_owned()),
            r#"not_contains: "I \"can't\"""#,
        ),
        (Check::Regex(r"^\{'a'".to_owned()), r"regex: '^\{''a'''"),
        (Check::Regex("a\tb".to_owned()), r#"regex: "a\tb""#),
        (Check::IsJson, "is_json"),
        (schema(json!(true)), "json_schema: invoice.schema.json"),
        (
            Check::Similar {
                to: "x".to_owned(),
                min: 0.8,
            },
            r#"similar: {to: "x", min: 0.8}"#,
        ),
        (Check::MaxChars(80), "max_chars: 80"),
        (
            Check::MaxLatency(Duration::from_millis(1500)),
            "max_latency: 1500ms",
        ),
        (Check::MaxLatency(Duration::from_secs(90)), "max_latency: 90s"),
        (Check::MaxLatency(Duration::from_secs(120)), "max_latency: 2m"),
        (Check::MaxLatency(Duration::from_secs(7200)), "max_latency: 2h"),
    ] {
        assert_eq!(label(&check), written);
    }
    let long = label(&Check::Contains("x".repeat(5000)));
    assert!(long.chars().count() < 100 && long.ends_with("x…\""), "{long}");
}

#[test]
fn a_pattern_that_does_not_compile_is_told() {
    let told = Checks::new(&[Check::Regex("(".to_owned())])
        .run("", QUICK)
        .unwrap_err();
    assert!(
        told.starts_with("check regex: '(' can't be used: unclosed group"),
        "{told}"
    );
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    for endless in [json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}]})] {
        // Refused, passed or failed: any of them will do, as long as it comes back.
        let _ = Checks::new(&[schema(endless)]).run("{}", QUICK);
    }
}
