//! Outputs and summaries → the files that the runner reads after the step. Every file is optional: on a
//! laptop or in another CI there is none.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use uuid::Uuid;

/// What GitHub takes as one step's summary; of a larger one it shows nothing at all.
pub const SUMMARY_LIMIT_BYTES: u64 = 1024 * 1024;
/// The longest value of an output. All outputs of a job share 1 MB.
pub const OUTPUT_LIMIT_BYTES: usize = 256 * 1024;

/// Why a file of the runner could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file can't be opened or written.
    #[error("can't write {}: {cause}; is the path that GitHub gave still there?", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The name would not stay a name in the file.
    #[error("an output can't be called {name:?}; use letters, digits, `-` and `_`")]
    Name {
        /// The name as given.
        name: String,
    },
    /// The value is longer than [`OUTPUT_LIMIT_BYTES`].
    #[error("the output {name} has {bytes} bytes, and {OUTPUT_LIMIT_BYTES} is the most that is written")]
    TooLong {
        /// The output's name.
        name: String,
        /// The value's length.
        bytes: usize,
    },
}

/// What became of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// There is no such file here.
    NoFile,
    /// The text stands in the file.
    Whole,
    /// The text did not fit beside what else the step wrote; the shorter one stands in its place.
    Fallback,
    /// Not even the shorter text fitted; the file is as it was.
    Nothing,
}

/// The files that the runner gave this step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runner {
    output: Option<PathBuf>,
    step_summary: Option<PathBuf>,
}

impl Runner {
    /// The files as `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY` name them; an empty path is none.
    pub fn new(output: Option<PathBuf>, step_summary: Option<PathBuf>) -> Runner {
        let given = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
        Runner {
            output: given(output),
            step_summary: given(step_summary),
        }
    }

    /// Sets an output of the step. The value may have any number of lines and may be foreign.
    ///
    /// # Errors
    /// A name that is none, a value that is too long, or a file that can't be written.
    pub fn append_output(&self, name: &str, value: &str) -> Result<(), FileError> {
        let named = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(named) {
            return Err(FileError::Name {
                name: name.to_owned(),
            });
        }
        if value.len() > OUTPUT_LIMIT_BYTES {
            return Err(FileError::TooLong {
                name: name.to_owned(),
                bytes: value.len(),
            });
        }
        let Some(path) = &self.output else { return Ok(()) };
        let delimiter = delimiter(value, || Uuid::new_v4().to_string());
        append(path, &format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
    }

    /// The bytes that still fit into the step's summary; `None` where there is no such file.
    ///
    /// # Errors
    /// The file is there and its size can't be told.
    pub fn summary_room(&self) -> Result<Option<u64>, FileError> {
        let Some(path) = &self.step_summary else {
            return Ok(None);
        };
        let taken = match path.metadata() {
            Ok(metadata) => metadata.len(),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => 0,
            Err(cause) => {
                return Err(FileError::Io {
                    path: path.clone(),
                    cause,
                });
            }
        };
        // One byte for the line break that may be missing at the file's end.
        Ok(Some(SUMMARY_LIMIT_BYTES.saturating_sub(taken).saturating_sub(1)))
    }

    /// Adds a text to the step's summary, or `fallback` where the text does not fit beside what stands
    /// there already: half a text would be broken Markdown, and one byte too many hides everything.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn append_summary(&self, text: &str, fallback: &str) -> Result<Appended, FileError> {
        let (Some(path), Some(room)) = (&self.step_summary, self.summary_room()?) else {
            return Ok(Appended::NoFile);
        };
        let (text, appended) = match (text.len() as u64 <= room, fallback.len() as u64 <= room) {
            (true, _) => (text, Appended::Whole),
            (false, true) => (fallback, Appended::Fallback),
            (false, false) => return Ok(Appended::Nothing),
        };
        append(path, text)?;
        Ok(appended)
    }
}

/// A word that no line of the value is.
fn delimiter(value: &str, mut random: impl FnMut() -> String) -> String {
    loop {
        let delimiter = format!("tunegate_{}", random());
        if !value.contains(&delimiter) {
            return delimiter;
        }
    }
}

fn append(path: &Path, text: &str) -> Result<(), FileError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let start = if ends_within_a_line(&mut file)? { "\n" } else { "" };
        // In one write, so that a step that is killed leaves no half of it.
        file.write_all(format!("{start}{text}").as_bytes())
    };
    write().map_err(|cause| FileError::Io {
        path: path.to_owned(),
        cause,
    })
}

/// True when what was written before us lacks its line break.
fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last[0] != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_that_stands_in_the_value_is_not_used() {
        let mut words = ["taken", "free"].into_iter();
        let found = delimiter("a\ntunegate_taken\nb", || words.next().unwrap().to_owned());
        assert_eq!(found, "tunegate_free");
    }

    #[test]
    fn names_that_could_end_their_line_are_refused() {
        let runner = Runner::default();
        for name in ["", "a=b", "a<<b", "a\nb", "ä", "a b"] {
            assert!(
                matches!(runner.append_output(name, "x"), Err(FileError::Name { .. })),
                "{name:?}"
            );
        }
        let long = "x".repeat(OUTPUT_LIMIT_BYTES + 1);
        assert!(matches!(
            runner.append_output("mean", &long),
            Err(FileError::TooLong { .. })
        ));
    }

    #[test]
    fn without_files_nothing_is_written_and_nothing_is_wrong() {
        for runner in [
            Runner::default(),
            Runner::new(Some(PathBuf::new()), Some(PathBuf::new())),
        ] {
            runner.append_output("mean", "0.8").unwrap();
            assert_eq!(runner.append_summary("text", "short").unwrap(), Appended::NoFile);
            assert_eq!(runner.summary_room().unwrap(), None);
        }
    }
}
