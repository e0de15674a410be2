//! Recorded Redfish trees of real servers, served as BMCs that can be written to (`serve_mockup.py`). Ended when dropped.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use halbox::hal::transport::http::{Client, Config, Request};
use serde_json::{Value, json};

use super::{oracle, shared};

/// The folder of recorded trees.
pub fn corpora() -> Option<PathBuf> {
    shared("corpora")
}

/// Unpacks a tree, once for all tests: the server only reads it. Gives the folder.
fn unpack(corpora: &Path, tree: &str) -> PathBuf {
    let archive = corpora.join(format!("{tree}.tar.xz"));
    let size = std::fs::metadata(&archive)
        .unwrap_or_else(|e| panic!("{}: {e}", archive.display()))
        .len();
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpora");
    std::fs::create_dir_all(&all).unwrap();
    let whole = all.join(format!("{tree}-{size}"));
    if !whole.is_dir() {
        // Several test processes may be at it: the first one to be done wins.
        let own = tempfile::tempdir_in(&all).unwrap();
        let unpacked = Command::new("tar")
            .arg("-xJf")
            .arg(&archive)
            .arg("-C")
            .arg(own.path())
            .output()
            .unwrap();
        assert!(
            unpacked.status.success(),
            "tar: {}",
            String::from_utf8_lossy(&unpacked.stderr)
        );
        let _ = std::fs::rename(own.path().join(tree), &whole);
    }
    whole
}

/// A recorded tree that is being served. Its user is `admin`, the password `password`.
pub struct Mockup {
    /// `https://127.0.0.1:PORT` or `http://…`.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    /// Holds its certificate and the list of faults.
    _dir: tempfile::TempDir,
}

/// A request that a mockup has answered.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Number of the connection it came over.
    pub conn: u64,
    pub method: String,
    pub path: String,
    /// `none`, `basic`, `token`, `login`.
    pub auth: String,
    pub if_match: Option<String>,
    pub status: u64,
    /// The body, passwords masked.
    pub body: Value,
}

impl Mockup {
    /// Unpacks and serves `tree` (`dell_r750_idrac9_6_00`) with `options` of serve_mockup.py, blanks between them. `None`
    /// when something is missing (which is said).
    pub fn start(tree: &str, options: &str) -> Option<Self> {
        Self::with_faults(tree, options, &Value::Null)
    }

    /// The same with a list of faults (`--faults`).
    pub fn with_faults(tree: &str, options: &str, faults: &Value) -> Option<Self> {
        let corpora = corpora()?;
        let python = oracle("python3")?;
        oracle("xz")?;
        if options.contains("--https") {
            oracle("openssl")?;
        }
        let unpacked = unpack(&corpora, tree);
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        command
            .arg(corpora.join("serve_mockup.py"))
            .arg("--dir")
            .arg(unpacked)
            .args(["--port", "0"])
            .args(options.split_whitespace())
            // The certificate that it makes goes where it is cleaned up.
            .env("TMPDIR", dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if !faults.is_null() {
            let file = dir.path().join("faults.json");
            std::fs::write(&file, faults.to_string()).unwrap();
            command.arg("--faults").arg(file);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| {
            let _ = child.kill();
            panic!("serve_mockup.py does not start: {e}: {line}")
        });
        let port = ready["port"].as_u64().unwrap();
        Some(Self {
            url: ready["url"].as_str().unwrap().to_owned(),
            address: format!("127.0.0.1:{port}").parse().unwrap(),
            child,
            _dir: dir,
        })
    }

    /// All requests so far, in their order.
    pub fn log(&self) -> Vec<Logged> {
        let log = self.control("/__log", None);
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let of = |v: &Value| Logged {
            conn: v["conn"].as_u64().unwrap(),
            method: text(&v["method"]),
            path: text(&v["path"]),
            auth: text(&v["auth"]),
            if_match: v["if_match"].as_str().map(str::to_owned),
            status: v["status"].as_u64().unwrap(),
            body: v["body"].clone(),
        };
        log.as_array().unwrap().iter().map(of).collect()
    }

    /// The requests that were not reads, without logins and logouts.
    pub fn writes(&self) -> Vec<Logged> {
        let mut log = self.log();
        log.retain(|r| r.method != "GET" && r.method != "HEAD" && !r.path.contains("/Sessions"));
        log
    }

    /// Sessions that were opened and not deleted.
    pub fn sessions_left(&self) -> i64 {
        let log = self.log();
        let sessions = log.iter().filter(|r| r.path.contains("/Sessions"));
        sessions
            .map(|r| match (r.method.as_str(), r.status) {
                ("POST", 201) => 1,
                ("DELETE", 200 | 204) => -1,
                _ => 0,
            })
            .sum()
    }

    /// Forgets what was written, the sessions and the log.
    pub fn reset(&self) {
        self.control("/__reset", Some(json!({})));
    }

    /// Changes a resource behind the scenes.
    pub fn change(&self, path: &str, body: &Value) {
        self.control("/__patch", Some(json!({"path": path, "body": body})));
    }

    /// A resource as it is now.
    pub fn state(&self, path: &str) -> Value {
        self.control(&format!("/__state{path}"), None)
    }

    fn control(&self, path: &str, body: Option<Value>) -> Value {
        let client = Client::new(&self.url, self.address, &Config::default()).unwrap();
        let mut request = Request::new("GET".parse().unwrap(), path);
        if let Some(body) = body {
            request.method = "POST".parse().unwrap();
            request.body = Some(body.to_string().into_bytes().into());
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        let reply = client.send(request, deadline).unwrap();
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
    }
}

impl Drop for Mockup {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::io::stderr().flush();
    }
}
