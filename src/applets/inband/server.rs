//! Which daemon: from the options, HALBOX_* variables, the kernel command line, or the JSON of PIXIE_API_URL. The first that
//! names a server decides; its certificates come from the same place, what it lacks from the next.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::Value;

use crate::api::client::registration::Access;
use crate::applets::common::credentials::first_line;
use crate::applets::common::exit::Failure;
use crate::hal::model::Secret;
use crate::hal::transport::http::{Client, Config};
use crate::hal::transport::resolve::lookup;
use crate::hal::{Error, Kind, Result};

/// Largest file or document that is read.
const LIMIT: u64 = 1 << 20;

/// Where the parts come from: a file, or the text itself.
#[derive(Debug, Clone, Default)]
struct Source {
    server: Option<String>,
    ca: Option<Part>,
    cert: Option<Part>,
    key: Option<Part>,
    token: Option<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    File(PathBuf),
    Text(Secret),
}

/// The options.
pub(super) fn args(command: Command) -> Command {
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help_heading("Server")
            .help(help)
    };
    command
        .arg(
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .help_heading("Server")
                .help(
                    "Daemon to ask and to tell: https://host:port or unix:///path [default: none]",
                ),
        )
        .arg(file(
            "ca",
            "Certificates that the server's is signed by (PEM)",
        ))
        .arg(file("cert", "Our certificate (PEM)").requires("key"))
        .arg(file("key", "Its key (PEM)").requires("cert"))
        .arg(file("token-file", "Token instead of a certificate"))
}

/// The daemon, if any source names one.
pub(super) async fn find(
    matches: &ArgMatches,
    deadline: Instant,
) -> Result<Option<Access>, Failure> {
    let file = |name: &str| matches.get_one::<PathBuf>(name).cloned().map(Part::File);
    let options = Source {
        server: matches.get_one::<String>("server").cloned(),
        ca: file("ca"),
        cert: file("cert"),
        key: file("key"),
        token: file("token-file"),
    };
    let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let path = |name: &str| env(name).map(|v| Part::File(v.into()));
    let environment = Source {
        server: env("HALBOX_SERVER"),
        ca: path("HALBOX_CA"),
        cert: path("HALBOX_CERT"),
        key: path("HALBOX_KEY"),
        token: path("HALBOX_TOKEN_FILE"),
    };
    let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let mut sources = vec![options, environment, kernel(&line)];
    if sources.iter().all(|s| s.server.is_none())
        && let Some(url) = word(&line, "PIXIE_API_URL")
    {
        let document = fetch(&url, deadline)
            .await
            .map_err(|e| e.context(format!("reading the configuration at {url}")))?;
        sources.push(pixie(&document));
    }
    merge(sources).map(access).transpose()
}

/// The first source that names a server, and what it lacks from those behind it.
fn merge(sources: Vec<Source>) -> Option<Source> {
    let mut sources = sources.into_iter().skip_while(|s| s.server.is_none());
    let mut found = sources.next()?;
    for next in sources {
        found.ca = found.ca.or(next.ca);
        // A certificate and its key belong together, and a token replaces both.
        if found.cert.is_none() && found.token.is_none() {
            (found.cert, found.key, found.token) = (next.cert, next.key, next.token);
        }
    }
    Some(found)
}

fn access(source: Source) -> Result<Access, Failure> {
    let text = |part: Option<Part>| part.map(|p| bytes(&p)).transpose();
    let (cert, key) = (text(source.cert)?, text(source.key)?);
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert.expose().to_vec(), key)),
        (None, None) => None,
        _ => {
            return Err(Failure::usage(
                "a certificate and its key are needed, not only one of them",
            ));
        }
    };
    let token = match source.token {
        Some(Part::File(path)) => Some(first_line(&path)?),
        Some(Part::Text(token)) => Some(token),
        None => None,
    };
    Ok(Access {
        server: source.server.unwrap_or_default(),
        ca: text(source.ca)?.map(|ca| ca.expose().to_vec()),
        identity,
        token,
    })
}

fn bytes(part: &Part) -> Result<Secret, Failure> {
    use std::io::Read as _;
    match part {
        Part::Text(text) => Ok(text.clone()),
        Part::File(path) => {
            let failed = |e: std::io::Error| Failure::usage(format!("{}: {e}", path.display()));
            let mut out = Vec::new();
            let file = std::fs::File::open(path).map_err(failed)?;
            file.take(LIMIT).read_to_end(&mut out).map_err(failed)?;
            Ok(Secret::new(out))
        }
    }
}

/// The value of a word `name=value`.
fn word(line: &str, name: &str) -> Option<String> {
    let mut values = line.split_whitespace().filter_map(|w| w.split_once('='));
    let found = values.find_map(|(n, v)| (n == name).then(|| v.trim_matches('"').to_owned()));
    found.filter(|v| !v.is_empty())
}

/// The kernel command line: everybody on the machine can read it, so certificates and keys are files there.
fn kernel(line: &str) -> Source {
    let file = |name: &str| word(line, name).map(|v| Part::File(v.into()));
    Source {
        server: word(line, "halbox.server"),
        ca: file("halbox.ca"),
        cert: file("halbox.cert"),
        key: file("halbox.key"),
        token: word(line, "halbox.token").map(|t| Part::Text(Secret::new(t))),
    }
}

/// metal-hammer's configuration: what is ours stands under `halbox`; certificates are those of the whole document when it
/// has none of its own.
fn pixie(document: &Value) -> Source {
    let own = document.get("halbox").unwrap_or(&Value::Null);
    let text = |from: &Value, name: &str| {
        let text = from.get(name).and_then(Value::as_str).unwrap_or("");
        (!text.is_empty()).then(|| text.to_owned())
    };
    let part = |name: &str| text(own, name).map(|t| Part::Text(Secret::new(t)));
    let shared = |name: &str| {
        part(name).or_else(|| text(document, name).map(|t| Part::Text(Secret::new(t))))
    };
    let token = part("token");
    let identity = |name: &str| {
        if token.is_some() {
            part(name)
        } else {
            shared(name)
        }
    };
    Source {
        server: text(own, "server"),
        ca: shared("ca_cert"),
        cert: identity("cert"),
        key: identity("key"),
        token,
    }
}

/// Reads a JSON document over HTTP.
async fn fetch(url: &str, deadline: Instant) -> Result<Value> {
    let bad = |why: &str| Error::new(Kind::Config, why.to_owned());
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| bad("PIXIE_API_URL is no http:// URL"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (
            name,
            port.parse()
                .map_err(|_| bad("PIXIE_API_URL has no such port"))?,
        ),
        None => (host, 80),
    };
    let address = lookup(name.trim_matches(['[', ']']), port).await?;
    let config = Config {
        max_body: LIMIT,
        ..Config::default()
    };
    let client = Client::new(&format!("http://{host}"), address, &config)?;
    client.connect(deadline).await?;
    let reply = client.fetch(&format!("/{path}"), deadline).await?;
    if reply.status != 200 {
        return Err(bad(&format!("HTTP status {}", reply.status)));
    }
    serde_json::from_slice(&reply.body)
        .map_err(|e| Error::new(Kind::Protocol, "its JSON").with_source(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(part: Option<&Part>) -> Option<String> {
        part.map(|p| match p {
            Part::File(path) => path.display().to_string(),
            Part::Text(text) => String::from_utf8_lossy(text.expose()).into_owned(),
        })
    }

    #[test]
    fn the_kernel_command_line() {
        let source = kernel(
            "console=ttyS0 halbox.server=https://10.0.0.1:4443 halbox.ca=/ca.pem halbox.token=abc quiet",
        );
        assert_eq!(source.server.as_deref(), Some("https://10.0.0.1:4443"));
        assert_eq!(text(source.ca.as_ref()).as_deref(), Some("/ca.pem"));
        assert_eq!(text(source.token.as_ref()).as_deref(), Some("abc"));
        assert!(kernel("halbox.servers=x halbox.server=").server.is_none());
    }

    #[test]
    fn the_json_of_pixiecore() {
        let document = serde_json::json!({
            "address": "api:50051", "ca_cert": "CA", "cert": "CERT", "key": "KEY",
            "halbox": {"server": "https://halbox:4443"},
        });
        let source = pixie(&document);
        assert_eq!(source.server.as_deref(), Some("https://halbox:4443"));
        assert_eq!(text(source.cert.as_ref()).as_deref(), Some("CERT"));
        let source = pixie(
            &serde_json::json!({"cert": "C", "key": "K", "ca_cert": "CA", "halbox": {"server": "s", "token": "t", "ca_cert": "own"}}),
        );
        assert!(source.cert.is_none() && source.key.is_none());
        assert_eq!(text(source.ca.as_ref()).as_deref(), Some("own"));
        assert!(
            pixie(&serde_json::json!({"ca_cert": 3, "halbox": []}))
                .server
                .is_none()
        );
    }

    #[test]
    fn the_first_that_names_a_server_decides() {
        let part = |t: &str| Some(Part::Text(Secret::new(t)));
        let one = Source {
            ca: part("one"),
            ..Source::default()
        };
        let two = Source {
            server: Some("two".to_owned()),
            token: part("token"),
            ..Source::default()
        };
        let three = Source {
            server: Some("three".to_owned()),
            ca: part("three"),
            cert: part("c"),
            key: part("k"),
            ..Source::default()
        };
        let found = merge(vec![one, two, three]).unwrap();
        assert_eq!(found.server.as_deref(), Some("two"));
        assert_eq!(text(found.ca.as_ref()).as_deref(), Some("three"));
        assert!(found.cert.is_none(), "a token needs no certificate");
        assert!(merge(vec![Source::default()]).is_none());
    }
}
