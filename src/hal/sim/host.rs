//! Many BMCs in one process, each on exactly its own address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::sync::watch;

use super::bmc::{Bmc, Manners};
use super::ledger::Ledger;
use super::options::Options;
use super::profile::Profile;
use super::redfish::doors::Doors;
use super::redfish::serve;
use super::state::{Clock, Server, Users};
use super::{control, replay, store, vm, worker};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::responder::{Config, Lockout};

/// Files that are open besides the sockets.
const OTHER_FILES: u64 = 64;
/// Connections to all BMCs together for which the limit of open files is raised.
const CONNECTIONS: u64 = 2048;
/// How long an account stays locked.
const LOCKED_FOR: Duration = Duration::from_secs(30);

/// All BMCs, shared by the threads that serve them.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) bmcs: Vec<Mutex<Bmc>>,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) redfish: Vec<SocketAddr>,
    pub(super) http: Vec<SocketAddr>,
    pub(super) vms: Vec<SocketAddr>,
    pub(super) options: Options,
    pub(super) stop: watch::Sender<bool>,
}

impl Shared {
    /// BMC number `index`, if there is one.
    pub(super) fn bmc(&self, index: usize) -> Option<MutexGuard<'_, Bmc>> {
        // A BMC whose handler panicked is still there for the others' ledger.
        let bmc = self.bmcs.get(index)?;
        Some(bmc.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The books of all.
    pub(super) fn ledgers(&self) -> Vec<(SocketAddr, Ledger)> {
        let now = Instant::now();
        (0..self.bmcs.len())
            .filter_map(|i| Some((*self.addresses.get(i)?, self.bmc(i)?.ledger(now))))
            .collect()
    }
}

/// A running simulation. Dropping it ends it.
#[derive(Debug)]
pub struct SimHandle {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Binds all addresses and starts to answer.
pub fn start(options: Options) -> Result<SimHandle> {
    let what = || format!("simulating {} BMCs", options.count);
    check(&options).map_err(|e| Error::new(Kind::Config, what()).with_source(e))?;
    let listeners = options
        .redfish
        .map_or(0, |r| 1 + u64::from(r.http_port.is_some()))
        + 2 * u64::from(options.vm.is_some());
    let connections = if listeners == 0 {
        0
    } else {
        u64::from(options.count).min(CONNECTIONS)
    };
    raise_file_limit(u64::from(options.count) * (1 + listeners) + connections + OTHER_FILES)?;
    let sockets = bind(&options)?;
    let addresses: Vec<SocketAddr> = sockets
        .iter()
        .map(UdpSocket::local_addr)
        .collect::<io::Result<_>>()
        .map_err(|e| Error::new(Kind::Other, what()).with_source(e))?;
    let bmcs = populate(&options, &addresses)?;
    let doors = Doors::open(&options, &addresses)?;
    let vms = match options.vm {
        Some(first) => vm::bind(first, options.count)?,
        None => Vec::new(),
    };
    let shared = Arc::new(Shared {
        bmcs,
        addresses,
        redfish: doors.redfish,
        http: doors.http,
        vms: vms.iter().filter_map(|l| l.local_addr().ok()).collect(),
        options,
        stop: watch::Sender::new(false),
    });
    let mut handle = SimHandle {
        threads: worker::spawn(&shared, sockets)?,
        shared,
    };
    handle
        .threads
        .extend(serve::spawn(&handle.shared, doors.all)?);
    if let Some(thread) = control::spawn(&handle.shared)? {
        handle.threads.push(thread);
    }
    if let Some(thread) = vm::spawn(&handle.shared, vms)? {
        handle.threads.push(thread);
    }
    if let Some(thread) = store::spawn(&handle.shared)? {
        handle.threads.push(thread);
    }
    Ok(handle)
}

fn check(options: &Options) -> std::result::Result<(), String> {
    let ip = options.listen;
    if ip.is_unspecified() || ip.is_multicast() {
        return Err(format!(
            "{ip} is no address of one BMC; each BMC has exactly one (127.1.0.1, for instance)"
        ));
    }
    if options.vm.is_some_and(|vm| vm.ip().is_unspecified()) {
        return Err("VMs need one address: nobody has to log in there".to_owned());
    }
    if options.count == 0 {
        return Err("there must be at least one BMC".to_owned());
    }
    if options.user.len() > 16 {
        return Err("a user name has at most 16 bytes".to_owned());
    }
    if options.password.len() > 20 {
        return Err("a password has at most 20 bytes".to_owned());
    }
    if after(ip, options.count - 1).is_none() {
        return Err(format!("there are not so many addresses from {ip} on"));
    }
    Ok(())
}

/// The address `n` after `ip`.
fn after(ip: IpAddr, n: u32) -> Option<IpAddr> {
    Some(match ip {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from(u32::from(ip).checked_add(n)?)),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip).checked_add(n.into())?)),
    })
}

fn raise_file_limit(need: u64) -> Result<()> {
    let failed = |e: nix::Error| {
        Error::new(
            Kind::Config,
            format!("raising the limit of open files to {need}"),
        )
        .with_source(e)
        .with_hint("as root, or after `ulimit -Hn`, more are allowed; or simulate fewer BMCs")
    };
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    if soft >= need {
        return Ok(());
    }
    setrlimit(Resource::RLIMIT_NOFILE, need, hard.max(need)).map_err(failed)
}

fn bind(options: &Options) -> Result<Vec<UdpSocket>> {
    (0..options.count)
        .map(|i| {
            let step = if options.port == 0 { 0 } else { i };
            let ip = after(options.listen, step).unwrap_or(options.listen);
            let address = SocketAddr::new(ip, options.port);
            let bound = UdpSocket::bind(address).and_then(|s| {
                s.set_nonblocking(true)?;
                Ok(s)
            });
            bound.map_err(|e| {
                let error = Error::new(Kind::Config, format!("binding UDP {address}"));
                let hint = match e.kind() {
                    io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
                    io::ErrorKind::AddrInUse => "something else answers there; see `ss -lun`",
                    _ => "the address must be one of this host (all of 127.0.0.0/8 is)",
                };
                error.with_source(e).with_hint(hint)
            })
        })
        .collect()
}

/// What BMCs of a kind share.
struct Sort {
    profile: Arc<Profile>,
    config: Arc<Config>,
    users: Users,
    index: Option<Arc<replay::Index>>,
}

impl Sort {
    fn new(options: &Options, profile: Profile, index: Option<Arc<replay::Index>>) -> Self {
        let config = Arc::new(Config {
            lockout: (options.lockout > 0).then_some(Lockout {
                attempts: options.lockout,
                duration: LOCKED_FOR,
            }),
            ..(*profile.sessions).clone()
        });
        Self {
            users: Users::new(&profile.users, &options.user, &options.password),
            profile: Arc::new(profile),
            config,
            index,
        }
    }
}

fn populate(options: &Options, addresses: &[SocketAddr]) -> Result<Vec<Mutex<Bmc>>> {
    let kinds: Vec<Sort> = if options.recordings.is_empty() {
        vec![Sort::new(options, Profile::new(options.profile), None)]
    } else {
        let all = options.recordings.iter();
        all.map(|recording| {
            let index = Arc::new(replay::Index::new(recording));
            Sort::new(options, replay::profile(recording), Some(index))
        })
        .collect()
    };
    let clock = Clock {
        origin: Instant::now(),
        unix: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |d| d.as_secs()),
    };
    let mut rng = Rng::with_seed(options.seed);
    addresses
        .iter()
        .zip(0u32..)
        .map(|(address, index)| {
            let manners = Manners {
                unresponsive: rng.f64() < options.unresponsive,
                slow: if rng.f64() < options.slow {
                    options.slow_by
                } else {
                    Duration::ZERO
                },
                busy: options.busy,
            };
            let kind = kinds
                .get(index as usize % kinds.len().max(1))
                .ok_or_else(|| Error::new(Kind::Other, "simulating a BMC"))?;
            let mut server = Server::new(&kind.profile, index, address.ip(), &kind.users, clock);
            if let Some(index) = &kind.index {
                replay::seed(&mut server, index);
            }
            server.port = address.port();
            store::load(options, *address, &mut server)?;
            let config = Arc::clone(&kind.config);
            Ok(Mutex::new(Bmc::new(server, config, manners, rng.u64(..))))
        })
        .collect()
}

impl SimHandle {
    /// Where the BMCs are, in their order.
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.shared.addresses
    }

    /// Where they answer Redfish over HTTPS; empty without it.
    pub fn redfish_addrs(&self) -> &[SocketAddr] {
        &self.shared.redfish
    }

    /// Where they answer Redfish over plain HTTP; empty without it.
    pub fn http_addrs(&self) -> &[SocketAddr] {
        &self.shared.http
    }

    /// Where a VM finds each as its own BMC; empty without it.
    pub fn vm_addrs(&self) -> &[SocketAddr] {
        &self.shared.vms
    }

    /// The books of each BMC, in their order.
    pub fn ledger(&self) -> Vec<Ledger> {
        self.shared.ledgers().into_iter().map(|(_, l)| l).collect()
    }

    /// The sum of all books.
    pub fn total(&self) -> Ledger {
        let mut total = Ledger::default();
        for ledger in self.ledger() {
            total.add(&ledger);
        }
        total
    }

    /// Looks at or changes a server. `None` if there is no BMC of that number.
    pub fn with_state<T>(&self, index: usize, f: impl FnOnce(&mut Server) -> T) -> Option<T> {
        self.with_bmc(index, |bmc| f(&mut bmc.side.server))
    }

    /// Looks at or changes a BMC.
    pub fn with_bmc<T>(&self, index: usize, f: impl FnOnce(&mut Bmc) -> T) -> Option<T> {
        Some(f(&mut *self.shared.bmc(index)?))
    }

    /// Ends when somebody asked for the end (control socket, [`SimHandle::stop`]).
    pub async fn stopped(&self) {
        let mut stop = self.shared.stop.subscribe();
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Ends the simulation; returns when all threads are gone.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_and_end() {
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        assert_eq!(after(ip("127.1.0.255"), 1), Some(ip("127.1.1.0")));
        assert_eq!(after(ip("::1"), 2), Some(ip("::3")));
        assert_eq!(after(ip("255.255.255.255"), 1), None);
        for bad in ["0.0.0.0", "::", "224.0.0.1"] {
            let options = Options {
                listen: ip(bad),
                ..Options::default()
            };
            assert!(check(&options).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ping_is_answered_and_booked() {
        let sim = start(Options {
            port: 0,
            count: 3,
            ..Options::default()
        })
        .unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let ping = crate::hal::ipmi::wire::asf::Ping { tag: 7 }.datagram();
        client.send_to(&ping, sim.addrs()[2]).unwrap();
        let mut buffer = [0; 64];
        let (n, from) = client.recv_from(&mut buffer).unwrap();
        assert_eq!((n, from), (28, sim.addrs()[2]));
        let ledger = sim.ledger();
        assert_eq!(ledger[2].datagrams_in, 1);
        assert_eq!(ledger[0].datagrams_in, 0);
        sim.stop();
    }
}
