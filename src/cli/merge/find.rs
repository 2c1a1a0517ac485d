//! Files and folders → the results of shards that stand in them. What stands in a folder and is no shard's is passed
//! over; a file that was named has to be one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::baseline::RESULTS;
use crate::cli::exit;
use crate::report;
use crate::shards::Piece;

/// Folders below a folder that are searched: an artifact's, a suite's, `shards`, a shard's, and some to spare.
const DEPTH: u32 = 8;
/// Entries of folders that are looked at in all.
const ENTRIES: u32 = 100_000;

/// What the paths hold.
///
/// # Errors
/// Everything that can't be read, at once; or that there is no shard at all.
pub(super) fn pieces(paths: &[PathBuf]) -> anyhow::Result<Vec<Piece>> {
    let mut faults = Vec::new();
    let mut search = Search::default();
    for path in paths {
        if path.is_dir() {
            if let Err(why) = search.folder(path, DEPTH) {
                faults.push(why);
            }
        } else {
            search.add(path.clone(), true);
        }
    }
    let mut pieces = Vec::new();
    for (path, named) in search.files {
        match read(&path) {
            Ok(results) if named || results.run.shard.is_some() => pieces.push(Piece {
                path: path.display().to_string(),
                results,
            }),
            Ok(_) => {}
            Err(why) => faults.push(format!("{}: {why}", path.display())),
        }
    }
    if faults.is_empty() && pieces.is_empty() {
        let searched: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        faults.push(format!(
            "there is no {RESULTS} of a shard in {}: give the folders that `tunegate eval --shard` left",
            searched.join(", ")
        ));
    }
    if faults.is_empty() {
        Ok(pieces)
    } else {
        Err(exit::usage(faults.join("\n")))
    }
}

fn read(path: &Path) -> Result<crate::results::Results, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let record = report::read_json(file).map_err(|error| error.to_string())?;
    Ok(record.results)
}

/// Files found so far; each counts once, however it was reached.
#[derive(Debug, Default)]
struct Search {
    files: Vec<(PathBuf, bool)>,
    seen: BTreeSet<PathBuf>,
    entries: u32,
}

impl Search {
    fn add(&mut self, path: PathBuf, named: bool) {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if self.seen.insert(real) {
            self.files.push((path, named));
        } else if named && let Some((_, as_named)) = self.files.iter_mut().find(|(there, _)| *there == path) {
            *as_named = true;
        }
    }

    /// Links are not followed: a folder is somebody else's, and may lead in a circle.
    fn folder(&mut self, folder: &Path, depth: u32) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(told)? {
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(format!(
                    "{}: more than {ENTRIES} files and folders to search: name the shards' own",
                    folder.display()
                ));
            }
            entries.push(entry.map_err(told)?);
        }
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type().map_err(told)?;
            if kind.is_dir() && depth > 0 {
                self.folder(&entry.path(), depth - 1)?;
            } else if kind.is_file() && entry.file_name() == RESULTS {
                self.add(entry.path(), false);
            }
        }
        Ok(())
    }
}
