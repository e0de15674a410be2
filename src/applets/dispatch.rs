//! Which applet a command line means: by the exact file name in argv\[0\], else by the first argument.
//!
//! clap's own multicall mode takes the file stem and so misreads `halbox-1.2`; suffix rules would turn `myprobe`
//! into `probe`. Here only the names of the table count, and everything else is the main program.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::Applet;

/// Rewrites `argv` to `halbox [APPLET] ARGUMENTS...`.
pub(super) fn route(applets: &[Applet], argv: Vec<OsString>) -> Vec<OsString> {
    let mut argv = argv.into_iter();
    let link = argv.next().unwrap_or_default();
    let name = Path::new(&link).file_name().unwrap_or(OsStr::new(""));
    let applet = applets
        .iter()
        .find(|a| a.links.iter().any(|link| OsStr::new(link) == name));
    std::iter::once(OsString::from("halbox"))
        .chain(applet.map(|a| OsString::from(a.name)))
        .chain(argv)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;

    static TABLE: &[Applet] = &[
        Applet {
            name: "probe",
            links: &["halbox-probe"],
            about: "",
            command: |_| Command::new("probe"),
            run: |_| Ok(()),
        },
        Applet {
            name: "serve",
            links: &["halbox-serve", "metal-bmc"],
            about: "",
            command: |_| Command::new("serve"),
            run: |_| Ok(()),
        },
    ];

    fn routed(line: &[&str]) -> Vec<String> {
        route(TABLE, line.iter().map(OsString::from).collect())
            .into_iter()
            .map(|a| a.into_string().unwrap())
            .collect()
    }

    #[test]
    fn exact_link_names_pick_the_applet() {
        assert_eq!(
            routed(&["halbox-probe", "1.2.3.4"]),
            ["halbox", "probe", "1.2.3.4"]
        );
        assert_eq!(routed(&["/usr/bin/metal-bmc"]), ["halbox", "serve"]);
        assert_eq!(
            routed(&["./halbox-probe", "--help"]),
            ["halbox", "probe", "--help"]
        );
    }

    #[test]
    fn everything_else_is_the_main_program() {
        for name in [
            "halbox",
            "halbox-1.2",
            "",
            "-halbox",
            "/opt/myprobe",
            "halbox-probe.old",
            "..",
            "-halbox-probe",
        ] {
            assert_eq!(
                routed(&[name, "probe", "x"]),
                ["halbox", "probe", "x"],
                "{name}"
            );
        }
        assert_eq!(routed(&[]), ["halbox"]);
    }
}
