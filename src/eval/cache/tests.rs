use std::fs;
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use super::*;

mod bounds;

fn settings(folder: &Path) -> CacheSettings {
    CacheSettings {
        folder: folder.to_owned(),
        origin: "https://example.com".to_owned(),
        max_age: Duration::from_secs(7 * 24 * 60 * 60),
        max_bytes: 100_000_000,
        refresh: false,
        private: true,
    }
}

fn open(folder: &Path) -> Cache {
    Cache::open(settings(folder)).unwrap()
}

fn key(n: usize) -> Key {
    Parts::of("test").whole(Some(n as i128)).key()
}

fn got(cache: &Cache, n: usize) -> Option<Value> {
    cache.get::<Value>(&key(n)).map(|(_, value)| value)
}

/// A segment's name.
fn ours(n: usize) -> String {
    format!("{n:013}-{n:032x}.jsonl")
}

/// A segment that nobody writes any more, with replies of these times.
fn segment(folder: &Path, name: &str, replies: &[(usize, i64)]) {
    let lines = replies.iter().flat_map(|(n, at)| {
        let head = Head {
            key: key(*n),
            at: *at,
        };
        line::write(head, &json!({ "n": n, "at": at }).to_string()).unwrap()
    });
    fs::write(folder.join(name), lines.collect::<Vec<u8>>()).unwrap();
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = all
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    all.sort();
    all
}

#[test]
fn what_one_keeps_another_finds() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new").join("cache");
    let first = open(&folder);
    assert_eq!(got(&first, 1), None);
    assert!(
        !folder.exists(),
        "nothing is made before there is something to keep"
    );
    first.put(key(1), &json!({"a": 1}));
    assert_eq!(got(&first, 1), None, "its own is no reply of an earlier run");
    let second = open(&folder);
    assert_eq!(got(&second, 1), Some(json!({"a": 1})));
    // The newest counts; who looked before sees what was there.
    second.put(key(1), &json!({"a": 2}));
    second.put(key(2), &json!([]));
    assert!(got(&open(&folder), 1).is_some());
    assert_eq!((got(&second, 1), got(&second, 2)), (Some(json!({"a": 1})), None));
    assert_eq!((first.kept(), second.kept(), first.fault()), (1, 2, None));
    assert_eq!(segments(&folder).len(), 2, "a file for each that writes");
}

#[cfg(unix)]
#[test]
fn files_are_for_this_user_alone_where_that_is_wanted() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let cache = folder.path().join("mine");
    open(&cache).put(key(1), &1);
    assert_eq!((mode(&cache), mode(&segments(&cache)[0])), (0o700, 0o600));
    let cache = folder.path().join("workflow");
    let all = CacheSettings {
        private: false,
        ..settings(&cache)
    };
    Cache::open(all).unwrap().put(key(1), &1);
    assert_ne!(
        mode(&segments(&cache)[0]) & 0o044,
        0,
        "another user's step saves it"
    );
}

#[test]
fn any_number_write_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let caches: Vec<Arc<Cache>> = (0..4).map(|_| Arc::new(open(folder))).collect();
    thread::scope(|scope| {
        for (at, cache) in caches.iter().enumerate() {
            for half in 0..2 {
                scope.spawn(move || {
                    for n in 0..200 {
                        let n = (at * 2 + half) * 200 + n;
                        cache.put(key(n), &json!({ "n": n, "text": "x".repeat(n) }));
                    }
                });
            }
        }
        // Readers come and go meanwhile, and tidy up where they think that it is due.
        scope.spawn(|| {
            for _ in 0..50 {
                let small = CacheSettings {
                    max_bytes: 1_000_000_000,
                    ..settings(folder)
                };
                let reader = Cache::open(small).unwrap();
                for n in 0..1600 {
                    let found = got(&reader, n);
                    assert!(found.is_none_or(|found| found["n"] == n));
                }
            }
        });
    });
    let after = open(folder);
    for n in 0..1600 {
        assert_eq!(got(&after, n).unwrap()["text"].as_str().unwrap().len(), n);
    }
}

#[test]
fn a_file_that_was_cut_anywhere_loses_only_its_last_reply() {
    let folder = tempfile::tempdir().unwrap();
    let name = &ours(1);
    segment(folder.path(), name, &[(1, now()), (2, now()), (3, now())]);
    let whole = fs::read(folder.path().join(name)).unwrap();
    let ends: Vec<usize> = (0..whole.len())
        .filter(|at| whole[*at] == b'\n')
        .map(|at| at + 1)
        .collect();
    for cut in 0..=whole.len() {
        fs::write(folder.path().join(name), &whole[..cut]).unwrap();
        let cache = open(folder.path());
        for (n, end) in (1..).zip(&ends) {
            assert_eq!(got(&cache, n).is_some(), *end <= cut, "{cut}: {n}");
        }
    }
}

#[test]
fn what_is_no_reply_is_none_and_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    segment(folder, &ours(1_000), &[(1, now())]);
    let line = |n| {
        String::from_utf8(
            line::write(
                Head {
                    key: key(n),
                    at: now(),
                },
                "{\"n\":2}",
            )
            .unwrap(),
        )
        .unwrap()
    };
    fs::create_dir(folder.join(ours(2))).unwrap();
    fs::write(folder.join(ours(3)), "").unwrap();
    fs::write(folder.join(ours(4)), [0xff; 5_000]).unwrap();
    fs::write(folder.join(ours(5)), "x".repeat(MAX_LINE + 5) + "\n" + &line(2)).unwrap();
    // Another reply's check word, another key's reply, a time that is none, a time to come.
    fs::write(
        folder.join(ours(6)),
        line(3).replace(&key(3).hex(), &key(4).hex()),
    )
    .unwrap();
    fs::write(folder.join(ours(7)), {
        line::write(
            Head {
                key: key(5),
                at: now(),
            },
            "{\"n\":",
        )
        .unwrap()
    })
    .unwrap();
    segment(
        folder,
        &ours(8),
        &[(6, -1), (7, now() + 2 * AHEAD), (8, i64::MAX), (9, i64::MIN)],
    );
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.join(ours(1_000)), folder.join(ours(9))).unwrap();
    let cache = open(folder);
    assert!(got(&cache, 1).is_some(), "beside all that");
    assert_eq!(
        got(&cache, 2),
        Some(json!({"n": 2})),
        "behind a line that is too long"
    );
    for n in 3..10 {
        assert_eq!(got(&cache, n), None, "{n}");
    }
    assert_eq!(cache.fault(), None);
}

const MAX_LINE: usize = line::MAX_LINE;

#[test]
fn a_reply_of_a_time_to_come_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    segment(folder.path(), &ours(1), &[(1, now() - 5)]);
    segment(folder.path(), &ours(2), &[(1, now() + 2 * AHEAD), (1, i64::MAX)]);
    assert!(got(&open(folder.path()), 1).is_some());
}

#[test]
fn old_replies_are_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    segment(folder.path(), &ours(1), &[(1, now() - 3_000), (2, now() - 4_000)]);
    let cache = Cache::open(CacheSettings {
        max_age: Duration::from_secs(3_600),
        ..settings(folder.path())
    });
    let cache = cache.unwrap();
    assert!(got(&cache, 1).is_some());
    assert_eq!(got(&cache, 2), None);
}

#[test]
fn a_refresh_looks_nothing_up_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    segment(folder.path(), &ours(1), &[(1, now() - 1)]);
    let fresh = Cache::open(CacheSettings {
        refresh: true,
        ..settings(folder.path())
    });
    let fresh = fresh.unwrap();
    assert_eq!(got(&fresh, 1), None);
    fresh.put(key(1), &"today");
    assert_eq!(got(&fresh, 1), None);
    assert_eq!(got(&open(folder.path()), 1), Some(json!("today")));
}

#[test]
fn many_files_become_one_and_the_newest_replies_stay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for n in 0..20 {
        segment(folder, &ours(n), &[(n, now() - 100), (1_000, now() - n as i64)]);
    }
    segment(folder, &ours(99), &[(500, now() - 8 * 24 * 60 * 60)]);
    let before = open(folder);
    assert_eq!(segments(folder).len(), 1);
    for cache in [before, open(folder)] {
        for n in 0..20 {
            assert!(got(&cache, n).is_some(), "{n}");
        }
        let newest = got(&cache, 1_000).unwrap()["at"].as_i64().unwrap();
        assert!(now() - newest < 60, "{newest}");
        assert_eq!(got(&cache, 500), None);
    }
    let left = fs::read_to_string(&segments(folder)[0]).unwrap();
    assert_eq!(left.lines().count(), 21, "neither old ones nor doubles");
}

#[test]
fn what_is_being_written_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let writer = open(folder);
    writer.put(key(1), &1);
    let mine = segments(folder);
    for n in 10..40 {
        segment(folder, &ours(n), &[(n, now())]);
    }
    let held = open(folder);
    assert_eq!(segments(folder).len(), 2);
    assert!(segments(folder).contains(&mine[0]));
    writer.put(key(2), &2);
    let after = open(folder);
    assert_eq!((got(&after, 1), got(&after, 2)), (Some(json!(1)), Some(json!(2))));
    // Once more, now that nobody writes: who still reads the old ones reads on.
    drop(writer);
    for n in 50..80 {
        segment(folder, &ours(n), &[(n, now())]);
    }
    let last = open(folder);
    assert_eq!(segments(folder).len(), 1);
    for n in 10..40 {
        assert!(got(&held, n).is_some() && got(&last, n).is_some(), "{n}");
    }
    assert_eq!(got(&last, 2), Some(json!(2)));
}

#[test]
fn a_folder_that_can_not_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let told = Cache::open(settings(&file)).unwrap_err();
    assert!(told.starts_with("can't read the replies' cache in "), "{told}");
    let cache = open(&folder.path().join("gone"));
    fs::write(folder.path().join("gone"), "").unwrap();
    cache.put(key(1), &1);
    cache.put(key(2), &2);
    assert_eq!(cache.kept(), 0);
    assert!(
        cache
            .fault()
            .unwrap()
            .starts_with("can't write to the replies' cache in ")
    );
}

#[test]
fn what_others_left_unfinished_goes_when_nobody_has_it_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let unfinished = |n, ending| ours(n).replace(".jsonl", ending);
    let [a, b, c] = [
        unfinished(91, ".new"),
        unfinished(92, ".tmp"),
        unfinished(93, ".new"),
    ];
    let somebody_s = "notes.tmp".to_owned();
    for name in [&a, &b, &c, &somebody_s] {
        fs::write(folder.join(name), "x").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    for name in [&a, &b, &somebody_s] {
        let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    for n in 0..20 {
        segment(folder, &ours(n), &[(n, now())]);
    }
    open(folder);
    let left = [&a, &b, &c, &somebody_s].map(|name| folder.join(name).exists());
    assert_eq!(left, [false, false, true, true]);
}
