//! `halbox probe` against `ipmi_sim`.

use serde_json::json;

use super::probe;
use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::run;

#[test]
fn ipmi_sim_in_both_setups() {
    for setup in [Setup::Testbed, Setup::MiniLab] {
        let Some(mut sim) = IpmiSim::start(setup) else {
            return;
        };
        let (found, code) = probe(&sim.target());
        assert_eq!(code, 0);
        assert_eq!(found["preferred_driver"], "IPMI");
        let ipmi = &found["drivers"][0];
        assert_eq!(ipmi["available"], true);
        assert_eq!(ipmi["rmcp_presence"], true);
        assert_eq!(ipmi["port"], sim.address.port());
        assert_eq!(ipmi["versions"], json!(["1.5", "2.0"]));
        assert_eq!(ipmi["kg_required"], false);
        assert_eq!(ipmi["guid"].as_str().map(str::len), Some(32));
        let suites = ipmi["cipher_suites"].as_array().unwrap();
        for id in [0, 1, 2, 3] {
            assert!(suites.contains(&json!(id)), "{ipmi}");
        }
        let warnings = found["warnings"].to_string();
        assert!(warnings.contains("cipher suite 0 is offered"), "{warnings}");
        assert!(sim.is_alive());
    }
}

#[test]
fn a_range_with_one_bmc() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let ip = sim.address.ip().to_string();
    let (network, last) = ip.rsplit_once('.').unwrap();
    let last: u8 = last.parse().unwrap();
    let first = last.max(3) - 2;
    let output = run(&format!(
        "probe {network}.{first}-{last} --ipmi-port {} --timeout 2s --template {{target}}:{{reachable}}",
        sim.address.port()
    ));
    assert_eq!(output.status.code(), Some(0));
    let text = crate::common::stdout(&output);
    assert_eq!(
        text.lines().count(),
        usize::from(last - first) + 1,
        "{text}"
    );
    assert_eq!(text.lines().last(), Some(format!("{ip}:true").as_str()));
}
