//! The source files as the rules see them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::root;

/// One Rust file.
pub struct Source {
    /// Path from the repository's root, with `/`.
    pub path: String,
    /// Module path, e.g. `["hal", "ipmi", "codec"]`; empty for lib.rs and main.rs.
    pub module: Vec<String>,
    /// All of its text.
    pub text: String,
    /// Without comments and without what only tests compile.
    pub code: String,
}

/// All files of the product (`src`), without those that only tests compile.
pub fn product() -> Vec<Source> {
    let all: Vec<Source> = files(&root().join("src"), "rs")
        .iter()
        .map(|path| load(path))
        .collect();
    let tests: Vec<Vec<String>> = all.iter().flat_map(test_modules).collect();
    let found: Vec<Source> = all
        .into_iter()
        .filter(|s| !s.module.iter().any(|m| m == "tests"))
        .filter(|s| !tests.iter().any(|t| s.module.starts_with(t)))
        .collect();
    assert!(found.len() > 20, "only {} files found", found.len());
    found
}

/// Modules that are declared as `#[cfg(test)] mod name;`.
fn test_modules(source: &Source) -> Vec<Vec<String>> {
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let declared = lines.windows(2).filter_map(|pair| match pair {
        ["#[cfg(test)]", item] => item
            .strip_suffix(';')?
            .rsplit_once("mod ")
            .map(|(_, name)| name),
        _ => None,
    });
    declared
        .map(|name| {
            source
                .module
                .iter()
                .cloned()
                .chain([name.to_owned()])
                .collect()
        })
        .collect()
}

/// Files below `dir` whose name ends in `.extension`; build output is left out.
pub fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

fn load(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let path = path
        .strip_prefix(root())
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if matches!(
        module.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        module.pop();
    }
    let code = code_of(&text);
    Source {
        path,
        module,
        text,
        code,
    }
}

/// Strips line comments and every item under `#[cfg(test)]`.
fn code_of(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("#[cfg(test)]") {
            let indent = line.len() - trimmed.len();
            let end = |l: &str| {
                l.len() - l.trim_start().len() == indent && l.trim_start().starts_with('}')
            };
            let mut item = lines.next().unwrap_or("");
            while item.trim_start().starts_with("#[") {
                item = lines.next().unwrap_or("");
            }
            if !item.trim_end().ends_with(';') && !item.trim_end().ends_with('}') {
                for skipped in lines.by_ref() {
                    if end(skipped) {
                        break;
                    }
                }
            }
            continue;
        }
        if !trimmed.starts_with("//") {
            out.push_str(line.split(" // ").next().unwrap_or(""));
            out.push('\n');
        }
    }
    out
}

#[test]
fn test_code_and_comments_are_stripped() {
    let text = "use a;\n// unsafe\n#[cfg(test)]\nmod tests;\nfn f() {} // x\n#[cfg(test)]\nmod tests {\n    fn g() {\n    }\n}\nfn h() {}\n";
    assert_eq!(code_of(text), "use a;\nfn f() {}\nfn h() {}\n");
}
