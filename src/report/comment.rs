//! A record and what stands around it → the comment on a pull request.

use super::{Around, Record, markdown};

/// The most characters that GitHub takes as a comment. What [`comment`] returns has at most so many bytes.
pub const COMMENT_LIMIT: usize = 65_536;

/// The comment as GitHub-flavoured Markdown: headline and moved cases open, the rest folded, of at most `limit` bytes
/// (and [`COMMENT_LIMIT`]) whatever the suite. The caller adds the marker by which it is found again.
pub fn comment(record: &Record, around: &Around<'_>, limit: usize) -> String {
    markdown::comment(record, around, limit.min(COMMENT_LIMIT))
}
