//! What machines tell of themselves from inside. No answer has a secret or another machine's row.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Code, Request, Response, Status};

use super::Server;
use super::peer::Caller;
use crate::api::convert::secret_of;
use crate::api::fault::{to_status, with_code};
use crate::api::proto::registration_service_server::RegistrationService;
use crate::api::proto::{
    self, Credentials, Driver, LookupRequest, LookupResponse, RegisterRequest, RegisterResponse,
};
use crate::api::server::Role;
use crate::discover::{Offer, now};
use crate::hal::model::{DriverName, MacAddr};
use crate::hal::{Error, Kind, Result};
use crate::inventory::record::{Origin, Record};
use crate::inventory::store::Change;

/// How long a run customarily takes at most, and how long any may.
const RUN: Duration = Duration::from_mins(10);
const LONGEST: Duration = Duration::from_hours(24);

fn refused(error: &Error) -> Status {
    to_status(error, &[])
}

#[tonic::async_trait]
impl RegistrationService for Server {
    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> std::result::Result<Response<LookupResponse>, Status> {
        let id = &request.get_ref().machine_id;
        self.registers(&request, id)?;
        let rows = self.store.all().await.map_err(|e| refused(&e))?;
        let mut answer = LookupResponse::default();
        answer.set_credentials(Credentials::None);
        if let Some(row) = rows.iter().find(|row| is_of(row, id) && !row.removed) {
            let row = self
                .discovery
                .try_aside(row, true)
                .await
                .map_err(|e| refused(&e))?;
            answer.mac = Some(row.mac.to_string());
            answer.related = true;
            answer.ipmi_user = [&row.pending, &row.ipmi.user, &row.redfish.user]
                .into_iter()
                .find_map(Clone::clone);
            answer.set_credentials(match row.pending {
                // Begun and not known to be ended: the account in the row may be the one that was changed.
                Some(_) if credentials(&row) == Credentials::Ok => Credentials::Failed,
                _ => credentials(&row),
            });
        }
        Ok(Response::new(answer))
    }

    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> std::result::Result<Response<RegisterResponse>, Status> {
        let caller = self.registers(&request, &request.get_ref().machine_id)?;
        self.own(&caller, request.into_inner(), Self::take_machine)
            .await
    }
}

impl Server {
    async fn take_machine(
        self,
        caller: Caller,
        mut message: RegisterRequest,
    ) -> std::result::Result<RegisterResponse, Status> {
        let mac = check(&message).map_err(|e| refused(&e))?;
        let pending = message.pending;
        let within = Duration::from_secs(message.pending_seconds.into());
        let offered = offer(&mut message);
        let _turn = self.doors.turn(mac).await;
        // What the machine says of itself first: it stands whatever becomes of the credentials.
        let row = self
            .describe(mac, message)
            .await
            .map_err(|e| match e.kind() {
                Kind::Refused => {
                    with_code(Code::FailedPrecondition, &e, &[("mac", mac.to_string())])
                }
                _ => refused(&e),
            })?;
        let mut answer = RegisterResponse {
            mac: mac.to_string(),
            taken: false,
            verified: false,
        };
        if let Some(offer) = offered {
            if pending {
                // A run that does not say how long it takes takes what is customary.
                let within = if within.is_zero() { RUN } else { within };
                let kept = self.discovery.put_aside(mac, offer, within.min(LONGEST));
                kept.await.map_err(|e| refused(&e))?;
                answer.taken = true;
                log::info!("{mac}: {caller} is making an account");
                return Ok(answer);
            }
            let login = self.discovery.login(&row, &offer).await;
            answer.verified = login.is_ok();
            // Credentials that work are proved; unproved ones are kept only where there are none that may be better.
            let unproved = login.as_ref().is_err_and(|e| e.kind() != Kind::Auth);
            // Of an account in the row the old password is gone.
            let better =
                credentials(&row) == Credentials::Ok && own_user(&row, &offer) != Some(&offer.user);
            answer.taken = answer.verified || (unproved && !better);
            if let Err(error) = &login {
                log::warn!(
                    "{mac}: login with the registered user {}: {}",
                    offer.user,
                    error.chain()
                );
            }
            if answer.taken {
                let taken = self.discovery.take(mac, offer).await;
                taken.map_err(|e| refused(&e))?;
            } else if unproved {
                // Others work; these are tried later, and when the machine asks again.
                let kept = self.discovery.put_aside(mac, offer, Duration::ZERO).await;
                kept.map_err(|e| refused(&e))?;
                answer.taken = true;
            }
        }
        log::info!(
            "{mac}: registered by {caller}, credentials taken: {}",
            answer.taken
        );
        self.discovery.soon(mac);
        Ok(answer)
    }

    /// The caller, if he may speak for this machine: a token for one machine only for that one.
    fn registers<T>(&self, request: &Request<T>, id: &str) -> std::result::Result<Caller, Status> {
        let caller = self.caller(request)?;
        let allowed = match &caller.machine {
            _ if caller.role == Role::Console => false,
            Some(own) => caller.role >= Role::Hammer && own.eq_ignore_ascii_case(id),
            None => caller.role == Role::Hammer || caller.role >= Role::Operator,
        };
        if allowed {
            return Ok(caller);
        }
        let error = Error::new(
            Kind::Privilege,
            format!("{caller} may not speak for machine {id}"),
        );
        Err(with_code(Code::PermissionDenied, &error, &[]))
    }

    /// Writes everything but credentials into the row, which is made when there is none.
    async fn describe(&self, mac: MacAddr, message: RegisterRequest) -> Result<Arc<Record>> {
        let change = Change::of(now(), move |row| {
            let id = message.machine_id.to_ascii_lowercase();
            match &row.machine_id {
                Some(other) if !id.is_empty() && !other.eq_ignore_ascii_case(&id) => {
                    return Err(Error::new(
                        Kind::Refused,
                        format!("the BMC {} belongs to another machine", row.mac),
                    )
                    .with_source(format!("machine id {other}"))
                    .with_hint(format!(
                        "halbox bmc update {} --machine-id UUID changes it",
                        row.mac
                    )));
                }
                None if !id.is_empty() => row.machine_id = Some(id),
                _ => {}
            }
            if row.lease.is_none() && row.origin == Origin::Lease {
                row.origin = Origin::Registered;
            }
            (row.candidate, row.removed) = (false, false);
            if row.address.is_none() {
                row.address = message.address.and_then(|text| text.parse().ok());
            }
            if message.driver == i32::from(Driver::Unmanaged) && row.chosen_driver.is_none() {
                row.chosen_driver = Some(DriverName::Unmanaged);
            }
            fill(&mut row.vendor, message.vendor);
            fill(&mut row.model, message.model);
            fill(&mut row.bmc_version, message.bmc_version);
            if let Some(bios) = message.bios {
                fill(&mut row.bios.date, bios.date);
                fill(&mut row.bios.vendor, bios.vendor);
                fill(&mut row.bios.version, bios.version);
            }
            if let Some(board) = message.board {
                describe_board(row, board);
            }
            if let Some(error) = message.error {
                row.status.last_updated = Some(now());
                row.status.last_error = Some(error);
                row.status.kind = Some(Kind::Refused.as_str().to_owned());
            }
            Ok(())
        });
        self.store.update(mac, change.or_create()).await
    }
}

/// The account that a machine offers, taken out of its message.
fn offer(message: &mut RegisterRequest) -> Option<Offer> {
    let ipmi = message
        .ipmi_user
        .take()
        .zip(message.ipmi_password.take())
        .map(|offered| (false, offered));
    let redfish = message
        .redfish_user
        .take()
        .zip(message.redfish_password.take())
        .map(|offered| (true, offered));
    let (redfish, (user, password)) = redfish.or(ipmi)?;
    Some(Offer {
        redfish,
        user,
        password: secret_of(password),
    })
}

/// The row's account of the same protocol.
fn own_user<'a>(row: &'a Record, offer: &Offer) -> Option<&'a String> {
    if offer.redfish {
        row.redfish.user.as_ref()
    } else {
        row.ipmi.user.as_ref()
    }
}

fn is_of(row: &Record, id: &str) -> bool {
    let known = row.machine_id.as_deref();
    !id.is_empty() && known.is_some_and(|known| known.eq_ignore_ascii_case(id))
}

/// Did the last contact with the row's credentials work?
fn credentials(row: &Record) -> Credentials {
    if !row.has_credentials() {
        Credentials::None
    } else if row.status.refused.is_some() || row.status.last_updated.is_none() {
        Credentials::Failed
    } else if row.status.last_error.is_none() {
        Credentials::Ok
    } else {
        Credentials::Failed
    }
}

fn check(message: &RegisterRequest) -> Result<MacAddr> {
    let config = |words: String| Error::new(Kind::Config, words);
    let mac: MacAddr = message.mac.parse().map_err(config)?;
    if !mac.is_usable() {
        return Err(config(format!("{mac} cannot be the MAC of a BMC")));
    }
    let texts = [
        &message.ipmi_user,
        &message.redfish_user,
        &message.error,
        &message.vendor,
        &message.model,
        &message.serial,
    ];
    if message.machine_id.len() > 36 || texts.into_iter().flatten().any(|t| t.len() > 4096) {
        return Err(config("a text is too long".to_owned()));
    }
    if message.ipmi_user.as_ref().is_some_and(|u| u.len() > 16)
        || message
            .ipmi_password
            .as_ref()
            .is_some_and(|p| p.value.len() > 20)
    {
        return Err(config(
            "IPMI takes 16 bytes of user name and 20 of password".to_owned(),
        ));
    }
    let long = |p: &proto::Secret| p.value.len() > 255;
    if message.redfish_password.as_ref().is_some_and(long) {
        return Err(config("the password is too long".to_owned()));
    }
    Ok(mac)
}

/// What the BMC itself told is not overwritten by what the machine's firmware says.
fn fill(to: &mut Option<String>, from: Option<String>) {
    if to.is_none() {
        *to = from;
    }
}

fn describe_board(row: &mut Record, board: proto::Board) {
    let to = &mut row.board;
    fill(&mut to.board_mfg, board.board_mfg);
    fill(&mut to.board_mfg_serial, board.board_mfg_serial);
    fill(&mut to.board_part_number, board.board_part_number);
    fill(&mut to.chassis_part_number, board.chassis_part_number);
    fill(&mut to.chassis_part_serial, board.chassis_part_serial);
    fill(&mut to.product_manufacturer, board.product_manufacturer);
    fill(&mut to.product_part_number, board.product_part_number);
    fill(&mut to.product_serial, board.product_serial);
}
