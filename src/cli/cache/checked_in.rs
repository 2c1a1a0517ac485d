//! A folder of the workspace comes in; whether the repository that is checked out there brought something in it goes out.
//!
//! Read from git's index, which names every path that a checkout wrote.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path};

/// A larger index is not read: of millions of files.
const LIMIT_BYTES: u64 = 512 << 20;
/// Format versions of an index that hold every path as it is. The next one holds only what differs from the path before.
const PLAIN: [u8; 2] = [2, 3];

/// Why a folder below the workspace may be somebody's who proposes a change; none where it is not in the repository.
pub(super) fn is(workspace: &Path, below: &Path) -> Option<String> {
    let parts: Vec<&str> = below
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_str()),
            _ => None,
        })
        .collect::<Option<_>>()
        .unwrap_or_default();
    if parts.is_empty() {
        return Some("it is no folder of its own".to_owned());
    }
    let mut root = workspace.to_owned();
    for (at, part) in parts.iter().enumerate() {
        // A repository may stand in any folder on the way.
        if let Some(why) = in_repository(&root, &parts[at..]) {
            return Some(why);
        }
        root.push(part);
        if fs::symlink_metadata(&root).is_ok_and(|found| found.is_symlink()) {
            return Some(format!("{} is a link", root.display()));
        }
    }
    in_repository(&root, &[])
}

fn in_repository(root: &Path, parts: &[&str]) -> Option<String> {
    let git = root.join(".git");
    let found = fs::symlink_metadata(&git).ok()?;
    if parts.is_empty() {
        return Some("it is a repository of its own".to_owned());
    }
    if !found.is_dir() {
        return Some(format!("{} does not say what is checked out", git.display()));
    }
    let path = git.join("index");
    let mut index = Vec::new();
    match File::open(&path) {
        Ok(file) => file.take(LIMIT_BYTES + 1).read_to_end(&mut index).ok(),
        // Nothing is checked out.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(_) => None,
    };
    let version = index.strip_prefix(b"DIRC\0\0\0").and_then(|rest| rest.first());
    let plain = version.is_some_and(|version| PLAIN.contains(version));
    if !plain || index.len() as u64 > LIMIT_BYTES {
        return Some(format!(
            "{} can't be read for what is checked out",
            path.display()
        ));
    }
    let name = parts.join("/");
    // A path below it, or the path itself: as a link or another repository.
    let named = holds(&index, &format!("{name}/")) || holds(&index, &format!("{name}\0"));
    named.then(|| {
        "the repository brings it along, and whoever changes that could write any score into it".to_owned()
    })
}

fn holds(bytes: &[u8], name: &str) -> bool {
    let name = name.as_bytes();
    // On some machines two names are one folder that differ in their capitals.
    bytes
        .windows(name.len())
        .any(|window| window.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(index: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join(".git/index"), index).unwrap();
        folder
    }

    fn index(version: u8, names: &[&str]) -> Vec<u8> {
        let mut bytes = b"DIRC\0\0\0".to_vec();
        bytes.push(version);
        for name in names {
            bytes.extend_from_slice(&[1; 62]);
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b"\0\0");
        }
        bytes
    }

    #[test]
    fn what_the_repository_brings_is_not_trusted() {
        let is = |names: &[&str], below: &str| {
            super::is(workspace(&index(2, names)).path(), Path::new(below)).is_some()
        };
        assert!(!is(&["README.md", "prompts/a.yaml"], ".tunegate-cache"));
        assert!(!is(&["docs/.tunegate-cache.md"], ".tunegate-cache"));
        assert!(is(&["README.md", ".tunegate-cache/x.jsonl"], ".tunegate-cache"));
        assert!(is(&[".tunegate-cache"], "./.tunegate-cache"));
        assert!(is(&[".Tunegate-Cache/x.jsonl"], ".tunegate-cache"));
        assert!(is(&["a/b/x.jsonl"], "a/b"));
        assert!(!is(&["a/x.jsonl"], "a/b"));
        assert!(is(&[], "."));
    }

    #[test]
    fn what_can_not_be_told_is_not_trusted() {
        let below = Path::new(".tunegate-cache");
        for unreadable in [&b""[..], b"DIRC", &index(4, &["README.md"])] {
            assert!(is(workspace(unreadable).path(), below).is_some());
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(is(folder.path(), below), None, "no repository");
        fs::write(folder.path().join(".git"), "gitdir: /elsewhere").unwrap();
        assert!(is(folder.path(), below).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_no_folder_of_replies() {
        let folder = workspace(&index(2, &[]));
        std::os::unix::fs::symlink("elsewhere", folder.path().join(".tunegate-cache")).unwrap();
        assert!(is(folder.path(), Path::new(".tunegate-cache")).is_some());
    }

    #[test]
    fn a_repository_in_a_folder_on_the_way_counts() {
        let folder = workspace(&index(2, &[]));
        let inner = folder.path().join("checkout");
        fs::create_dir_all(inner.join(".git")).unwrap();
        fs::write(inner.join(".git/index"), index(3, &["replies/x.jsonl"])).unwrap();
        assert!(is(folder.path(), Path::new("checkout/replies")).is_some());
        assert_eq!(is(folder.path(), Path::new("checkout/other")), None);
    }
}
