//! The Redfish half of the simulator: against software that none of us wrote, and both protocols against each other.

mod agree;
mod oracles;
mod wire;

use halbox::hal::model::Secret;
use halbox::hal::sim::{self, Options, ProfileName, RedfishOptions, SimHandle};

/// Fits the rules of every profile.
pub const PASSWORD: &str = "s3cret-Pass!";

/// One BMC of a profile on free ports of 127.0.0.1, Redfish over HTTPS and plain HTTP.
pub fn start(profile: ProfileName) -> SimHandle {
    started(Options {
        profile,
        ..Options::default()
    })
}

/// The same with other options.
pub fn started(options: Options) -> SimHandle {
    let redfish = RedfishOptions {
        port: 0,
        http_port: Some(0),
        ..options.redfish.unwrap_or_default()
    };
    let options = Options {
        port: 0,
        password: Secret::new(PASSWORD),
        redfish: Some(redfish),
        ..options
    };
    sim::start(options).unwrap()
}

/// Everything that was opened was closed, one connection at a time, and nobody guessed a password.
pub fn assert_gentle(sim: &SimHandle) {
    let total = sim.total();
    assert_eq!(
        (
            total.sessions_open,
            total.redfish_sessions_open,
            total.failed_logins
        ),
        (0, 0, 0),
        "{total:?}"
    );
    assert_eq!(
        total.redfish_sessions_opened, total.redfish_sessions_closed,
        "{total:?}"
    );
    assert!(total.http_most_connections <= 1, "{total:?}");
}
