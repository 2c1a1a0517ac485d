//! One view of results, verdict and cycle → Markdown, terminal, JSON. A file a format; each renderer
//! returns text and writes nothing. What is picked, ordered and counted is decided in `view`; a renderer
//! computes no figure.

mod around;
mod bars;
mod comment;
mod diff;
#[cfg(test)]
mod fixtures;
mod json;
mod markdown;
mod numbers;
mod read;
mod record;
mod remarks;
mod terminal;
mod text;
mod total;
mod trend;
mod view;

pub use around::Around;
pub use comment::{COMMENT_LIMIT, comment};
pub use diff::{diff_json, diff_markdown, diff_terminal};
pub use json::{json_schema, write_json};
#[cfg(any(test, fuzzing))]
pub(crate) use markdown::promises as markdown_promises;
pub use markdown::{MARKDOWN_LIMIT_BYTES, markdown, markdown_within};
pub use read::{MAX_RESULTS_BYTES, ReadError, read_json, read_json_file};
pub use record::Record;
pub use remarks::{Remark, Weight, remarks};
pub use terminal::terminal;
pub(crate) use text::visible_lines;
pub use total::{total_markdown, total_terminal};
pub use trend::{trend_markdown, trend_terminal};
