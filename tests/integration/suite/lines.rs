//! Files of lines: of any size within the bounds, each fault in its line, and nothing of them held for long.

use std::sync::Arc;

use super::*;

const INCLUDE: &str = "version: 1\nname: x\ncases:\n  - include: a.jsonl\n";
const MB: usize = 1024 * 1024;

fn desk(lines: &[u8]) -> Desk {
    let desk = Desk::with(&[("suite.yaml", INCLUDE)]);
    desk.write("a.jsonl", lines);
    desk
}

/// The place, and what stands in its line.
fn told(reading: &Reading, at: usize) -> (String, u32, u32, Option<String>) {
    let place = &reading.diagnostics[at].place;
    let file = place.file.rsplit('/').next().unwrap_or_default().to_owned();
    let line = reading.sources.line(&place.file, place.line).map(str::to_owned);
    (file, place.line, place.column, line)
}

#[test]
fn a_file_may_be_larger_than_a_suite_and_a_line_may_not() {
    let prompt = "x".repeat(1_000);
    let mut lines: String = (0..12_000)
        .map(|n| format!("{{\"id\":\"c{n}\",\"prompt\":\"{prompt}\"}}\n"))
        .collect();
    assert!(lines.len() > 11 * MB);
    let desk = desk(lines.as_bytes());
    let suite = sound(desk.read());
    assert_eq!(
        (suite.cases.len(), suite.cases[11_999].place.line),
        (12_000, 12_000)
    );
    // The line behind one that is too long is read, and its faults are told.
    lines.push_str(&format!(
        "{{\"id\":\"long\",\"prompt\":\"{}\"}}\r\n",
        "x".repeat(10 * MB)
    ));
    lines.push_str("{\"id\":\"c1\",\"prompt\":\"x\"}");
    desk.write("a.jsonl", lines.as_bytes());
    let reading = desk.read();
    assert_eq!(
        messages(&reading),
        ["the line is longer than 10 MB", "the id `c1` stands twice"]
    );
    let (file, line, column, _) = told(&reading, 0);
    assert_eq!((file.as_str(), line, column), ("a.jsonl", 12_001, 1));
    let second = Some("{\"id\":\"c1\",\"prompt\":\"x\"}".to_owned());
    assert_eq!(told(&reading, 1), ("a.jsonl".to_owned(), 12_002, 7, second));
    assert!(shown(&reading).len() < 100_000);
}

#[test]
fn all_files_of_lines_are_bounded_before_they_are_read() {
    let desk = desk(b"");
    let sparse = |name: &str, bytes: u64| {
        let file = fs::File::create(desk.path(name)).unwrap();
        file.set_len(bytes).unwrap();
    };
    sparse("a.jsonl", (1024 * MB + 1) as u64);
    let reading = desk.read();
    assert_eq!(
        messages(&reading),
        ["the suite's `.jsonl` files hold more than 1 GB together"]
    );
    assert_eq!(told(&reading, 0).0, "suite.yaml");
    assert!(reading.suite.is_none() && !reading.all_ids);
}

#[test]
fn faulty_lines_without_end_are_not_read_to_the_end() {
    let reading = desk("x\n".repeat(4 * MB).as_bytes()).read();
    // The first 200, and the other 99,800 with the word that there are too many.
    assert_eq!(messages(&reading)[200], "and 99801 more faults, not shown");
}

#[test]
fn what_is_no_text_is_told_where_it_stands() {
    let good = "{\"id\":\"a\",\"prompt\":\"x\"}\n";
    let reading = desk(&[good.as_bytes(), b"\n{\"id\":\"\xC3\xA9\xFF\"}\n\xFF\n"].concat()).read();
    assert_eq!(
        messages(&reading),
        ["`a.jsonl` is not UTF-8: a byte here begins no character"]
    );
    let line = Some("{\"id\":\"é\u{FFFD}\"}".to_owned());
    assert_eq!(told(&reading, 0), ("a.jsonl".to_owned(), 3, 9, line));
    assert!(!reading.all_ids && reading.ids.contains("a"));
    let reading = desk(b"\xFF\xFE{\0}\0\n\0").read();
    assert_eq!(messages(&reading), ["`a.jsonl` is UTF-16"]);
    assert_eq!(told(&reading, 0).0, "suite.yaml");
    // A byte order mark counts for nothing.
    assert_eq!(
        sound(desk(format!("\u{FEFF}{good}").as_bytes()).read())
            .cases
            .len(),
        1
    );
}

#[test]
fn a_line_is_shown_though_the_fault_is_told_when_all_are_read() {
    let tagged = |id: &str, tag: &str| format!("{{\"id\":\"{id}\",\"prompt\":\"x\",\"tags\":[\"{tag}\"]}}");
    let lines = [tagged("a", "Totals"), tagged("b", "x"), tagged("c", "totals")];
    let reading = desk(lines.join("\r").as_bytes()).read();
    assert!(messages(&reading)[0].contains("differ only in upper and lower case"));
    let (file, line, _, text) = told(&reading, 0);
    assert_eq!(
        (file.as_str(), line, text.as_ref()),
        ("a.jsonl", 3, Some(&lines[2]))
    );
    let place = &reading.diagnostics[0].place;
    assert_eq!(reading.sources.line(&place.file, 2), None, "nobody points there");
}

#[test]
fn cases_hold_in_common_what_they_have_in_common() {
    let desk = Desk::with(&[(
        "suite.yaml",
        "version: 1\nname: x\ndefaults: {system: be brief, temperature: 0, tags: [t], checks: [is_json]}\n\
         cases:\n  - include: a.jsonl\n",
    )]);
    desk.write(
        "a.jsonl",
        b"{\"id\":\"a\",\"prompt\":\"x\"}\n{\"id\":\"b\",\"prompt\":\"y\"}\n{\"id\":\"c\",\"prompt\":\"x\",\"tags\":[\"u\"],\"seed\":1}",
    );
    let suite = sound(desk.read());
    let [a, b, c] = suite.cases.as_slice() else {
        panic!("{suite:?}")
    };
    let (first, last) = (a.texts.read(), c.texts.read());
    assert!(Arc::ptr_eq(&first.messages[0].content, &last.messages[0].content));
    assert!(Arc::ptr_eq(&a.parameters, &b.parameters) && a.parameters != c.parameters);
    assert!(Arc::ptr_eq(&a.checks, &c.checks) && a.checks.len() == 1);
    assert!(Arc::ptr_eq(&a.tags, &b.tags));
    assert_eq!(c.tags.iter().collect::<Vec<_>>(), ["t", "u"]);
    assert!(Arc::ptr_eq(&a.place.file, &c.place.file));
}
