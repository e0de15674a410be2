//! The proof that counts: a login over the LAN with the new account.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::hal::error::Result;
use crate::hal::fleet::{Endpoint, Fleet, Forgetful};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::cmd::app::GetDeviceId;
use crate::hal::ipmi::exchange::run;
use crate::hal::ipmi::session::Config;
use crate::hal::model::{Cx, Secret};
use crate::hal::transport::Lan;

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long a login is tried: what comes after it needs time as well.
const TRIED: Duration = Duration::from_secs(10);

/// Logs in with that privilege at `ip`, port 623, asks for the device id, and closes the session. Must be called inside a
/// runtime.
pub async fn login(
    cx: &Cx,
    ip: IpAddr,
    user: &str,
    password: &Secret,
    privilege: Privilege,
) -> Result<()> {
    let fleet = Fleet::new(Lan::new()?, Arc::new(Forgetful));
    let mut session = Config::new(user.as_bytes(), password.clone());
    session.privilege = Some(privilege);
    let endpoint = Endpoint {
        addr: SocketAddr::new(ip, 623),
        session,
        pin_suite: false,
        linger: Duration::ZERO,
    };
    let bmc = fleet.bmc(&endpoint)?;
    let cx = Cx::until(cx.deadline.min(Instant::now() + TRIED)).with_cancel(cx.cancel.clone());
    let answer = run(&*bmc, &cx, &GetDeviceId).await;
    drop(bmc);
    fleet.shutdown(GOODBYE).await;
    answer.map(|_| ())
}
