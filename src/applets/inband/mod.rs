//! `halbox inband-init`: makes the machine that it runs on manageable, and tells the daemon.

mod document;
mod hand;
mod options;
mod redfish;
mod register;
mod server;
mod work;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use clap::{ArgMatches, Command};

use super::common::exit::Failure;
use super::common::output::{Output, printable};
use super::common::process;
use crate::hal::inband::Machine;
use crate::hal::model::Cx;

/// Command line of the applet.
pub fn command() -> Command {
    server::args(options::args(Command::new("inband-init"))).after_long_help(AFTER_HELP)
}

/// Runs the applet.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let output = Output::from_matches(matches)?;
    let options = options::Options::from_matches(matches)?;
    process::block_on(1, |cancel| async move {
        let cx = Cx::until(Instant::now() + options.timeout).with_cancel(cancel);
        let machine = Machine::read(Path::new("/"));
        let access = server::find(matches, cx.deadline).await?;
        let print = |document: &document::Document| output.print(document, "", || document.table());
        let (document, failure) = work::run(&options, access.as_ref(), &cx, machine, &print).await;
        if let Some(document) = document {
            print(&document)?;
        }
        failure.map_or(Ok(()), Err)
    })
}

/// Progress, for people and the console's log.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "halbox: {}", printable(text));
}

const AFTER_HELP: &str = "\
Runs as root on the machine itself and talks to its BMC through /dev/ipmi0; no other IPMI program is needed. It finds the \
LAN channel, makes the user (name, password), turns on what the channel needs, hands the password over, and only then makes \
an administrator of the user and lets it in. Interrupted before, it leaves no administrator; interrupted after, somebody has \
the password; the next run finishes.

A user of that name that can log in is left alone and reported with created: false; --rotate (or --take-over, where it is \
somebody else's) gives it a new password, which cannot be read back.

With a server the password goes to the daemon, which puts it aside before the user is let in and logs in with it \
afterwards; it is printed only when no daemon took it. Without one the document is printed just before the last writes (so \
they are not among its changes): when these fail, the exit code says so. With --verify-lan the login is tried before, as a \
user without privileges.

A Dell's user has no role in Redfish by IPMI alone, and some BMCs have IPMI over LAN off for good: where SMBIOS names a \
Redfish host interface (type 42) that is up, the role is given, or the user made, over that; what cannot be done is said.

The server and its certificates come from the options, else HALBOX_SERVER, HALBOX_CA, HALBOX_CERT, HALBOX_KEY, \
HALBOX_TOKEN_FILE, else the kernel command line (halbox.server=, halbox.ca=, halbox.cert=, halbox.key=, halbox.token=), \
else the JSON at PIXIE_API_URL of the kernel command line.

Exit codes: 0 manageable (or a virtual machine without a BMC); 1 it could not be made manageable; 2 wrong usage; 3 no \
device, or the BMC or the server does not answer; 4 refused; 5 the BMC cannot do it; 130 interrupted.

Examples:
  halbox inband-init --server https://10.0.0.1:4443 --ca ca.pem --token-file token
  halbox inband-init --show
  halbox inband-init --dry-run --user metal";
