//! The lines of a `.jsonl` file → cases, one a line, each read and forgotten before the next.

use std::io;

use super::super::case::Settings;
use super::super::faults::Pen;
use super::super::lines::{Line, Lines};
use super::super::shelf::Shelf;
use super::super::tree::Span;
use super::super::{folder, jsonl, place};
use super::Cases;

/// How the reading of a file of lines ended.
pub(super) enum Ended {
    /// Everything that can be said of it is told.
    Through,
    /// It can't be read (on); `None`: it is UTF-16.
    Unread(Option<io::Error>),
}

impl Cases {
    /// Reads the cases of a file that the suite calls `name`; what is wrong with a line is told in it.
    pub(super) fn lines(
        &mut self,
        pen: &mut Pen<'_>,
        shelf: &mut Shelf,
        defaults: &Settings,
        name: &str,
        mut lines: Lines,
    ) -> Ended {
        loop {
            let (number, line) = match lines.next() {
                Ok(Some(next)) => next,
                Ok(None) => return Ended::Through,
                Err(error) => return Ended::Unread(Some(error)),
            };
            let start = Span {
                line: number,
                ..Span::START
            };
            let text = match line {
                Line::Text(text) if text.trim().is_empty() => continue,
                Line::Text(text) => text,
                Line::TooLong(_) => {
                    let message = "the line is longer than 10 MB";
                    pen.error_help(start, message, "a line holds one case: split it over several");
                    self.seen += 1;
                    continue;
                }
                Line::Bytes { before, .. } => {
                    let span = place::Lines::of(before).at(before.len(), 1);
                    pen.error_help(
                        Span { line: number, ..span },
                        folder::not_utf8(name),
                        folder::SAVE_AS_UTF8,
                    );
                    return Ended::Through;
                }
                Line::Utf16 => return Ended::Unread(None),
            };
            let blanks = text.chars().take_while(|c| c.is_whitespace()).count();
            let column = place::count(blanks) + 1;
            if !self.has_room(pen, Span { column, ..start }) {
                return Ended::Through;
            }
            let before = pen.errors();
            match jsonl::parse_line(pen, text, number) {
                Some(node) => self.case(pen, shelf, defaults, &node),
                None => {
                    self.seen += 1;
                    self.missed();
                }
            }
            // What is kept of faulty cases (their ids and tags) counts as well.
            if pen.errors() > before {
                self.text = self.text.saturating_add(text.len());
            }
        }
    }
}
