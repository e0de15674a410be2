//! From the credentials that a BMC was shipped with to an account of our own.
//!
//! Whenever it is interrupted, the row has credentials that work: it is switched last, after a login with the new ones.
//! The password is stored before the account is made, so that a second run knows the account for ours.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Call, Server};
use crate::api::convert::{secret_of, source};
use crate::api::proto::{InitRequest, InitResponse};
use crate::discover::now;
use crate::hal::bmc::Bmc;
use crate::hal::inband::password::{Shape, random};
use crate::hal::model::user::{NewUser, Role};
use crate::hal::model::{DriverName, PowerState, Reading, Secret};
use crate::hal::{Error, Kind, Result};
use crate::inventory::Field;
use crate::inventory::store::Change;

/// What policies of BMCs take: long ones first; Dell's wants 16 or 20 on some models.
const SHAPES: [Shape; 3] = [
    Shape {
        length: 16,
        special: true,
    },
    Shape {
        length: 16,
        special: false,
    },
    Shape {
        length: 12,
        special: true,
    },
];

/// Steps of one call.
pub(super) type Steps = ReceiverStream<std::result::Result<InitResponse, Status>>;

/// Who is told.
type To = mpsc::Sender<std::result::Result<InitResponse, Status>>;

/// One call.
struct Init {
    server: Server,
    call: Call,
    name: String,
    /// The password that the caller wants; absent = a random one.
    password: Option<Secret>,
    take_over: bool,
    to: To,
}

/// Begins the work; its steps come as they are done.
pub(super) fn begin(server: &Server, request: Request<InitRequest>) -> Response<Steps> {
    let (to, steps) = mpsc::channel(8);
    let server = server.clone();
    tokio::spawn(async move {
        let (inner, tell) = (server.clone(), to.clone());
        let done = server.change(request, move |call, m: InitRequest| async move {
            let init = Init {
                server: inner,
                name: Some(m.name)
                    .filter(|n| !n.is_empty())
                    .unwrap_or_else(|| super::users::METAL.to_owned()),
                password: m.password.map(secret_of).filter(|p| !p.is_empty()),
                take_over: m.take_over,
                to: tell,
                call,
            };
            let result = init.run().await;
            init.call.done(result)
        });
        // What comes last is the answer, and it is kept with the request's id.
        let _ = to.send(done.await.map(Response::into_inner)).await;
    });
    Response::new(ReceiverStream::new(steps))
}

/// A step without a source.
fn last(words: String) -> InitResponse {
    InitResponse {
        step: "row".to_owned(),
        words,
        source: None,
    }
}

impl Init {
    /// Tells a step; a caller who is gone changes nothing.
    async fn say(&self, step: &str, words: String, source: Option<crate::api::proto::Source>) {
        log::info!("{}: init: {words}", self.call.row.mac);
        let step = step.to_owned();
        let message = InitResponse {
            step,
            words,
            source,
        };
        let _ = self.to.send(Ok(message)).await;
    }

    async fn run(&self) -> Result<InitResponse> {
        let (row, cx) = (&self.call.row, &self.call.cx);
        let state = self.login(&self.call.bmc).await?;
        let user = |user: &Option<String>| user.clone().unwrap_or_default();
        let now_as = match state.source.driver {
            DriverName::Ipmi => user(&row.ipmi.user),
            _ => user(&row.redfish.user),
        };
        let words = format!("logged in as '{now_as}', power is {}", state.value);
        self.say("login", words, Some(source(&state))).await;
        if now_as == self.name {
            return Ok(last(format!(
                "the row uses '{}' already: nothing to do",
                self.name
            )));
        }
        let driver = self.driver()?;
        let password = self.account(driver).await?;
        let login = || Some((self.name.clone(), password.clone()));
        let ipmi = driver == DriverName::Ipmi;
        let doors = &self.server.doors;
        let open = |ipmi: bool| async move {
            if ipmi {
                doors.open_as(row, cx, login(), None).await
            } else {
                doors.open_as(row, cx, None, login()).await
            }
        };
        let unproved = |e: Error| {
            e.context(format!(
                "'{}' was made, but cannot log in; the row keeps '{now_as}'",
                self.name
            ))
        };
        let state = match open(ipmi).await {
            Ok(bmc) => self.login(&bmc).await,
            Err(e) => Err(e),
        };
        let state = state.map_err(unproved)?;
        let words = format!("logged in as '{}' over {}", self.name, protocol(ipmi));
        self.say("proof", words, Some(source(&state))).await;
        // Most BMCs have one table of accounts. Where not, the other protocol keeps what it has.
        let mut both = false;
        let other = if ipmi {
            &row.redfish.user
        } else {
            &row.ipmi.user
        };
        if other.is_some() {
            let proof = match open(!ipmi).await {
                Ok(bmc) => self.login(&bmc).await,
                Err(e) => Err(e),
            };
            match proof {
                Ok(state) => {
                    both = true;
                    let words = format!("logged in as '{}' over {}", self.name, protocol(!ipmi));
                    self.say("proof", words, Some(source(&state))).await;
                }
                Err(e) => {
                    let words = format!(
                        "not over {}, which keeps what it has: {}",
                        protocol(!ipmi),
                        e.chain()
                    );
                    self.say("proof", words, None).await;
                }
            }
        }
        self.switch(ipmi || both, !ipmi || both, password).await?;
        Ok(last(format!("the row uses '{}' from now on", self.name)))
    }

    async fn login(&self, bmc: &Bmc) -> Result<Reading<PowerState>> {
        bmc.power
            .call("power.state", |p| p.state(&self.call.cx))
            .await
    }

    /// Who makes the account: IPMI where it is there, for that one every program can use.
    fn driver(&self) -> Result<DriverName> {
        let mut drivers = self.call.bmc.users.drivers();
        let first = self.call.bmc.users.drivers().next();
        drivers
            .find(|d| *d == DriverName::Ipmi)
            .or(first)
            .ok_or_else(|| Error::new(Kind::Unsupported, "init: no driver makes accounts here"))
    }

    /// Makes the account; its password.
    async fn account(&self, driver: DriverName) -> Result<Secret> {
        let (row, cx) = (&self.call.row, &self.call.cx);
        let slots = &self.call.bmc.users;
        let slot = slots.iter().find(|s| s.driver == driver);
        let users = &slot
            .ok_or_else(|| Error::new(Kind::Unsupported, "init: no driver makes accounts here"))?
            .implementation;
        let begun = self
            .server
            .store
            .secret(row.mac, Field::NextPassword)
            .await?;
        let there = users.users(cx).await?;
        if there.value.iter().any(|u| u.name == self.name) {
            if begun.is_none() && !self.take_over {
                return Err(Error::new(
                    Kind::Refused,
                    format!("there is an account '{}' that is not ours", self.name),
                )
                .with_hint(
                    "--take-over makes it anew with a new password; --name takes another name",
                ));
            }
            users.delete(cx, &self.name).await?;
            let words = format!("removed the account '{}' that was there", self.name);
            self.say("account", words, Some(source(&there))).await;
        }
        let mut shapes = SHAPES.iter();
        loop {
            let password = match &self.password {
                Some(password) => password.clone(),
                None => invent(shapes.next())?,
            };
            let store = Change::of(now(), |_| Ok(()))
                .with_secret(Field::NextPassword, Some(password.clone()));
            self.server.store.update(row.mac, store).await?;
            let user = NewUser {
                name: self.name.clone(),
                password: password.clone(),
                role: Role::Administrator,
                console: true,
            };
            match users.create(cx, &user).await {
                Ok(made) => {
                    let words = format!("made the account '{}' (administrator)", self.name);
                    self.say("account", words, Some(source(&made))).await;
                    return Ok(password);
                }
                Err(e)
                    if e.kind() == Kind::Refused
                        && self.password.is_none()
                        && !shapes.as_slice().is_empty() =>
                {
                    let words = format!("refused, trying another password: {}", e.chain());
                    self.say("account", words, None).await;
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// The row logs in with it from now on.
    async fn switch(&self, ipmi: bool, redfish: bool, password: Secret) -> Result<()> {
        let name = self.name.clone();
        let mut change = Change::of(now(), move |row| {
            if ipmi {
                row.ipmi.user = Some(name.clone());
            }
            if redfish {
                row.redfish.user = Some(name);
            }
            row.status.refused = None;
            Ok(())
        })
        .with_secret(Field::NextPassword, None);
        if ipmi {
            change = change.with_secret(Field::IpmiPassword, Some(password.clone()));
        }
        if redfish {
            change = change.with_secret(Field::RedfishPassword, Some(password));
        }
        self.server.store.update(self.call.row.mac, change).await?;
        self.server.discovery.soon(self.call.row.mac);
        Ok(())
    }
}

fn protocol(ipmi: bool) -> &'static str {
    if ipmi { "IPMI" } else { "Redfish" }
}

fn invent(shape: Option<&Shape>) -> Result<Secret> {
    let none = || Error::new(Kind::Refused, "no password is taken");
    random(*shape.ok_or_else(none)?, &mut |bytes| {
        getrandom::fill(bytes)
            .map_err(|e| Error::new(Kind::Other, "random bytes").with_source(e.to_string()))
    })
}
