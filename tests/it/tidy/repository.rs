//! The repository around the code: sizes, dependencies, the map, the manual.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::source::files;
use crate::common::{halbox, root, stderr};

const LIMIT: usize = 600;

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for dir in ["src", "tests"] {
        for path in files(&root().join(dir), "rs") {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            if lines > LIMIT {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(
        long.is_empty(),
        "longer than {LIMIT} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn banned_crates_are_not_in_the_lock_file() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in [
        "openssl",
        "openssl-sys",
        "native-tls",
        "aws-lc-rs",
        "aws-lc-sys",
        "reqwest",
        "hyper-tls",
    ] {
        assert!(
            !lock.contains(&format!("name = \"{name}\"\n")),
            "{name} came in"
        );
    }
    for line in lock.lines().filter(|l| l.starts_with("source = ")) {
        assert_eq!(
            line,
            "source = \"registry+https://github.com/rust-lang/crates.io-index\""
        );
    }
}

/// Folders below `top`, as paths with a slash at the end; without build output, fuzz corpora and what holds only
/// unit tests.
fn folders(top: &str, out: &mut BTreeSet<String>) {
    let inside: Vec<_> = fs::read_dir(root().join(top))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    if !inside.iter().all(|p| p.ends_with("tests.rs")) {
        out.insert(format!("{top}/"));
    }
    for path in inside {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let quiet = ["target", "corpus", "artifacts", "coverage", "tests"].contains(&name.as_str());
        if path.is_dir() && !quiet {
            folders(&format!("{top}/{name}"), out);
        }
    }
}

#[test]
fn the_map_shows_every_folder_and_nothing_else() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, map) = text.split_once("## Code map").unwrap();
    let (map, _) = map.split_once("\n## ").unwrap();
    let named: BTreeSet<String> = map
        .lines()
        .filter(|l| l.starts_with("* `"))
        .filter_map(|l| l.split("`: ").next())
        .flat_map(|l| l.split('`'))
        .filter(|l| l.ends_with('/'))
        .map(str::to_owned)
        .collect();
    let mut there = BTreeSet::new();
    for top in ["src", "tests", "man", "docs", "packaging", "proto"] {
        folders(top, &mut there);
    }
    there.remove("src/");
    let missing: Vec<_> = there.difference(&named).collect();
    let gone: Vec<_> = named
        .difference(&there)
        .filter(|n| n.ends_with('/'))
        .collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in ARCHITECTURE.md: {missing:?}; named and not there: {gone:?}"
    );
    assert!(
        text.lines().count() <= 250,
        "ARCHITECTURE.md is longer than 250 lines"
    );
}

fn pages(dir: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|n| n.ends_with(".1")).collect()
}

#[test]
fn manual_pages_are_up_to_date() {
    let new = tempfile::tempdir().unwrap();
    let out = halbox().arg("man").arg(new.path()).output().unwrap();
    assert!(out.status.success(), "{}", stderr(&out));
    let checked_in = root().join("man");
    assert_eq!(pages(&checked_in), pages(new.path()), "run tests/man.sh");
    for page in pages(new.path()) {
        let same =
            fs::read(checked_in.join(&page)).unwrap() == fs::read(new.path().join(&page)).unwrap();
        assert!(same, "man/{page} is stale: run tests/man.sh");
    }
}
