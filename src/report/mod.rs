//! One view of results, verdict and cycle → Markdown, terminal, JSON. A file a format; each renderer
//! returns text and writes nothing. What is picked, ordered and counted is decided in `view`; a renderer
//! computes no figure.

mod bars;
#[cfg(test)]
mod fixtures;
mod json;
mod markdown;
mod numbers;
mod read;
mod record;
mod terminal;
mod text;
mod total;
mod view;

pub use json::{json_schema, write_json};
#[cfg(any(test, fuzzing))]
pub(crate) use markdown::promises as markdown_promises;
pub use markdown::{MARKDOWN_LIMIT_BYTES, markdown, markdown_within};
pub use read::{MAX_RESULTS_BYTES, ReadError, read_json};
pub use record::Record;
pub use terminal::terminal;
pub(crate) use text::visible_lines;
pub use total::{total_markdown, total_terminal};
