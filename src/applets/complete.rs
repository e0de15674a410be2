//! BMCs on the command line, completed by the shell: the daemon is asked for those that begin with what is typed. Quick,
//! and silent where there is no daemon. What stands where is read from the one command line definition.

use std::io::Write;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use crate::api::client::{Client, Papers};
use crate::api::proto;
use crate::applets::serve::config::SOCKET;
use crate::hal::model::Secret;

/// The hidden command that the scripts of the shells call.
pub(super) const NAME: &str = "complete-bmc";

/// Nobody waits longer for a completion.
const PATIENCE: Duration = Duration::from_secs(1);

/// Its command line.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .hide(true)
        .about("BMCs that fit the last word of a command line")
        .arg(
            Arg::new("line")
                .value_name("LINE")
                .required(true)
                .allow_hyphen_values(true),
        )
}

/// Prints the BMCs that fit, one per line; nothing where none is wanted or the daemon does not answer.
pub(super) fn run(m: &ArgMatches, mut root: Command) {
    root.build();
    let line = m.get_one::<String>("line").map_or("", String::as_str);
    let Some(wanted) = Wanted::of(&root, line) else {
        return;
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    let list = runtime.block_on(async { tokio::time::timeout(PATIENCE, wanted.list()).await });
    let mut out = std::io::stdout().lock();
    for name in list.ok().flatten().unwrap_or_default() {
        // A shell that went away needs no completion.
        if writeln!(out, "{name}").is_err() {
            return;
        }
    }
}

/// What is completed.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    begins: String,
    server: Option<String>,
}

impl Wanted {
    /// The last word of the line, if it names a BMC of the table.
    fn of(root: &Command, line: &str) -> Option<Self> {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let begins = if line.ends_with(char::is_whitespace) {
            ""
        } else {
            words.pop()?
        };
        let (program, words) = words.split_first()?;
        let mut command = root;
        if let Some(applet) = program
            .rsplit('/')
            .next()
            .and_then(|name| name.strip_prefix("halbox-"))
        {
            command = command.find_subcommand(applet)?;
        }
        let mut server = None;
        let mut words = words.iter().peekable();
        let mut option = None;
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--") {
                let (name, given) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (long, None),
                };
                let arg = command.get_arguments().find(|a| a.get_long() == Some(name));
                let Some(arg) = arg.filter(|a| a.get_action().takes_values()) else {
                    continue;
                };
                let value = given.or_else(|| words.next().copied());
                if name == "server" {
                    server = value.map(str::to_owned);
                }
                if value.is_none() {
                    option = Some(arg.get_id().as_str());
                }
            } else if let Some(short) = word.strip_prefix('-').filter(|s| !s.is_empty()) {
                let last = short.chars().last();
                let arg = command.get_arguments().find(|a| a.get_short() == last);
                let takes = arg.is_some_and(|a| a.get_action().takes_values());
                if takes && short.chars().count() == 1 && words.next().is_none() {
                    option = arg.map(|a| a.get_id().as_str());
                }
            } else if let Some(inner) = command.find_subcommand(word) {
                command = inner;
            }
        }
        let takes = |id: &str| command.get_arguments().any(|a| a.get_id() == id);
        let here = match option {
            Some(option) => option == "bmc",
            // A word of its own: only where BMCs are words.
            None => {
                !begins.starts_with('-')
                    && !command.has_subcommands()
                    && command.get_positionals().any(|a| a.get_id() == "bmc")
            }
        };
        (here && takes("bmc")).then(|| Self {
            begins: begins.to_owned(),
            server,
        })
    }

    /// MACs; machines and addresses as well where something is typed.
    async fn list(&self) -> Option<Vec<String>> {
        let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let server = self.server.clone().or_else(|| env("HALBOX_SERVER"));
        let server = server.unwrap_or_else(|| format!("unix://{SOCKET}"));
        let read = |name: &str| env(name).and_then(|path| std::fs::read(path).ok());
        let papers = Papers {
            ca: read("HALBOX_CA"),
            certificate: read("HALBOX_CERT").zip(read("HALBOX_KEY").map(Secret::new)),
            token: env("HALBOX_TOKEN_FILE").and_then(|path| {
                super::common::credentials::first_line(std::path::Path::new(&path)).ok()
            }),
        };
        let client = Client::connect_as(&server, &papers).await.ok()?;
        let request = proto::ListRequest::default();
        let mut rows = client.inventory().list(request).await.ok()?.into_inner();
        let begins = self.begins.to_ascii_lowercase();
        let mac = begins.replace('-', ":");
        let mut out = Vec::new();
        while let Some(row) = rows.message().await.ok()? {
            if row.mac.starts_with(&mac) {
                out.push(row.mac);
            }
            if begins.is_empty() {
                continue;
            }
            let others = [row.machine_id, row.address];
            out.extend(
                others
                    .into_iter()
                    .flatten()
                    .filter(|name| name.to_ascii_lowercase().starts_with(&begins)),
            );
        }
        Some(out)
    }
}

/// The shell's script, which asks us for BMCs.
pub(super) fn with_bmcs(shell: Shell, script: &str) -> String {
    match shell {
        // A BMC is a positional argument or the value of --bmc.
        Shell::Zsh => {
            let script = script
                .lines()
                .map(|line| {
                    let bmc = line.contains("::bmc -- ") || line.contains("'*--bmc=");
                    if bmc {
                        line.replace(":_default'", ":_halbox_bmcs'")
                    } else {
                        line.to_owned()
                    }
                })
                .collect::<Vec<_>>()
                .join("\n");
            // Before the rest: loaded as a file, the script ends by completing.
            script.replacen('\n', ZSH, 1)
        }
        Shell::Fish => format!("{script}{FISH}"),
        _ => format!("{script}{BASH}"),
    }
}

const BASH: &str = r#"
# BMCs of the daemon's table, beside the options. A MAC has colons, at which bash breaks words.
_halbox_bmcs() {
    _halbox "$@"
    local line=${COMP_LINE:0:COMP_POINT} word bmc
    word=${line##*[[:space:]=]}
    local before=
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && before=${word%"${word##*:}"}
    local bmcs=()
    while IFS= read -r bmc; do
        bmcs+=("${bmc#"$before"}")
    done < <("${COMP_WORDS[0]}" complete-bmc "${line/%=$word/ $word}" 2>/dev/null)
    ((${#bmcs[@]})) && COMPREPLY=("${bmcs[@]}")
    return 0
}
complete -F _halbox_bmcs -o bashdefault -o default halbox halbox-bmc
"#;

const ZSH: &str = r#"
# BMCs of the daemon's table.
_halbox_bmcs() {
    local -a bmcs
    bmcs=(${(f)"$(${(Q)${(z)LBUFFER}[1]} complete-bmc "$LBUFFER" 2>/dev/null)"})
    compadd -a bmcs
}

"#;

const FISH: &str = r#"
# BMCs of the daemon's table.
function __halbox_bmcs
    set -l words (commandline -opc)
    $words[1] complete-bmc (commandline -cp) 2>/dev/null
end
complete -c halbox -n "__fish_seen_subcommand_from bmc" -f -a "(__halbox_bmcs)"
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applets::{APPLETS, root};

    fn wanted(line: &str) -> Option<String> {
        let mut root = root(APPLETS);
        root.build();
        Wanted::of(&root, line).map(|w| w.begins)
    }

    #[test]
    fn bmcs_are_completed_where_they_stand() {
        for (line, want) in [
            ("halbox bmc power status ", Some("")),
            ("halbox bmc power status ac:1f", Some("ac:1f")),
            ("/usr/bin/halbox bmc -v describe a b", Some("b")),
            ("halbox-bmc power status ac", Some("ac")),
            ("halbox bmc --server unix:///x update ac", Some("ac")),
            ("halbox bmc user delete metal --bmc ac", Some("ac")),
            ("halbox bmc update --ipmi-user ac", None),
            ("halbox bmc power status -o j", None),
            ("halbox bmc power status --ti", None),
            ("halbox bmc power ", None),
            ("halbox bmc ", None),
            ("halbox probe ac", None),
            ("halbox bmc user delete ", None),
            ("halbox", None),
            ("", None),
        ] {
            assert_eq!(wanted(line).as_deref(), want, "{line}");
        }
    }
}
