//! Words that have one place: printing, sockets, clocks, randomness, unsafe.

use super::source::product;

/// A word, where it may stand (prefixes of paths), and why not elsewhere.
struct Rule {
    words: &'static [&'static str],
    /// Only files below these are looked at; empty = all.
    within: &'static [&'static str],
    /// Files in which the words may stand.
    except: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        words: &[
            "println!",
            "eprintln!",
            "print!(",
            "eprint!(",
            "dbg!(",
            "io::stdout",
            "io::stderr",
            "clap::",
            "process::exit",
            "ExitCode",
        ],
        within: &[],
        except: &["src/applets/", "src/main.rs"],
        why: "clap, printing and exit codes live only in src/applets",
    },
    Rule {
        words: &[
            "Instant::now",
            "SystemTime",
            "std::thread",
            "thread::spawn",
            "tokio::",
            "getrandom",
            "std::env",
            "std::fs",
            "UdpSocket",
            "TcpStream",
            "TcpListener",
            "std::process",
        ],
        within: &["src/hal/ipmi/"],
        except: &["src/hal/ipmi/learnt.rs"],
        why: "hal/ipmi is sans-IO: no socket, clock, thread, RNG, file or environment; time and randomness are arguments",
    },
    Rule {
        words: &[
            "UdpSocket",
            "TcpStream",
            "TcpListener",
            "tokio::net",
            "socket2::",
            "nix::sys::socket",
            "ureq::",
        ],
        within: &[],
        except: &[
            "src/hal/transport/",
            "src/hal/sim/",
            "src/api/",
            "src/applets/common/targets.rs",
        ],
        why: "I/O lives in hal/transport, in the API and in the simulator",
    },
    Rule {
        words: &["SystemTime::now", "SystemTime::UNIX_EPOCH"],
        within: &[
            "src/hal/caps",
            "src/hal/model",
            "src/hal/drivers",
            "src/hal/vendors",
            "src/hal/transport",
            "src/hal/bmc.rs",
        ],
        // The order of a GUID's bytes is guessed from the year in it.
        except: &["src/hal/drivers/ipmi/identity.rs"],
        why: "wall-clock time is an argument",
    },
    Rule {
        words: &["rusqlite"],
        within: &[],
        except: &["src/inventory/"],
        why: "SQL lives in the store",
    },
    Rule {
        words: &["serde_yaml"],
        within: &[],
        except: &[
            "src/applets/common/output.rs",
            "src/applets/common/input.rs",
        ],
        why: "serde_yaml is archived: one place for each direction, so that it can be replaced",
    },
    Rule {
        words: &["std::thread::sleep", "thread::sleep", "block_in_place"],
        within: &[],
        except: &[],
        why: "waiting is async, for an event or until a time",
    },
    Rule {
        words: &["unsafe ", "unsafe_code"],
        within: &[],
        except: UNSAFE,
        why: "unsafe code stands only in the files that this test lists",
    },
    Rule {
        words: &["todo!", "unimplemented!", "FIXME", "XXX"],
        within: &[],
        except: &[],
        why: "unfinished work is not committed",
    },
];

/// The files with unsafe code.
const UNSAFE: &[&str] = &["src/hal/transport/kcs/ioctl.rs"];

#[test]
fn words_stand_only_where_they_belong() {
    let mut wrong = Vec::new();
    for source in product() {
        let below = |list: &[&str]| list.iter().any(|p| source.path.starts_with(p));
        for rule in RULES {
            if below(rule.except) || (!rule.within.is_empty() && !below(rule.within)) {
                continue;
            }
            for word in rule.words {
                if source.code.contains(word) {
                    wrong.push(format!("{}: '{word}': {}", source.path, rule.why));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn exceptions_are_still_needed() {
    for path in UNSAFE {
        let source = product().into_iter().find(|s| s.path == *path);
        let source = source.unwrap_or_else(|| panic!("{path} is listed and does not exist"));
        assert!(
            source.code.contains("unsafe "),
            "{path} has no unsafe code any more"
        );
        assert!(
            source.text.contains("// SAFETY: "),
            "{path} does not say why it is sound"
        );
    }
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = product()
        .into_iter()
        .filter(|s| !s.text.starts_with("//!"))
        .map(|s| s.path)
        .collect();
    assert!(silent.is_empty(), "no module doc: {silent:?}");
}
