//! What a cache may hold, and what is read of a folder that holds more or something else.

use super::*;

#[test]
fn a_full_cache_loses_its_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<(usize, i64)> = (0..100).map(|n| (n, now() - 1_000 + n as i64)).collect();
    segment(folder.path(), &ours(1), &all);
    let bytes = fs::metadata(folder.path().join(ours(1))).unwrap().len();
    let bounded = CacheSettings {
        max_bytes: bytes / 2,
        ..settings(folder.path())
    };
    let cache = Cache::open(bounded.clone()).unwrap();
    let found: Vec<usize> = (0..100).filter(|n| got(&cache, *n).is_some()).collect();
    assert!((30..40).contains(&found.len()), "{found:?}");
    assert_eq!(found, (100 - found.len()..100).collect::<Vec<_>>());
    let size = || fs::metadata(&segments(folder.path())[0]).unwrap().len();
    assert!(size() <= bytes / 2);
    // There is room again: nothing is moved.
    let (name, _again) = (segments(folder.path()), Cache::open(bounded).unwrap());
    assert_eq!(segments(folder.path()), name);
    assert_eq!(cache.fault(), None);
}

#[test]
fn what_somebody_keeps_in_the_same_folder_is_neither_read_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let names = [
        "cases.jsonl",
        "0000000000001-cases.jsonl",
        "1-00000000000000000000000000000001.jsonl",
    ];
    for name in names {
        segment(folder, name, &[(1, now())]);
        // More than is worth tidying up.
        let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
        file.set_len(2 << 20).unwrap();
    }
    for n in 10..40 {
        segment(folder, &ours(n), &[(n, now())]);
    }
    let cache = open(folder);
    assert_eq!(got(&cache, 1), None);
    assert_eq!(segments(folder).len(), names.len() + 1, "ours are one file now");
    for name in names {
        assert_eq!(fs::metadata(folder.join(name)).unwrap().len(), 2 << 20, "{name}");
    }
}

/// A file of this many bytes that takes no room on the disk, behind what it holds already.
fn stretch(path: &Path, bytes: u64) {
    let file = fs::File::options().append(true).create(true).open(path).unwrap();
    file.set_len(bytes).unwrap();
}

#[test]
fn what_is_far_beyond_the_bound_is_not_read_but_told_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Older than good ones, between them, and newer.
    let huge = [1, 5, 9].map(|n| folder.join(ours(n)));
    for (n, path) in [1, 5, 9].into_iter().zip(&huge) {
        segment(folder, &ours(n), &[(100 + n, now())]);
        stretch(path, 1 << 33);
    }
    for n in [2, 6] {
        segment(folder, &ours(n), &[(n, now())]);
    }
    let cache = open(folder);
    assert_eq!(cache.fault(), None);
    let told = cache.unread().unwrap();
    assert!(
        told.contains("more than the 269 MB that are read of it: 3 of its files left out"),
        "{told}"
    );
    assert!(
        told.contains("-00000000000000000000000000000009.jsonl with 8590 MB"),
        "{told}"
    );
    for n in [2, 6] {
        assert!(got(&cache, n).is_some(), "{n}");
    }
    assert_eq!(got(&cache, 109), None);
    assert!(!huge.iter().any(|path| path.exists()), "nobody writes them");
    let after = open(folder);
    assert_eq!(after.unread(), None);
    assert!(got(&after, 2).is_some() && got(&after, 6).is_some());
}

#[test]
fn of_more_than_is_read_the_newest_are() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for n in 1..=4 {
        segment(folder, &ours(n), &[(n, now())]);
        stretch(&folder.join(ours(n)), 100_000_000);
    }
    // Held by who writes it: nothing of it is moved.
    let writers: Vec<fs::File> = (1..=4)
        .map(|n| fs::File::open(folder.join(ours(n))).unwrap())
        .collect();
    writers.iter().for_each(|file| file.lock().unwrap());
    let cache = open(folder);
    let found: Vec<usize> = (1..=4).filter(|n| got(&cache, *n).is_some()).collect();
    assert_eq!(found, [3, 4]);
    assert!(cache.unread().unwrap().contains(": 2 of its files left out"));
    assert_eq!(segments(folder).len(), 4);
    drop(writers);
}
