//! The texts of the files that were read, so that a fault can be shown with its line.

use std::collections::BTreeMap;

/// The texts of the files read. Only files that a fault may point into are kept.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<String, Source>);

#[derive(Debug, Clone)]
struct Source {
    text: String,
    /// Byte offsets at which lines begin.
    starts: Vec<usize>,
}

impl Sources {
    /// A line of a file without its line break; `line` counts from 1. `None` when the file was not read or is
    /// shorter.
    pub fn line(&self, file: &str, line: u32) -> Option<&str> {
        let source = self.0.get(file)?;
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let from = *source.starts.get(index)?;
        let to = source.starts.get(index + 1).copied().unwrap_or(source.text.len());
        source
            .text
            .get(from..to)
            .map(|line| line.trim_end_matches(['\n', '\r']))
    }

    /// Keeps a text; lines end with LF, CR LF or a lone CR, as in YAML.
    pub(super) fn keep(&mut self, file: &str, text: String) {
        let starts = line_starts(&text);
        self.0.insert(file.to_owned(), Source { text, starts });
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
