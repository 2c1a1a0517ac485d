//! `init`: a first suite and a first workflow, never over what is there.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{self, Exit};
use super::output::Screen;

/// What is written: the path below the folder, and the text.
const FILES: [(&str, &str); 2] = [
    ("prompts/first.yaml", include_str!("init/suite.yaml")),
    (
        ".github/workflows/tunegate.yml",
        include_str!("../../examples/workflows/nightly.yml"),
    ),
];

/// The arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tunegate init && tunegate run prompts/first.yaml --emulator")]
pub(crate) struct Arguments {
    /// The repository's folder
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn main(arguments: &Arguments, screen: &Screen) -> anyhow::Result<Exit> {
    let folder = &arguments.folder;
    let there: Vec<String> = FILES
        .iter()
        .map(|(path, _)| folder.join(path))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !there.is_empty() {
        return Err(exit::usage(format!(
            "already there: {}; nothing was written",
            there.join(" and ")
        )));
    }
    for (path, text) in FILES {
        create(&folder.join(path), text)?;
        screen.result(&format!("wrote {}\n", folder.join(path).display()));
    }
    screen.note(
        "next: tunegate run prompts/first.yaml --emulator\n\
         then: `project:` and `model:` into the suite, and the secret PREMAI_API_KEY into the repository",
    );
    Ok(Exit::Done)
}

fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let refusal = |error: std::io::Error| exit::usage(format!("can't write {}: {error}", path.display()));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(refusal)?;
    }
    std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(refusal)
}
