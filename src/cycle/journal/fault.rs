//! What went wrong with a journal or its lock → what a person is told.

use std::io;
use std::path::Path;

/// Characters of a message that a foreign text takes at the most.
const TOLD: usize = 200;

/// Why a journal can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// For a person: which file, what happened, what to do.
    pub message: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
        }
    }

    /// Something that the system did not do with a file or folder.
    pub(super) fn system(what: &str, path: &Path, error: &io::Error) -> Fault {
        let then = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "make room on the disk and run again: it goes on from the last line"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "let this user write there, or choose another --output-dir"
            }
            _ => "look at the disk, or choose another --output-dir",
        };
        Fault::new(format!("can't {what} {}: {error}: {then}", path.display()))
    }
}

/// A text from a file, fit to stand in a message: bounded, and nothing in it that moves the cursor.
pub(super) fn inert(text: &str) -> String {
    let mut told = String::new();
    let mut room = TOLD;
    for c in text.chars() {
        let shown: String = if c.is_control() {
            c.escape_default().collect()
        } else {
            c.to_string()
        };
        let Some(left) = room.checked_sub(shown.chars().count()) else {
            told.push('…');
            break;
        };
        room = left;
        told.push_str(&shown);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{TOLD, inert};

    #[test]
    fn a_foreign_text_takes_no_more_room_for_being_escaped() {
        assert_eq!(inert("a\u{7f}\nb"), "a\\u{7f}\\nb");
        assert_eq!(inert(&"é".repeat(TOLD)), "é".repeat(TOLD));
        assert_eq!(inert(&"é".repeat(TOLD + 1)), "é".repeat(TOLD) + "…");
        assert_eq!(inert(&"\u{7f}".repeat(TOLD)), "\\u{7f}".repeat(TOLD / 6) + "…");
    }
}
