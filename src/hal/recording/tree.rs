//! Recorded trees in the DMTF's mockup layout: `…/redfish/v1/Systems/1/index.json`.

use std::fs;
use std::path::{Path, PathBuf};

use super::entry::{Body, Recording, RedfishAnswer};
use super::read::MAX_FILE;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::order::Order;

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 24;
/// Most folders.
const MAX_FOLDERS: usize = 50_000;

/// Reads the tree below `dir`, which is the folder that holds `redfish` or lies at most one above that.
pub fn load_tree(dir: &Path) -> Result<Recording> {
    let failed = |why: String| {
        Error::new(Kind::Config, format!("reading {}", dir.display()))
            .with_source(std::io::Error::other(why))
            .with_hint("a tree has the file redfish/v1/index.json")
    };
    let top = root(dir).ok_or_else(|| failed("there is no redfish/v1/index.json".to_owned()))?;
    let mut recording = Recording::new();
    let mut todo = vec![(top.join("redfish"), "/redfish".to_owned(), 0)];
    let (mut folders, mut size) = (0, 0);
    while let Some((folder, path, depth)) = todo.pop() {
        folders += 1;
        let entries = fs::read_dir(&folder).map_err(|e| failed(e.to_string()))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let kind = entry.file_type().map_err(|e| failed(e.to_string()))?;
            if kind.is_dir() && depth < MAX_DEPTH && folders + todo.len() < MAX_FOLDERS {
                // A # is part of the name; in a URI it would begin a fragment.
                let name = name.replace('#', "%23");
                todo.push((entry.path(), format!("{path}/{name}"), depth + 1));
            } else if kind.is_file() && name == "index.json" {
                let text = fs::read(entry.path()).map_err(|e| failed(e.to_string()))?;
                size += text.len() as u64;
                if size > MAX_FILE {
                    return Err(failed("more than 64 MiB".to_owned()));
                }
                // A byte order mark is no JSON.
                let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
                let body = match serde_json::from_slice(text) {
                    Ok(json) => Body::Json(json),
                    Err(_) => Body::Text(String::from_utf8_lossy(text).into_owned()),
                };
                recording.redfish.push(RedfishAnswer {
                    path: path.clone(),
                    status: 200,
                    headers: Vec::new(),
                    body,
                });
            }
        }
    }
    recording.redfish.order_by(|a, b| a.path.cmp(&b.path));
    Ok(recording)
}

/// The folder in which `redfish/v1/index.json` is: this one or one of its children.
fn root(dir: &Path) -> Option<PathBuf> {
    let has = |dir: &Path| dir.join("redfish/v1/index.json").is_file();
    if has(dir) {
        return Some(dir.to_owned());
    }
    fs::read_dir(dir)
        .ok()?
        .flatten()
        .take(1000)
        .map(|entry| entry.path())
        .find(|path| has(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_paths() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let folder = dir.path().join("tree/redfish/v1").join(path);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("index.json"), text).unwrap();
        };
        put("", "\u{feff}{\"Id\":\"RootService\"}");
        put("Managers/1/NICs/A#B", "{}");
        put("Broken", "{,}");
        let tree = load_tree(dir.path()).unwrap();
        let paths: Vec<&str> = tree.redfish.iter().map(|a| a.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/redfish/v1",
                "/redfish/v1/Broken",
                "/redfish/v1/Managers/1/NICs/A%23B"
            ]
        );
        assert!(tree.redfish[0].json().is_some());
        assert_eq!(tree.redfish[1].body, Body::Text("{,}".to_owned()));
        assert!(load_tree(Path::new("/nonexistent")).is_err());
    }
}
