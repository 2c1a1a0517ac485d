//! The texts of the files that were read, so that a fault can be shown with its line.

use std::collections::BTreeMap;

/// The texts of the files read. Only files that a fault may point into are kept, and of files that are read line by
/// line only those lines.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<String, Source>);

#[derive(Debug, Clone)]
enum Source {
    Whole {
        text: String,
        /// Byte offsets at which lines begin.
        starts: Vec<usize>,
    },
    /// By their number, counted from 1.
    Lines(BTreeMap<u32, String>),
}

impl Sources {
    /// A line of a file without its line break; `line` counts from 1. `None` when the file was not read or is
    /// shorter.
    pub fn line(&self, file: &str, line: u32) -> Option<&str> {
        let (text, starts) = match self.0.get(file)? {
            Source::Lines(lines) => return lines.get(&line).map(String::as_str),
            Source::Whole { text, starts } => (text, starts),
        };
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let from = *starts.get(index)?;
        let to = starts.get(index + 1).copied().unwrap_or(text.len());
        text.get(from..to).map(|line| line.trim_end_matches(['\n', '\r']))
    }

    /// Keeps a text; lines end with LF, CR LF or a lone CR, as in YAML.
    pub(super) fn keep(&mut self, file: &str, text: String) {
        let starts = line_starts(&text);
        self.0.insert(file.to_owned(), Source::Whole { text, starts });
    }

    /// Keeps some lines of a file, without their line breaks, by number.
    pub(super) fn keep_lines(&mut self, file: &str, lines: BTreeMap<u32, String>) {
        self.0.insert(file.to_owned(), Source::Lines(lines));
    }
}

/// The byte offset of each line's beginning.
pub(super) fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        if ends {
            starts.push(at + 1);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::Sources;

    #[test]
    fn lines_count_from_one_whatever_ends_them() {
        let mut sources = Sources::default();
        sources.keep("a", "one\r\ntwo\rthree\n\nfive".to_owned());
        let lines: Vec<_> = (0..7).map(|n| sources.line("a", n)).collect();
        assert_eq!(
            lines,
            [
                None,
                Some("one"),
                Some("two"),
                Some("three"),
                Some(""),
                Some("five"),
                None
            ]
        );
        assert_eq!(sources.line("b", 1), None);
    }
}
