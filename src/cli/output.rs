//! The screen: results on standard output, everything else on standard error, colours where wanted.

use std::io::{self, BufWriter, Write};

use super::environment::Environment;
use super::exit;
use super::inert::InertJson;
use super::options::DisplayOptions;

/// Columns where the terminal does not say.
const COLUMNS: usize = 100;

/// Where and how to show things.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    /// Colours on standard output.
    pub(crate) colour: bool,
    /// Colours on standard error.
    pub(crate) colour_errors: bool,
    /// A bar on a terminal, lines in a CI, nothing else.
    pub(crate) progress: Progress,
    /// Columns for text.
    pub(crate) columns: usize,
    /// GitHub's runner reads standard output: a line there can be a command.
    pub(crate) github: bool,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Bar,
    Lines,
    Nothing,
}

impl Screen {
    pub(crate) fn new(display: &DisplayOptions, environment: &Environment) -> Self {
        let progress = match (display.quiet, environment.ci, environment.stderr_is_terminal) {
            (true, ..) => Progress::Nothing,
            (_, true, _) => Progress::Lines,
            // A bar and a log on one terminal would write over each other.
            (_, _, true) if display.verbose => Progress::Lines,
            (_, _, true) => Progress::Bar,
            _ => Progress::Nothing,
        };
        Screen {
            colour: display
                .color
                .colour(environment.stdout_is_terminal, environment.no_color),
            colour_errors: display
                .color
                .colour(environment.stderr_is_terminal, environment.no_color),
            progress,
            columns: environment.columns.unwrap_or(COLUMNS).clamp(60, 160),
            github: environment.github.is_some(),
        }
    }

    /// A result, on standard output. A reader that has gone away ends nothing.
    pub(crate) fn result(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// A JSON document, on standard output as it is written.
    ///
    /// # Errors
    /// It can't be written whole. That nobody reads any more is none.
    pub(crate) fn json(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let mut out = InertJson::new(BufWriter::new(io::stdout().lock()));
        match write(&mut out).and_then(|()| out.finish()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(exit::usage(format!(
                "can't write the JSON to standard output: {error}"
            ))),
            _ => Ok(()),
        }
    }

    /// Lines on standard error.
    pub(crate) fn note(&self, text: &str) {
        self.labelled("", text);
    }

    /// An error, on standard error.
    pub(crate) fn error(&self, text: &str) {
        self.labelled(self.label("1;31", "error").as_str(), text);
    }

    /// A warning, on standard error.
    pub(crate) fn warn(&self, text: &str) {
        self.labelled(self.label("1;33", "warning").as_str(), text);
    }

    /// Lines on standard error that hold our own colours, and foreign text that was made visible already.
    pub(crate) fn coloured(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{}", self.inert(text));
    }

    fn label(&self, colour: &str, word: &str) -> String {
        if self.colour_errors {
            format!("\u{1b}[{colour}m{word}\u{1b}[0m: ")
        } else {
            format!("{word}: ")
        }
    }

    fn labelled(&self, label: &str, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{label}{}", self.harmless(text));
    }

    /// A text that may be foreign in part, as it can be shown: no control characters, no commands.
    pub(crate) fn harmless(&self, text: &str) -> String {
        self.inert(&crate::report::visible_lines(text))
    }

    /// A command to GitHub's runner, on the stream that progress goes to.
    pub(crate) fn command(&self, command: &str) {
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(command.as_bytes());
    }

    /// A text without commands: the runner reads them from both streams.
    pub(crate) fn inert(&self, text: &str) -> String {
        if self.github {
            crate::github::inert_line(text).into_owned()
        } else {
            text.to_owned()
        }
    }
}

/// Sends the log to standard error: with `--verbose` every call, otherwise warnings.
pub(crate) fn log(display: &DisplayOptions, screen: &Screen) {
    let level = if display.verbose {
        tracing::Level::DEBUG
    } else {
        tracing::Level::WARN
    };
    let filter = tracing_subscriber::filter::Targets::new().with_target("tunegate", level);
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(screen.colour_errors)
        .with_target(false);
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
