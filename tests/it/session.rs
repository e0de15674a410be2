//! The client's session on `ipmi_sim`, over a plain socket: each cipher suite and each IPMI 1.5 authentication type
//! that `ipmi_sim` knows, MD2 among them.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use halbox::hal::error::{Error, Kind};
use halbox::hal::ipmi::cmd::{Effect, NetFn, Privilege};
use halbox::hal::ipmi::session::{Config, Entropy, Output, Phase, Session, Version};
use halbox::hal::ipmi::wire::v15::AuthType;
use halbox::hal::ipmi::{Request, Response, Target};
use halbox::hal::model::Secret;

use crate::common::ipmi_sim::{IpmiSim, Setup};

struct Random;
impl Entropy for Random {
    fn fill(&mut self, out: &mut [u8]) {
        getrandom::fill(out).unwrap();
    }
}

/// A session on a socket of its own.
struct Client {
    session: Session,
    socket: UdpSocket,
    sent: usize,
    result: Option<Result<Response, Error>>,
}

impl Client {
    fn new(sim: &IpmiSim, config: Config) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(sim.address).unwrap();
        Self {
            session: Session::new(config, Box::new(Random)),
            socket,
            sent: 0,
            result: None,
        }
    }

    fn ask(&mut self, request: Request) -> Result<Response, Error> {
        let now = Instant::now();
        let deadline = now + Duration::from_secs(20);
        self.session.submit(now, 1, request, deadline);
        self.run(|client| client.result.is_some());
        self.result.take().unwrap()
    }

    fn close(mut self) {
        self.session.close(Instant::now());
        self.run(|client| client.session.phase() == Phase::Idle);
    }

    fn run(&mut self, done: impl Fn(&Self) -> bool) {
        let mut buffer = [0; 1500];
        loop {
            while let Some(output) = self.session.poll() {
                match output {
                    Output::Send(bytes) => {
                        self.sent += 1;
                        self.socket.send(&bytes).unwrap();
                    }
                    Output::Reply { response, .. } => self.result = Some(Ok(response)),
                    Output::Failed { error, .. } => self.result = Some(Err(error)),
                    Output::Active(_) | Output::Sol { .. } | Output::Closed => {}
                }
            }
            if done(self) {
                return;
            }
            let at = self.session.next_timeout().unwrap();
            let wait = at.saturating_duration_since(Instant::now());
            self.socket
                .set_read_timeout(Some(wait.max(Duration::from_micros(1))))
                .unwrap();
            match self.socket.recv(&mut buffer) {
                Ok(length) => self
                    .session
                    .handle_datagram(Instant::now(), &buffer[..length]),
                Err(_) => self.session.handle_timeout(Instant::now()),
            }
        }
    }
}

fn request(cmd: u8, data: &[u8], privilege: Privilege) -> Request {
    Request {
        target: Target::Bmc,
        lun: 0,
        netfn: NetFn::APP,
        cmd,
        data: data.to_vec(),
        privilege,
        effect: Effect::Read,
        name: "test",
    }
}

/// Get Device ID, and Get User Name of user 2, which needs more than USER.
fn works(sim: &IpmiSim, config: Config, what: &str) {
    let mut client = Client::new(sim, config);
    let device = client
        .ask(request(0x01, &[], Privilege::User))
        .unwrap_or_else(|e| panic!("{what}: {e:?}"));
    assert_eq!(device.data.len(), 15, "{what}");
    assert_eq!(client.sent, 4, "{what}");
    let name = client
        .ask(request(0x46, &[2], Privilege::Operator))
        .unwrap();
    assert_eq!(name.data.get(..8), Some(&b"ipmiusr\0"[..]), "{what}");
    client.close();
}

fn config() -> Config {
    Config::new("ipmiusr", Secret::new("test"))
}

#[test]
fn every_cipher_suite_of_ipmi_sim() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    for suite in 0..=3 {
        let mut c = config();
        c.suites = vec![suite];
        works(&sim, c, &format!("suite {suite}"));
    }
}

#[test]
fn every_authentication_type_of_ipmi_sim() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    for auth_type in [
        AuthType::None,
        AuthType::Straight,
        AuthType::Md2,
        AuthType::Md5,
    ] {
        let mut c = config();
        c.version = Version::V1_5;
        c.auth_types = vec![auth_type];
        works(&sim, c, &format!("{auth_type:?}"));
    }
}

#[test]
fn wrong_passwords_and_users_are_auth_errors() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    for version in [Version::V2_0, Version::V1_5] {
        for (user, password) in [("ipmiusr", "wrong"), ("nobody", "test")] {
            let mut c = Config::new(user, Secret::new(password));
            c.version = version;
            c.suites = vec![3];
            let mut client = Client::new(&sim, c);
            let error = client.ask(request(0x01, &[], Privilege::User)).unwrap_err();
            assert_eq!(error.kind(), Kind::Auth, "{version:?} {user}: {error:?}");
            client.close();
        }
    }
}
