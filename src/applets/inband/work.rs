//! The run: look, make, verify, register; the document says how far it came.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use super::document::Document;
use super::hand::{Hand, Print, Where};
use super::options::{Options, Task};
use super::{register, say};
use crate::api::client::registration::{Access, Registration};
use crate::applets::common::exit::Failure;
use crate::hal::inband::{self, Existing, Found, Journal, Machine, Order};
use crate::hal::model::Cx;
use crate::hal::transport::Kcs;
use crate::hal::{Error, Kind, Result};

/// Runs it. The document is what is printed, the failure what the process ends with.
pub(super) async fn run(
    options: &Options,
    access: Option<&Access>,
    cx: &Cx,
    machine: Machine,
    print: Print<'_>,
) -> (Option<Document>, Option<Failure>) {
    let mut document = Document::of(&machine, &options.user);
    // Only a run that changes something has something to ask and to tell.
    let asks = options.task == Task::Init && !options.dry_run;
    let mut daemon = None;
    let mut known = None;
    if let Some(access) = access.filter(|_| asks) {
        match register::ask(access, cx, &machine).await {
            Ok((registration, lookup)) => (daemon, known) = (Some(registration), lookup),
            // Nothing was changed yet: a password that nobody takes helps nobody.
            Err(error) => return (None, Some(error.into())),
        }
    }
    if let Some(lookup) = known.as_ref().filter(|l| l.manageable && !options.rotate) {
        say("already manageable: the daemon knows this machine and can log in");
        document.registered = true;
        document.bmc.mac = lookup.mac.as_deref().and_then(|mac| mac.parse().ok());
        if let Some(user) = &lookup.user {
            document.ipmi.user.clone_from(user);
        }
        return (Some(document), None);
    }
    let ours = known
        .as_ref()
        .is_some_and(|l| l.user.as_deref() == Some(options.user.as_str()));
    let run = Run {
        options,
        cx,
        machine: &machine,
        daemon: daemon.as_ref(),
        ours,
        print,
    };
    let mut gone = Where::Here;
    let failure = match run.work(&mut document, &mut gone).await {
        Ok(()) => None,
        // No BMC was found: there is nothing to tell.
        Err(error) if document.bmc.mac.is_none() => return (None, Some(error.into())),
        Err(error) => {
            document.error = Some(error.chain());
            Some(Failure::from(error))
        }
    };
    if let Some(daemon) = &daemon
        && let Err(error) = register::tell(daemon, cx, &machine, &mut document).await
    {
        // The password is printed then, unless the daemon has put it aside: nobody else has it.
        if gone == Where::Daemon {
            document.hush();
        }
        return (
            Some(document),
            Some(failure.unwrap_or_else(|| error.into())),
        );
    }
    (Some(document).filter(|_| gone != Where::Printed), failure)
}

/// What a run goes by.
pub(super) struct Run<'a> {
    pub(super) options: &'a Options,
    pub(super) cx: &'a Cx,
    pub(super) machine: &'a Machine,
    pub(super) daemon: Option<&'a Registration>,
    ours: bool,
    pub(super) print: Print<'a>,
}

impl Run<'_> {
    /// Everything between the daemon's two parts.
    async fn work(&self, document: &mut Document, gone: &mut Where) -> Result<()> {
        let Self {
            options,
            cx,
            machine,
            ..
        } = *self;
        if options.unmanaged {
            unmanaged(document, machine);
            return Ok(());
        }
        let opened = match &options.device {
            Some(path) => Kcs::at(path),
            None => Kcs::open(),
        };
        let kcs = match opened {
            Ok(kcs) => kcs,
            Err(error)
                if machine.is_virtual
                    && error.kind() == Kind::Unreachable
                    && options.task == Task::Init =>
            {
                say("a virtual machine without a BMC");
                unmanaged(document, machine);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let journal = Journal::new(&kcs, options.dry_run, &say);
        let found = inband::look(&journal, cx).await?;
        document.found(&found, now_unix());
        if found
            .guid
            .is_some_and(|guid| machine.uuid.is_some() && !machine.is_same(guid))
        {
            journal.warn(
                "the BMC's System GUID is not the UUID of this machine's firmware".to_owned(),
            );
        }
        let mut result = match options.task {
            Task::Show => show(&journal, cx, &found, options, document).await,
            Task::Remove => remove(&journal, cx, &found, options).await,
            Task::Init => self.init(&journal, &found, document, gone).await,
        };
        if options.task == Task::Init && !options.dry_run && machine.host_interface {
            let off = match &result {
                Ok(()) => inband::is_off(&journal, cx, found.channel).await?,
                Err(error) => !matches!(error.kind(), Kind::Cancelled | Kind::Timeout),
            };
            if off {
                match self.by_redfish(&journal, document, gone).await {
                    // That is a way, too.
                    Ok(()) => {
                        if let Err(error) = std::mem::replace(&mut result, Ok(())) {
                            journal.warn(format!("not over IPMI: {}", error.chain()));
                        }
                    }
                    Err(error) => journal.warn(error.chain()),
                }
            }
        }
        document.changes = journal.writes();
        document.warnings = journal.warnings();
        result?;
        if self.daemon.is_some() && !document.created {
            return Err(Error::new(
                Kind::Refused,
                format!(
                    "user '{}' is there, can log in, and the daemon does not know it",
                    options.user
                ),
            )
            .with_hint("--take-over gives it a new password, --user NAME makes another"));
        }
        Ok(())
    }

    /// What happens to an account of that name.
    pub(super) fn existing(&self) -> Existing {
        if self.options.rotate || self.options.take_over || self.ours {
            Existing::Rotate
        } else {
            Existing::Keep
        }
    }

    async fn init(
        &self,
        journal: &Journal<'_>,
        found: &Found,
        document: &mut Document,
        gone: &mut Where,
    ) -> Result<()> {
        let Self { options, cx, .. } = *self;
        let hand = Hand {
            options,
            daemon: self.daemon,
            machine: self.machine,
            found,
            journal,
            document: document.clone(),
            print: self.print,
            gone: Mutex::new(Where::Here),
        };
        let order = Order {
            user: &options.user,
            password: options.password.clone(),
            existing: self.existing(),
            enable_lan: options.enable_lan,
            dhcp: options.dhcp,
            keeper: &hand,
        };
        let made = inband::make(journal, cx, found, &order, &mut entropy).await;
        *gone = hand.gone();
        let mut made = made?;
        if !made.created {
            say(&format!(
                "user '{}' is there and can log in; its password cannot be read back (--rotate gives it a new one)",
                options.user
            ));
        }
        if options.dry_run {
            made.password = None;
            made.created = false;
        }
        document.made(made);
        Ok(())
    }
}

/// From the kernel.
pub(super) fn entropy(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out)
        .map_err(|e| Error::new(Kind::Other, "the kernel gives no random bytes").with_source(e))
}

/// The machine goes by its first network card.
fn unmanaged(document: &mut Document, machine: &Machine) {
    document.driver = "Unmanaged";
    document.bmc.mac = machine.first_nic;
}

async fn show(
    journal: &Journal<'_>,
    cx: &Cx,
    found: &Found,
    options: &Options,
    document: &mut Document,
) -> Result<()> {
    let account = inband::account(journal, cx, found.channel, &options.user).await?;
    document.account(account.as_ref());
    Ok(())
}

async fn remove(journal: &Journal<'_>, cx: &Cx, found: &Found, options: &Options) -> Result<()> {
    if !inband::remove(journal, cx, found, &options.user).await? {
        say(&format!("there is no user '{}'", options.user));
    }
    Ok(())
}

fn now_unix() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}
