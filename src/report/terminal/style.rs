//! Texts → coloured, aligned and wrapped lines; foreign texts made harmless for a terminal and a CI log.

use crate::report::text::line;
use crate::report::view::Tone;

/// How the terminal is written to.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Style {
    pub colour: bool,
    /// In characters.
    pub width: usize,
}

impl Style {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(in crate::report) fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(in crate::report) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(in crate::report) fn tone(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Held => "36",
            Tone::Bad => "31",
            Tone::Unsure => "33",
        };
        self.paint(code, text)
    }

    /// Lines of whole words, two spaces before each.
    pub(in crate::report) fn wrapped(&self, text: &str) -> String {
        let mut out = String::new();
        let mut column = 0;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if column == 0 || column + 1 + length > self.width {
                if column > 0 {
                    out.push('\n');
                }
                out.push_str("  ");
                column = 2;
            } else {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
        out.push('\n');
        out
    }

    /// As [`Style::wrapped`], dim and further in, for what explains the line above.
    pub(in crate::report) fn wrapped_below(&self, text: &str) -> String {
        let narrow = Style {
            width: self.width.saturating_sub(3),
            ..*self
        };
        narrow
            .wrapped(text)
            .lines()
            .map(|line| format!("   {}\n", self.dim(line)))
            .collect()
    }
}

/// One line of a foreign text, of at most `chars` characters before it is made harmless: without control
/// characters, and without what GitHub's runner takes for a command (`::` where a line begins, which a
/// word may after wrapping; `##[` anywhere).
pub(in crate::report) fn foreign(text: &str, chars: usize) -> String {
    let text = line(text, chars).replace("##[", "## [");
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            word.strip_prefix("::")
                .map_or_else(|| word.to_owned(), |rest| format!(": :{rest}"))
        })
        .collect();
    words.join(" ")
}

/// A column of a table without lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Column {
    Left,
    Right,
}

/// Rows of plain cells as aligned lines, two spaces before each and between cells; the last cell of a
/// line is cut at `width`. `paint` colours a padded cell by its row and column.
pub(in crate::report) fn columns(
    rows: &[Vec<String>],
    aligned: &[Column],
    width: usize,
    paint: impl Fn(usize, usize, &str) -> String,
) -> String {
    let widths: Vec<usize> = (0..aligned.len())
        .map(|at| {
            rows.iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for (r, row) in rows.iter().enumerate() {
        let (mut used, mut gap) = (0, 2);
        for (c, (cell, align)) in row.iter().zip(aligned).enumerate() {
            let before = match align {
                Column::Left => gap,
                Column::Right => gap + widths[c].saturating_sub(cell.chars().count()),
            };
            let room = width.saturating_sub(used + before);
            if cell.is_empty() || room == 0 {
                gap += widths[c] + 2;
                continue;
            }
            let shown = if cell.chars().count() > room {
                line(cell, room)
            } else {
                cell.clone()
            };
            let length = shown.chars().count();
            out.push_str(&" ".repeat(before));
            out.push_str(&paint(r, c, &shown));
            used += before + length;
            gap = 2 + if *align == Column::Left {
                widths[c].saturating_sub(length)
            } else {
                0
            };
        }
        out.push('\n');
    }
    out
}
