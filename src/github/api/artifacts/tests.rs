use std::io::Write;

use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

fn results(suite: &str) -> Vec<u8> {
    format!(r#"{{"version":1,"cases":[{{"x":"\n"}}],"suite":{{"model":"m","name":"{suite}"}}}}"#).into_bytes()
}

fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unpacked(files: &[(&str, Vec<u8>)], own: bool, wanted: Wanted) -> Result<Option<Vec<u8>>, String> {
    unpack(&zipped(files), "invoices", own, wanted)
}

#[test]
fn results_are_found_by_their_place_and_their_name() {
    for name in [
        "results.json",
        "invoices/results.json",
        ".tunegate/invoices/results.json",
        "a/b/invoices/results.json",
    ] {
        let files = [("summary.md", b"x".to_vec()), (name, results("invoices"))];
        assert_eq!(
            unpacked(&files, true, Wanted::Results),
            Ok(Some(results("invoices"))),
            "{name}"
        );
    }
    // Several suites in one artifact.
    let files = [
        ("orders/results.json", results("orders")),
        ("invoices/results.json", results("invoices")),
        ("results.json", results("orders")),
    ];
    assert_eq!(
        unpacked(&files, false, Wanted::Results),
        Ok(Some(results("invoices")))
    );
}

#[test]
fn what_is_not_the_suites_is_not_taken() {
    for name in [
        "../results.json",
        "../invoices/results.json",
        "/invoices/results.json",
        "invoices/../results.json",
        "a/../invoices/results.json",
        "invoices//results.json",
        "./results.json",
        "invoices\\results.json",
        "C:/invoices/results.json",
        "orders/results.json",
        "invoices/results.json/",
        "invoices/RESULTS.JSON",
        "xinvoices/results.json",
    ] {
        assert_eq!(
            unpacked(&[(name, results("invoices"))], true, Wanted::Results),
            Ok(None),
            "{name}"
        );
    }
    for bytes in [
        results("orders"),
        b"{}".to_vec(),
        b"".to_vec(),
        b"[".repeat(100_000),
        b"\xff\xfe".to_vec(),
    ] {
        assert_eq!(
            unpacked(&[("results.json", bytes)], true, Wanted::Results),
            Ok(None)
        );
    }
    let twice = [
        ("results.json", results("invoices")),
        ("invoices/results.json", results("invoices")),
    ];
    assert!(
        unpacked(&twice, true, Wanted::Results)
            .unwrap_err()
            .contains("twice")
    );
}

#[test]
fn a_link_is_not_followed_and_a_folder_is_no_file() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("results.json", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    zip.add_directory("invoices/results.json", SimpleFileOptions::default())
        .unwrap();
    let zip = zip.finish().unwrap().into_inner();
    assert_eq!(unpack(&zip, "invoices", true, Wanted::Results), Ok(None));
}

#[test]
fn an_encrypted_file_is_not_read() {
    let mut zip = zipped(&[("results.json", results("invoices"))]);
    // The flags of the one entry of the list: bit 0 is encryption.
    let entry = zip.windows(4).position(|w| w == ENTRY_MARK).unwrap();
    zip[entry + 8] |= 1;
    assert_eq!(unpack(&zip, "invoices", true, Wanted::Results), Ok(None));
}

#[test]
fn a_file_named_twice_is_refused() {
    let mut zip = zipped(&[
        ("results.json", results("invoices")),
        ("results.jsom", results("invoices")),
    ]);
    for at in 0..zip.len() - 12 {
        if &zip[at..at + 12] == b"results.jsom" {
            zip[at + 11] = b'n';
        }
    }
    assert!(
        unpack(&zip, "invoices", true, Wanted::Results)
            .unwrap_err()
            .contains("twice")
    );
}

#[test]
fn a_bomb_is_let_go_at_the_limit() {
    let zip = zipped(&[("history.jsonl", vec![b'0'; HISTORY_LIMIT as usize + 1])]);
    assert!(zip.len() < 200_000);
    let error = unpack(&zip, "invoices", true, Wanted::History).unwrap_err();
    assert!(error.contains("32 MiB"), "{error}");
    // Whatever its entry says of its size.
    let mut zip = zip;
    let size = u32::try_from(HISTORY_LIMIT + 1).unwrap().to_le_bytes();
    for at in 0..zip.len() - 4 {
        if zip[at..at + 4] == size {
            zip[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
        }
    }
    assert!(unpack(&zip, "invoices", true, Wanted::History).is_err());
}

#[test]
fn a_zip_of_very_many_files_and_what_is_none_are_refused() {
    let names: Vec<String> = (0..=ENTRIES).map(|i| format!("f{i}")).collect();
    let files: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    assert!(
        unpacked(&files, true, Wanted::Results)
            .unwrap_err()
            .contains("10000 entries")
    );
    let zip = zipped(&[("results.json", results("invoices"))]);
    for bytes in [
        &b""[..],
        b"PK",
        b"<html>",
        &zip[..zip.len() / 2],
        &zip[zip.len() / 2..],
    ] {
        let error = unpack(bytes, "invoices", true, Wanted::Results).unwrap_err();
        assert!(error.contains("zip"), "{error}");
    }
}

#[test]
fn a_history_is_the_suites_by_its_folder_or_by_the_results_beside_it() {
    let lines = b"{}\n".to_vec();
    let found = |files: &[(&str, Vec<u8>)], own| unpacked(files, own, Wanted::History);
    let named = [("x/invoices/history.jsonl", lines.clone())];
    assert_eq!(found(&named, false), Ok(Some(lines.clone())));
    let top = [("history.jsonl", lines.clone())];
    assert_eq!(found(&top, true), Ok(Some(lines.clone())));
    assert_eq!(found(&top, false), Ok(None));
    let beside = |suite| [("history.jsonl", lines.clone()), ("results.json", results(suite))];
    assert_eq!(found(&beside("invoices"), false), Ok(Some(lines.clone())));
    assert_eq!(found(&beside("orders"), false), Ok(None));
}
