//! What a report shows besides the record itself: the texts of the run before, the runs before that, and a link.

use crate::history::Entry;
use crate::results::Results;

/// What stands around a record. Nothing of it is needed; what is not there is not shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// The baseline's results with their answers: without them no texts are compared.
    pub base: Option<&'a Results>,
    /// The suite's runs so far, the oldest first, this one at the end.
    pub history: &'a [Entry],
    /// Where the whole run can be looked at.
    pub url: Option<&'a str>,
}
