//! Accounts over IPMI: made, changed and removed by `halbox bmc user …`; whether they can log in is asked of ipmitool.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};

use halbox::hal::sim::{self, Options, ProfileName, SimHandle};
use serde_json::Value;

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{halbox, oracle, stderr, stdout};

/// A BMC and an administrator of it.
struct Bmc {
    address: SocketAddr,
    suite: &'static str,
    admin: (&'static str, &'static str),
    dir: tempfile::TempDir,
}

impl Bmc {
    fn new(address: SocketAddr, suite: &'static str, admin: (&'static str, &'static str)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            address,
            suite,
            admin,
            dir,
        }
    }

    fn of(sim: &SimHandle) -> Self {
        Self::new(sim.addrs()[0], "17", ("admin", "admin"))
    }

    fn file(&self, password: &str) -> PathBuf {
        let path = self.dir.path().join(password.len().to_string());
        std::fs::write(&path, format!("{password}\n")).unwrap();
        path
    }

    /// `halbox bmc … LINE`, with a new password if there is one.
    fn run(&self, line: &str, password: Option<&str>) -> Output {
        let mut command = halbox();
        command
            .args(["bmc", "--no-cache", "--timeout", "60s"])
            .args(["-C", self.suite])
            .arg(format!("--address={}", self.address))
            .args(["-U", self.admin.0, "-E"])
            .env("HALBOX_PASSWORD", self.admin.1)
            .args(line.split_whitespace());
        if let Some(password) = password {
            command.arg("--new-password-file").arg(self.file(password));
        }
        command.output().unwrap()
    }

    /// The one result; it must have worked.
    fn done(&self, line: &str, password: Option<&str>) -> Value {
        let output = self.run(&format!("-o json {line}"), password);
        assert!(output.status.success(), "{line}: {}", stderr(&output));
        let result: Value = serde_json::from_str(&stdout(&output)).unwrap();
        result["results"][0].clone()
    }

    /// Can they log in with ipmitool at that level? `None` without ipmitool.
    fn lets_in(&self, user: &str, password: &str, level: &str) -> Option<bool> {
        let output = Command::new(oracle("ipmitool")?)
            .args(["-I", "lanplus", "-C", self.suite, "-N", "1", "-R", "3"])
            .args(["-H", &self.address.ip().to_string()])
            .args(["-p", &self.address.port().to_string()])
            .args(["-U", user, "-E", "-L", level])
            .env("IPMI_PASSWORD", password)
            .args(["chassis", "power", "status"])
            .output()
            .unwrap();
        Some(output.status.success())
    }

    fn names(&self) -> Vec<String> {
        let users = self.done("user ls", None);
        let users = users["value"].as_array().unwrap().clone();
        users
            .iter()
            .map(|u| u["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The life of an account.
fn life(bmc: &Bmc, slot: &str, first: &str, second: &str) {
    let before = bmc.names();
    let made = bmc.done(
        "user create metal --role administrator --console",
        Some(first),
    );
    assert_eq!(made["operation"], "users.create");
    assert_eq!(made["by"], "ipmi");
    assert_eq!(made["value"]["id"], slot);
    assert_eq!(made["value"]["role"], "ADMINISTRATOR");
    assert_eq!(made["value"]["enabled"], true);
    assert_eq!(made["value"]["channel_access"], true);
    let Some(yes) = bmc.lets_in("metal", first, "ADMINISTRATOR") else {
        return;
    };
    assert!(yes, "the new account cannot log in");
    assert_eq!(bmc.lets_in("metal", "Wrong-pass-1", "USER"), Some(false));
    let again = bmc.run("user create metal --role user", Some(first));
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("is there already"),
        "{}",
        stderr(&again)
    );

    bmc.done("user set-password metal", Some(second));
    assert_eq!(bmc.lets_in("metal", second, "ADMINISTRATOR"), Some(true));
    assert_eq!(bmc.lets_in("metal", first, "USER"), Some(false));

    assert_eq!(
        bmc.done("user disable metal", None)["value"]["enabled"],
        false
    );
    assert_eq!(bmc.lets_in("metal", second, "USER"), Some(false));
    assert_eq!(
        bmc.done("user enable metal", None)["value"]["enabled"],
        true
    );
    assert_eq!(bmc.lets_in("metal", second, "ADMINISTRATOR"), Some(true));

    bmc.done("user delete metal", None);
    assert_eq!(bmc.lets_in("metal", second, "USER"), Some(false));
    assert_eq!(bmc.names(), before, "nobody else was changed");
}

fn start(profile: ProfileName) -> SimHandle {
    sim::start(Options {
        port: 0,
        profile,
        ..Options::default()
    })
    .unwrap()
}

/// On a simulated BMC of that kind the account lands in `slot`; the BMC was treated gently.
fn on(profile: ProfileName, slot: &str) {
    let sim = start(profile);
    life(&Bmc::of(&sim), slot, "Secret-123", "Other-pass-4567");
    // Passwords of 20 bytes are kept whole.
    let bmc = Bmc::of(&sim);
    let long = "Twenty-bytes-long-1!";
    bmc.done("user create metal --role operator", Some(long));
    if let Some(yes) = bmc.lets_in("metal", long, "OPERATOR") {
        assert!(yes);
        let cut = bmc.lets_in("metal", &long[..16], "OPERATOR");
        assert_eq!(cut, Some(false));
        assert_eq!(bmc.lets_in("metal", long, "ADMINISTRATOR"), Some(false));
    }
    let refused = bmc.run("user delete admin", None);
    assert!(
        stderr(&refused).contains("is logged in here"),
        "{}",
        stderr(&refused)
    );
    let refused = bmc.run("user disable admin", None);
    assert!(stderr(&refused).contains("is logged in here"));
}

#[test]
fn generic() {
    on(ProfileName::Generic, "3");
}

#[test]
fn dell_enables_after_a_password() {
    on(ProfileName::Dell, "3");
}

#[test]
fn supermicro_has_its_customary_slot() {
    on(ProfileName::Supermicro, "10");
    let sim = start(ProfileName::Supermicro);
    let bmc = Bmc::of(&sim);
    let refused = bmc.run("user create metal --role user", Some("simple"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("policy"), "{}", stderr(&refused));
    assert_eq!(bmc.names(), ["admin"], "the slot was emptied again");
    bmc.done("user create other --role user", Some("Secret-123"));
    let second = bmc.done("user create metal --role user", Some("Secret-123"));
    assert_ne!(
        second["value"]["id"], "10",
        "taken: the first free one instead"
    );
}

#[test]
fn lenovo_has_unnamed_slots() {
    on(ProfileName::Lenovo, "3");
}

#[test]
fn hpe_has_its_lan_on_channel_2() {
    on(ProfileName::Hpe, "2");
}

#[test]
fn ami() {
    on(ProfileName::Ami, "3");
}

#[test]
fn openbmc_wants_whole_fields() {
    on(ProfileName::OpenBmc, "2");
}

#[test]
fn ipmi_sim_with_its_sixteen_bytes() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let bmc = Bmc::new(sim.address, "3", ("ipmiusr", "test"));
    // Its configuration says that it is a Supermicro.
    life(&bmc, "10", "Secret-123", "Other-pass-4567");
    let long = bmc.run(
        "user create metal --role operator",
        Some("Twenty-bytes-long-1!"),
    );
    assert_eq!(long.status.code(), Some(1));
    assert!(
        stderr(&long).contains("at most 16 bytes"),
        "{}",
        stderr(&long)
    );
    assert!(!bmc.names().contains(&"metal".to_owned()));
}

#[test]
fn create_ipmi_user_makes_metal() {
    let sim = start(ProfileName::Generic);
    let bmc = Bmc::of(&sim);
    let made = bmc.done("create-ipmi-user", Some("Secret-123"));
    assert_eq!(made["value"]["name"], "metal");
    assert_eq!(made["value"]["role"], "ADMINISTRATOR");
    let console = bmc.done(
        "create-ipmi-user --ipmi-user sol --ipmi-role console",
        Some("Secret-123"),
    );
    assert_eq!(console["value"]["role"], "USER");
}
