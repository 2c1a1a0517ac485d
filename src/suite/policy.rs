//! The text of a suite's file in, its gates out, without the files that it includes: how the gates of another branch
//! are read.

use std::rc::Rc;

use super::faults::Faults;
use super::folder::{self, LARGEST, Unread};
use super::tree::{Span, one_line};
use super::{Gate, Severity, reading, yaml};

/// Faults that are told; the rest is counted.
const TOLD: usize = 10;

/// The gates of a suite's text, whose places are in `file`. The suite's cases are not looked at, nor whether the gates
/// can be understood.
///
/// # Errors
/// The text is no suite that could be read as far as its gates, or a gate is not written as one: what and where, a
/// line a fault.
pub fn policy(file: &str, text: &[u8]) -> Result<Vec<Gate>, String> {
    let file: Rc<str> = one_line(file, usize::MAX).into();
    let mut faults = Faults::default();
    let mut pen = faults.pen(&file);
    let mut gates = Vec::new();
    match read(&file, text) {
        Ok(text) => {
            let root = yaml::parse(&mut pen, &text);
            if let Some(root) = root
                && let Some(fields) = reading::top(&mut pen, &root)
            {
                gates = reading::gates(&mut pen, &fields);
            }
        }
        Err(unread) => {
            let span = unread.within.map_or(Span::START, |within| within.span);
            match unread.help {
                Some(help) => pen.error_help(span, unread.message, help),
                None => pen.error(span, unread.message),
            }
        }
    }
    if faults.any_error() {
        return Err(told(faults, &file));
    }
    Ok(gates.into_iter().map(|written| written.gate).collect())
}

fn read(file: &str, text: &[u8]) -> Result<String, Unread> {
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        return Err(folder::too_large(file, LARGEST));
    }
    folder::text(file, text.to_vec())
}

/// `suite.yaml:3:5: what (what to write)`, a line a fault.
fn told(faults: Faults, file: &str) -> String {
    let errors = faults
        .finish(file)
        .into_iter()
        .filter(|fault| fault.severity == Severity::Error);
    let mut lines: Vec<String> = errors
        .map(|fault| {
            let place = &fault.place;
            let help = fault.help.map_or(String::new(), |help| format!(" ({help})"));
            format!(
                "{}:{}:{}: {}{help}",
                place.file, place.line, place.column, fault.message
            )
        })
        .collect();
    let more = lines.len().saturating_sub(TOLD);
    if more > 0 {
        lines.truncate(TOLD);
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Otherwise, Place};

    const SUITE: &str = "\u{FEFF}version: 1\nname: x\ncases:\n  - include: ../not/there.yaml\ngates:\n  \
                         - require: mean >= 0.7\n  - require: \"drop(mean) <= 0.03\"\n    else: hold\n";

    fn refused(text: &[u8]) -> String {
        policy("gate/suite.yaml", text).unwrap_err()
    }

    #[test]
    fn the_gates_are_read_and_no_file_is_looked_for() {
        let gate = |require: &str, otherwise, line, column| Gate {
            require: require.to_owned(),
            otherwise,
            place: Place {
                file: "gate/suite.yaml".into(),
                line,
                column,
            },
        };
        assert_eq!(
            policy("gate/suite.yaml", SUITE.as_bytes()).unwrap(),
            [
                gate("mean >= 0.7", Otherwise::Fail, 6, 14),
                gate("drop(mean) <= 0.03", Otherwise::Hold, 7, 15),
            ]
        );
        let without = policy("s.yaml", b"version: 1\nname: x\njudge: {votes: 99}\n").unwrap();
        assert_eq!(without, []);
    }

    #[test]
    fn what_is_no_gate_is_told_with_its_place() {
        let text = "version: 1\ngate: []\ngates:\n  - mean >= 0.7\n  - {require: mean > 0, else: stop}\n";
        assert_eq!(
            refused(text.as_bytes()),
            "gate/suite.yaml:2:1: unknown key `gate` in the suite (did you mean `gates`?)\n\
             gate/suite.yaml:4:5: a gate must be a map, found the text `mean >= 0.7` (write `- require: mean >= 0.7`)\n\
             gate/suite.yaml:5:31: `else` must be one of `fail`, `hold` and `warn`, found the text `stop`"
        );
        let many = "  - x\n".repeat(30);
        let told = refused(format!("version: 1\ngates:\n{many}").as_bytes());
        assert_eq!(told.lines().count(), TOLD + 1);
        assert!(told.ends_with("\nand 20 more"), "{told}");
    }

    #[test]
    fn what_is_no_suite_is_refused_in_a_line() {
        for (text, message) in [
            (&b""[..], "1:1: the file is empty"),
            (b"- a\n", "1:1: a suite must be a map of keys, found a list"),
            (b"gates: []\n", "1:1: the suite has no `version`"),
            (b"version: 2\ngates: []\n", "1:10: this build reads version 1"),
            (b"version: 1\ngates: [\n", "gate/suite.yaml:"),
            (b"version: 1\nname: \xFF\n", "2:7: `gate/suite.yaml` is not UTF-8"),
            (b"\xFF\xFEv\0", "1:1: `gate/suite.yaml` is UTF-16"),
            (b"version: 1\ngates: &a [*a]\n", "gate/suite.yaml:"),
        ] {
            let told = refused(text);
            assert!(told.contains(message), "{message}: {told}");
        }
        let large = vec![b' '; usize::try_from(LARGEST).unwrap() + 1];
        assert!(
            refused(&large).contains("is larger than 10 MB"),
            "{}",
            refused(&large)
        );
        let gates = "- require: x > 0\n".repeat(1_001);
        let told = refused(format!("version: 1\ngates:\n{gates}").as_bytes());
        assert!(told.contains("more than 1,000 gates"), "{told}");
    }

    #[test]
    fn a_files_name_can_not_speak() {
        let told = policy("a\n::error::b\u{1b}[31m", b"").unwrap_err();
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(!told.contains(crate::suite::steers), "{told}");
    }
}
