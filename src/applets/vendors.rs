//! `halbox vendors`: what is overwritten for which vendor and why, and on which machines that was tried.

mod machines;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;

use super::common::exit::Failure;
use super::common::output::{self, Output};
use super::common::table::{Table, column, wide};
use crate::hal::vendors::{self, Level, Vendor, show};

/// Its command line.
pub fn command() -> Command {
    let command = Command::new("vendors")
        .long_about(
            "Lists what halbox does differently for single vendors, classes of firmware and models. Most oddities of BMCs \
             show by their symptom and need no entry; a vendor that is not listed gets the drivers as they are.",
        )
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("show")
                .about("What is overwritten for one of them, why, and where that was seen")
                .arg(
                    Arg::new("NAME")
                        .required(true)
                        .ignore_case(true)
                        .value_parser(vendors::vendors().map(|v| v.name).collect::<Vec<_>>())
                        .help("Its name in the list"),
                ),
        )
        .arg(
            Arg::new("verified")
                .long("verified")
                .action(ArgAction::SetTrue)
                .help("List machines: driver, operations, and the evidence that they work (hardware, recording, simulated, documented)"),
        )
        .arg(
            Arg::new("markdown")
                .long("markdown")
                .action(ArgAction::SetTrue)
                .requires("verified")
                .hide(true),
        );
    let command = output::args(command);
    let options: Vec<String> = ["output", "template", "no-headers"]
        .into_iter()
        .filter(|id| command.get_arguments().any(|a| a.get_id() == id))
        .map(str::to_owned)
        .collect();
    options.into_iter().fold(command, |command, id| {
        command.mut_arg(id, |arg| arg.global(true))
    })
}

/// Runs the applet.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    if let Some(("show", inner)) = matches.subcommand() {
        let name = inner
            .get_one::<String>("NAME")
            .map(|n| n.to_ascii_lowercase());
        let one = vendors::vendors().find(|v| Some(v.name) == name.as_deref());
        let one = one.ok_or_else(|| Failure::usage("there is no such vendor"))?;
        let entry = Entry::of(one);
        return Output::from_matches(inner)?.print(&entry, "", || entry.table());
    }
    let output = Output::from_matches(matches)?;
    if matches.get_flag("verified") {
        let list = machines::list()?;
        if matches.get_flag("markdown") {
            return output::text(&machines::markdown(&list));
        }
        return output.print(&list, "machines", || machines::table(&list));
    }
    let list = List {
        vendors: vendors::vendors().map(Entry::of).collect(),
    };
    output.print(&list, "vendors", || list.table())
}

#[derive(Serialize)]
struct List {
    vendors: Vec<Entry>,
}

/// A vendor as it is shown.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    about: &'static str,
    /// `class`, `vendor` or `model`.
    level: &'static str,
    overwrites: Vec<Overwrite>,
    /// Known and minded for everyone.
    notes: &'static [&'static str],
}

/// One thing that is overwritten.
#[derive(Serialize)]
struct Overwrite {
    protocol: &'static str,
    flag: String,
    /// `null` for a slot that is replaced.
    value: Option<String>,
    why: String,
    seen_on: String,
}

impl Entry {
    fn of(vendor: &'static Vendor) -> Self {
        let redfish = show::redfish_changes(vendor);
        let ipmi = show::ipmi_changes(vendor);
        let mut overwrites: Vec<Overwrite> = Vec::new();
        for (protocol, changes) in [("Redfish", &redfish), ("IPMI", &ipmi)] {
            for (flag, value) in changes {
                overwrites.push(Overwrite::of(vendor, protocol, flag, Some(value.clone())));
            }
        }
        let set = |flag: &str| overwrites.iter().any(|o| o.flag == flag);
        let slots: Vec<_> = vendor
            .why
            .iter()
            .map(|w| w.flag)
            .filter(|f| !set(f))
            .collect();
        overwrites.extend(
            slots
                .into_iter()
                .map(|slot| Overwrite::of(vendor, "both", slot, None)),
        );
        Self {
            name: vendor.name,
            about: vendor.about,
            level: match vendor.level {
                Level::Class => "class",
                Level::Vendor => "vendor",
                Level::Model => "model",
            },
            overwrites,
            notes: vendor.notes,
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            column("PROTOCOL"),
            column("FLAG"),
            column("VALUE"),
            column("WHY"),
            column("SEEN ON"),
        ]);
        for o in &self.overwrites {
            let value = o.value.clone().unwrap_or_else(|| "replaced".to_owned());
            table.row([
                o.protocol.to_owned(),
                o.flag.clone(),
                value,
                o.why.clone(),
                o.seen_on.clone(),
            ]);
        }
        for note in self.notes {
            table.row(["any", "", "for everyone", note, ""].map(str::to_owned));
        }
        table
    }
}

impl Overwrite {
    fn of(vendor: &Vendor, protocol: &'static str, flag: &str, value: Option<String>) -> Self {
        let why = vendor.why.iter().find(|w| w.flag == flag);
        // Quirks of IPMI have their reasons in their own list.
        let quirk = crate::hal::ipmi::quirks::all().find(|q| q.name == flag);
        let (why, seen_on) = match (why, quirk) {
            (Some(why), _) => (why.what.to_owned(), why.seen_on.to_owned()),
            (None, Some(quirk)) => (
                format!("{}: {}", quirk.symptom, quirk.action),
                quirk.hardware.to_owned(),
            ),
            (None, None) => (String::new(), String::new()),
        };
        Self {
            protocol,
            flag: flag.to_owned(),
            value,
            why,
            seen_on,
        }
    }
}

impl List {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            column("NAME"),
            column("LEVEL"),
            column("ABOUT"),
            column("OVERWRITES"),
            wide("NOTES"),
        ]);
        for entry in &self.vendors {
            let mut flags: Vec<&str> = Vec::new();
            for o in &entry.overwrites {
                if !flags.contains(&o.flag.as_str()) {
                    flags.push(&o.flag);
                }
            }
            table.row([
                entry.name.to_owned(),
                entry.level.to_owned(),
                entry.about.to_owned(),
                flags.join(", "),
                entry.notes.len().to_string(),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_overwritten_says_why() {
        command().debug_assert();
        for vendor in vendors::vendors() {
            let entry = Entry::of(vendor);
            for o in &entry.overwrites {
                assert!(
                    !o.why.is_empty() && !o.seen_on.is_empty(),
                    "{} {}",
                    entry.name,
                    o.flag
                );
            }
            let empty = entry.overwrites.is_empty() && entry.notes.is_empty();
            assert!(!empty, "{}", entry.name);
        }
    }

    #[test]
    fn values_can_be_read() {
        let dell = Entry::of(vendors::vendors().find(|v| v.name == "dell").unwrap());
        let slots = dell
            .overwrites
            .iter()
            .find(|o| o.flag == "accounts")
            .unwrap();
        assert_eq!(slots.value.as_deref(), Some("Slots { first: 3, last: 16 }"));
        let supermicro = Entry::of(vendors::vendors().find(|v| v.name == "supermicro").unwrap());
        let boot = supermicro
            .overwrites
            .iter()
            .find(|o| o.flag == "boot")
            .unwrap();
        assert_eq!((boot.protocol, boot.value.as_deref()), ("both", None));
        let disk = supermicro
            .overwrites
            .iter()
            .find(|o| o.flag == "uefi_disk_0x24")
            .unwrap();
        assert!(disk.why.contains("UEFI"));
    }
}
