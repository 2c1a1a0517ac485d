//! What the YAML parser calls its errors → what a person can do about them.

use serde_yaml::granit_parser::ErrorKind;

use super::place::count;
use super::source::line_starts;
use super::tree::Span;

/// A syntax error in a user's words.
pub(super) struct Told {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: String,
}

/// What stood before a syntax error.
pub(super) struct Around {
    /// The innermost bracket that is open.
    pub(super) bracket: Option<Span>,
    /// The line on which the last value or key before it ended.
    pub(super) before: u32,
    /// The text right before it, unless it is the value of a key.
    pub(super) text: Option<Span>,
}

/// Words for the parser's error at `at`, and the place of the mistake, which may be elsewhere than where the parser
/// noticed it.
pub(super) fn words(kind: &ErrorKind, text: &str, at: Span, around: &Around) -> Told {
    let starts = line_starts(text);
    let line = |number: u32| {
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        let from = starts.get(index).copied().unwrap_or(text.len());
        let to = starts.get(index.saturating_add(1)).copied().unwrap_or(text.len());
        text.get(from..to)
            .unwrap_or_default()
            .trim_end_matches(['\n', '\r'])
    };
    if let Some(open) = around.bracket.filter(|open| open.line < at.line)
        && is_left_open(kind)
        && indentation(line(at.line)) <= indentation(line(open.line))
    {
        let help = format!("close it with `]` or `}}` before line {}", at.line);
        return Told {
            span: open,
            message: "the bracket that opens here is never closed".to_owned(),
            help,
        };
    }
    if let Some(quote) = quote_of(kind).filter(|_| around.before < at.line)
        && let Some(column) = line(around.before).rfind(quote)
    {
        let before = line(around.before).get(..column).unwrap_or_default();
        let message = format!(
            "the quote that opens here closes on line {}, and more follows there",
            at.line
        );
        let span = Span {
            line: around.before,
            column: count(before.chars().count()) + 1,
            length: 1,
        };
        return Told {
            span,
            message,
            help: "is the closing quote missing on this line?".to_owned(),
        };
    }
    if let Some(text) = around.text.filter(|text| text.line < at.line)
        && matches!(kind, ErrorKind::MappingValueNotAllowed)
    {
        let message = format!(
            "the text that begins here runs on to line {}, where a `:` follows",
            at.line
        );
        let help = "write `key: value`, with a `:` and a blank behind it".to_owned();
        return Told {
            span: text,
            message,
            help,
        };
    }
    // The parser notices a tab where the token before it began.
    let tab = if is_tab(kind) {
        (at.line..=at.line + 1).find_map(|number| tab_in(line(number), number))
    } else {
        None
    };
    let from = usize::try_from(at.column).unwrap_or(usize::MAX).saturating_sub(1);
    let shown = line(at.line);
    let rest = shown
        .char_indices()
        .nth(from)
        .and_then(|(from, _)| shown.get(from..))
        .unwrap_or_default();
    let (message, help) = plain_words(kind, rest);
    Told {
        span: tab.unwrap_or(at),
        message,
        help,
    }
}

fn is_left_open(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidColonPlacement
            | ErrorKind::MappingValueNotAllowed
            | ErrorKind::BlockEntryInFlowCollection
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::InvalidFlowScalarIndent
    )
}

fn is_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabNotAllowed
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart
    )
}

fn quote_of(kind: &ErrorKind) -> Option<char> {
    match kind {
        ErrorKind::InvalidTrailingSingleQuotedScalar => Some('\''),
        ErrorKind::InvalidTrailingDoubleQuotedScalar => Some('"'),
        _ => None,
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn tab_in(line: &str, number: u32) -> Option<Span> {
    let column = line.get(..indentation(line))?.find('\t')?;
    Some(Span {
        line: number,
        column: count(column) + 1,
        length: 1,
    })
}

fn plain_words(kind: &ErrorKind, rest: &str) -> (String, String) {
    let (message, help): (&str, &str) = match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => (
            "a `:` stands where no key can be",
            "a text with `: ` in it needs quotes; otherwise look at the indentation, and for a quote or bracket left open above",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey if rest.contains(':') => {
            ("a `:` without a blank behind it", "write `key: value`")
        }
        ErrorKind::InvalidBlockScalarHeader => (
            "text right behind `|` or `>`",
            "begin the text on the next line, indented; a text that begins with `|` or `>` needs quotes",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "a key without its `:`",
            "write `key: value`; a text that goes on over lines needs quotes or `|`",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "the quote that opens here is never closed",
            "close it with the same quote",
        ),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping => (
            "the bracket that opens here is never closed",
            "close it with `]` or `}`",
        ),
        ErrorKind::MisplacedFlowCollectionEnd => (
            "a closing bracket that nothing opened",
            "remove it, or quote the text",
        ),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return (
                format!("`{open}` is closed by `{close}`"),
                "close each bracket with its own kind; a text with brackets in it needs quotes".to_owned(),
            );
        }
        ErrorKind::ExpectedFlowMappingSeparator => {
            ("expected `,` or `}`", "a text with `{` in it needs quotes")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            ("expected `,` or `]`", "a text with `[` in it needs quotes")
        }
        ErrorKind::RecursionLimitExceeded => (
            "lists and maps nested deeper than 64 levels",
            "a suite needs seven: flatten this part",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockSequenceEntry => (
            "this line does not fit the ones above it",
            "keys of one map, and the `-` of one list, stand in the same column",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => (
            "a list's `-` stands where no list can begin",
            "begin the list on a line of its own; a text that begins with `- ` needs quotes",
        ),
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => (
            "a tab in the indentation",
            "YAML indents with blanks: replace the tab by two",
        ),
        ErrorKind::InvalidBlockScalarIndent => (
            "a line of this text is indented less than its first",
            "indent every line of a `|` or `>` text by at least as much as the first",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar => (
            "the quoted text ends here, and more follows",
            "inside single quotes write `''` for an apostrophe, or use double quotes",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "the quoted text ends here, and more follows",
            "inside double quotes write `\\\"` for a quote, or use single quotes",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "a backslash that begins no known escape in this quoted text",
            "write `\\\\` for a backslash, or use single quotes, which have no escapes (best for a regex)",
        ),
        ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => (
            "a `\\x` or `\\u` escape in this quoted text that is no character",
            "write the character itself",
        ),
        ErrorKind::InvalidFlowScalarIndent | ErrorKind::InvalidQuotedScalarIndent => (
            "a text over several lines that is not indented",
            "indent its lines by more than the key",
        ),
        ErrorKind::DocumentIndicatorInQuotedScalar => (
            "`---` or `...` inside a quoted text at the beginning of a line",
            "indent the line, or close the quote above",
        ),
        ErrorKind::UnexpectedCharacter { character } => return unexpected(*character, rest),
        ErrorKind::BomInsideDocument => (
            "a byte order mark inside the file",
            "remove it: it belongs at the very beginning",
        ),
        ErrorKind::CommentNotSeparated => (
            "a `#` right after a value",
            "put a blank before a comment; a text with `#` in it needs quotes",
        ),
        ErrorKind::CommentInterceptedScalar => (
            "a comment in the middle of a text",
            "quote the text, or write it with `|`",
        ),
        ErrorKind::InvalidDocumentEnd => (
            "text after `...`",
            "a file holds one document: remove what follows",
        ),
        ErrorKind::ExpectedDocumentStart => (
            "the document ends here, and more follows",
            "look at the indentation: a suite is one map from column 1 on",
        ),
        other => {
            let text = other.to_string();
            let message = format!("not YAML: {}", text.trim_end_matches('.'));
            return (
                message,
                "look at the quotes and the indentation here and just above".to_owned(),
            );
        }
    };
    (message.to_owned(), help.to_owned())
}

fn unexpected(character: char, rest: &str) -> (String, String) {
    if character == '{' || rest.starts_with("{{") {
        return (
            "a text can't begin with `{{` without quotes".to_owned(),
            "put the whole text between quotes".to_owned(),
        );
    }
    if character.is_control() || character == '\u{FEFF}' {
        return (
            format!("the control character `{}`", character.escape_default()),
            "remove it; inside double quotes it can be written as an escape".to_owned(),
        );
    }
    (
        format!(
            "a text can't begin with `{}` without quotes",
            if character == '`' { '\'' } else { character }
        ),
        "put the whole text between quotes".to_owned(),
    )
}
