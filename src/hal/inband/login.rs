//! The proof that counts: a login over the LAN with the new account.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::hal::error::Result;
use crate::hal::fleet::{Endpoint, Fleet, Forgetful};
use crate::hal::gate::{Gate, InProcess, Rule};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::cmd::app::GetDeviceId;
use crate::hal::ipmi::exchange::run;
use crate::hal::ipmi::session::Config;
use crate::hal::model::{Cx, Secret};
use crate::hal::transport::Lan;

/// In front of these logins. The passwords are this run's own, so it need not outlive it.
static GATE: OnceLock<Arc<Gate>> = OnceLock::new();

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
    let gate = GATE.get_or_init(|| Arc::new(Gate::new(Arc::new(InProcess::new()))));
    let fleet =
        Fleet::new(Lan::new()?, Arc::new(Forgetful)).gated(Arc::clone(gate), Rule::Automatic);
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
