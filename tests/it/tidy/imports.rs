//! Imports run one way, and the HAL compiles alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::source::{Source, files, product};
use crate::common::{root, stderr};

/// Layers inside the HAL; a module may use those with a smaller number, and itself.
const HAL: &[(&str, u8)] = &[
    ("error", 0),
    ("model", 1),
    ("meter", 2),
    ("caps", 2),
    ("gate", 2),
    ("ipmi", 3),
    ("redfish", 3),
    ("ssh", 3),
    ("recording", 4),
    ("transport", 4),
    ("fleet", 5),
    ("bmc", 6),
    ("drivers", 7),
    ("vendors", 8),
    ("report", 7),
    ("logins", 7),
    ("detect", 9),
    ("sim", 9),
    ("inband", 9),
    ("connect", 10),
];

/// What `hal` itself exports again; belongs to `error`.
const FACADE: &[&str] = &["Error", "Kind", "Result"];

/// The layer of a module path, with the name for the message. Higher may use lower.
fn layer(path: &[String]) -> Option<(u8, &str)> {
    match path.first().map(String::as_str)? {
        "applets" => Some((104, "applets")),
        "api" => Some((103, "api")),
        "console" => Some((102, "console")),
        "discover" => Some((101, "discover")),
        "inventory" => Some((100, "inventory")),
        "hal" => {
            let name = path.get(1).map(String::as_str)?;
            if FACADE.contains(&name) {
                return Some((0, "error"));
            }
            let known = HAL.iter().find(|(n, _)| *n == name);
            Some(known.map_or((u8::MAX, name), |(n, rank)| (*rank, n)))
        }
        other => Some((u8::MAX, other)),
    }
}

/// Every path of our own crate that the code names, from the crate's root.
fn paths(source: &Source) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let code = &source.code;
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut tree = String::new();
            let mut depth = 0i32;
            for c in code[at..].chars() {
                match c {
                    '{' if tree.ends_with("::") || depth > 0 => depth += 1,
                    '}' if depth > 0 => depth -= 1,
                    c if c.is_alphanumeric() || "_:".contains(c) => {}
                    c if depth > 0 && (c.is_whitespace() || c == ',' || c == '*') => {}
                    _ => break,
                }
                tree.push(c);
                if depth == 0 && c == '}' {
                    break;
                }
            }
            for path in expand(&tree) {
                out.extend(absolute(&source.module, &path));
            }
        }
    }
    out
}

/// `a::{b, c::d}` → `a::b`, `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let Some((head, rest)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let inside = rest.strip_suffix('}').unwrap_or(rest);
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    let parts = parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty());
    parts
        .flat_map(|p| expand(&format!("{}{p}", head.trim())))
        .collect()
}

/// Resolves `crate`, `self` and `super` at the start of a path.
fn absolute(module: &[String], path: &str) -> Option<Vec<String>> {
    let mut base: Vec<String> = Vec::new();
    let mut words = path.split("::").filter(|w| !w.is_empty()).peekable();
    match words.next()? {
        "crate" => {}
        "self" => base = module.to_vec(),
        _ => {
            base = module.to_vec();
            base.pop()?;
            while words.next_if_eq(&"super").is_some() {
                base.pop()?;
            }
        }
    }
    base.extend(words.map(str::to_owned));
    Some(base)
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in product() {
        // The facades (src/hal/mod.rs, src/lib.rs) may name everything below them.
        if source.module.is_empty() || source.module == ["hal"] {
            continue;
        }
        let (rank, own) = layer(&source.module).unwrap();
        assert_ne!(
            rank,
            u8::MAX,
            "{}: a layer that the rules do not know",
            source.path
        );
        for path in paths(&source) {
            let Some((used, name)) = layer(&path) else {
                continue;
            };
            seen += 1;
            let inside = own == name;
            if !inside && used >= rank {
                wrong.push(format!("{} ({own}) uses {}", source.path, path.join("::")));
            }
            // IPMI is sans-IO and stands on its own.
            if own == "ipmi" && !matches!(name, "ipmi" | "model" | "error") {
                wrong.push(format!("{} (ipmi) uses {}", source.path, path.join("::")));
            }
        }
    }
    assert!(seen > 100, "only {seen} imports found");
    wrong.sort();
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "imports that run back:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn use_trees_are_resolved() {
    let source = Source {
        path: String::new(),
        module: ["hal", "ipmi", "cmd", "app"].map(str::to_owned).to_vec(),
        text: String::new(),
        code: "use super::super::{Reader, session::{Session, wire::*}};\nlet x = crate::hal::fleet::Fleet::new();".into(),
    };
    let found: Vec<String> = paths(&source).iter().map(|p| p.join("::")).collect();
    for path in [
        "hal::ipmi::Reader",
        "hal::ipmi::session::Session",
        "hal::fleet::Fleet::new",
    ] {
        assert!(found.iter().any(|f| f == path), "{path} not in {found:?}");
    }
    assert_eq!(layer(&["hal".into(), "Error".into()]), Some((0, "error")));
}

#[test]
fn the_hal_compiles_alone() {
    let crate_dir = tempfile::tempdir().unwrap();
    let hal = root().join("src/hal");
    for file in files(&hal, "rs") {
        let to = crate_dir
            .path()
            .join("src/hal")
            .join(file.strip_prefix(&hal).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
    fs::write(crate_dir.path().join("src/lib.rs"), "pub mod hal;\n").unwrap();
    fs::copy(
        root().join("Cargo.lock"),
        crate_dir.path().join("Cargo.lock"),
    )
    .unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    fs::write(crate_dir.path().join("Cargo.toml"), alone(&manifest)).unwrap();

    // Beside our own build output, so that the dependencies are compiled once and not each time.
    let target = Path::new(env!("CARGO_BIN_EXE_halbox"))
        .ancestors()
        .nth(2)
        .unwrap()
        .join("tidy");
    let out = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--quiet", "--offline", "--target-dir"])
        .arg(target)
        .current_dir(crate_dir.path())
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "src/hal does not compile alone:\n{}",
        stderr(&out)
    );
}

/// Our manifest without what only the layers above need.
fn alone(manifest: &str) -> String {
    let above = [
        "clap",
        "clap_complete",
        "clap_mangen",
        "env_logger",
        "listenfd",
        "prost",
        "prost-types",
        "rusqlite",
        "sd-notify",
        "serde_yaml",
        "tokio-stream",
        "tonic",
        "tonic-health",
        "tonic-prost",
        "tonic-reflection",
    ];
    let mut out =
        String::from("[package]\nname = \"halbox\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n");
    let mut copying = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            copying = line == "[dependencies]";
        }
        let name = line.split(['=', ' ', '.']).next().unwrap_or("");
        if copying && !above.contains(&name) {
            out.push_str(line);
            out.push('\n');
        }
    }
    assert!(out.contains("tokio"), "{out}");
    out
}
