//! An include's pattern → the names of the files in the suite's folder that it matches, sorted.
//!
//! An own walk and not the crate's: it is bounded, and never lists a folder outside the suite's.

use std::collections::BTreeSet;
use std::path::Path;

use glob::{MatchOptions, Pattern};

use super::folder::{Folder, Unread, inside};
use super::tree::quoted;

/// Files and folders that the patterns of one suite may look at.
const MOST_LOOKED_AT: usize = 100_000;
const DEEPEST: usize = 64;
const MOST_PARTS: usize = 32;

/// A name with one of these is a pattern.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The files that a pattern matches. `*`, `?` and `[…]` stay within one folder, `**` is any depth of folders; names
/// that begin with a dot are only matched by a dot.
/// `looked_at` counts over all patterns of a suite.
pub(super) fn matches(folder: &Folder, pattern: &str, looked_at: &mut usize) -> Result<Vec<String>, Unread> {
    inside(pattern)?;
    let parts = parts(pattern)?;
    let mut walk = Walk {
        folder,
        found: BTreeSet::new(),
        looked_at,
    };
    walk.step(folder.real(), String::new(), &parts, 0)?;
    Ok(walk.found.into_iter().collect())
}

enum Part {
    Literal(String),
    Wild(Pattern),
    /// `**`
    Any,
}

fn parts(pattern: &str) -> Result<Vec<Part>, Unread> {
    let refused = |reason: &str, help: &str| Unread {
        message: format!("{} is no pattern: {reason}", quoted(pattern)),
        help: Some(help.to_owned()),
        within: None,
    };
    let mut parts = Vec::new();
    let mut depths = 0;
    for part in pattern.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == "**" {
            if !matches!(parts.last(), Some(Part::Any)) {
                depths += 1;
                parts.push(Part::Any);
            }
        } else if is_pattern(part) {
            let compiled = Pattern::new(part).map_err(|error| {
                refused(
                    error.msg,
                    "`*`, `?` and `[a-z]` match within a name, `**` stands alone between slashes",
                )
            })?;
            parts.push(Part::Wild(compiled));
        } else {
            parts.push(Part::Literal(part.to_owned()));
        }
    }
    if depths > 2 || parts.len() > MOST_PARTS {
        return Err(refused("it has too many parts", "use `**` twice at most"));
    }
    if matches!(parts.last(), Some(Part::Any)) {
        return Err(refused(
            "it matches folders only",
            "end it with a file's name, for example `**/*.yaml`",
        ));
    }
    Ok(parts)
}

struct Walk<'f> {
    folder: &'f Folder,
    found: BTreeSet<String>,
    looked_at: &'f mut usize,
}

impl Walk<'_> {
    fn step(&mut self, at: &Path, name: String, parts: &[Part], depth: usize) -> Result<(), Unread> {
        let Some((part, rest)) = parts.split_first() else {
            return Ok(());
        };
        if depth > DEEPEST {
            return Ok(());
        }
        match part {
            Part::Literal(literal) => self.enter(at, &name, literal, rest, depth),
            Part::Wild(pattern) => {
                let options = MatchOptions {
                    require_literal_leading_dot: true,
                    ..MatchOptions::new()
                };
                for (entry, _) in self.entries(at)? {
                    if pattern.matches_with(&entry, options) {
                        self.enter(at, &name, &entry, rest, depth)?;
                    }
                }
                Ok(())
            }
            Part::Any => {
                self.step(at, name.clone(), rest, depth)?;
                for (entry, is_folder) in self.entries(at)? {
                    // A link is no folder here, so that a circle of links has an end.
                    if is_folder && !entry.starts_with('.') {
                        self.step(&at.join(&entry), format!("{name}{entry}/"), parts, depth + 1)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn enter(
        &mut self,
        at: &Path,
        name: &str,
        entry: &str,
        rest: &[Part],
        depth: usize,
    ) -> Result<(), Unread> {
        let path = at.join(entry);
        let found = format!("{name}{entry}");
        if rest.is_empty() {
            // A link that leads out is found here and refused, by name, when it is read.
            if path.is_file() || path.is_symlink() {
                self.found.insert(found);
            }
            return Ok(());
        }
        match path.canonicalize() {
            Ok(real) if real.is_dir() && real.starts_with(self.folder.real()) => {
                self.step(&path, format!("{found}/"), rest, depth + 1)
            }
            _ => Ok(()),
        }
    }

    /// Names of a folder and whether each is a folder itself. A folder that can't be listed has none.
    fn entries(&mut self, at: &Path) -> Result<Vec<(String, bool)>, Unread> {
        let mut entries = Vec::new();
        for entry in at.read_dir().into_iter().flatten().flatten() {
            *self.looked_at += 1;
            if *self.looked_at > MOST_LOOKED_AT {
                return Err(Unread {
                    message: "the patterns look at more than 100,000 files".to_owned(),
                    help: Some("begin each with a folder's name".to_owned()),
                    within: None,
                });
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if let Ok(name) = entry.file_name().into_string() {
                entries.push((name, is_folder));
            }
        }
        Ok(entries)
    }
}
