//! What survives a restart of the simulator, as JSON. It holds passwords: the file is for the owner only.

use serde::{Deserialize, Serialize};

use super::Server;
use crate::hal::model::Secret;

/// An account as stored.
#[derive(Debug, Serialize, Deserialize)]
struct StoredUser {
    id: u8,
    name: Vec<u8>,
    password: Hidden,
    long_password: bool,
    enabled: bool,
    access: u8,
    limit: u8,
}

/// A password that is written but not shown.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Hidden(Vec<u8>);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What is kept of a server.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stored {
    on: bool,
    policy: u8,
    boot_flags: [u8; 5],
    boot_clearing: u8,
    asset_tag: Vec<u8>,
    controller_id: Vec<u8>,
    address: [u8; 4],
    netmask: [u8; 4],
    gateway: [u8; 4],
    source: u8,
    vlan: u16,
    users: Vec<StoredUser>,
    sel: Vec<[u8; 16]>,
}

impl Stored {
    /// What is kept of `server`.
    pub fn of(server: &Server) -> Self {
        Self {
            on: server.power.on,
            policy: server.power.policy,
            boot_flags: server.boot.flags,
            boot_clearing: server.boot.clearing,
            asset_tag: server.dcmi.asset_tag.clone(),
            controller_id: server.dcmi.controller_id.clone(),
            address: server.lan.address,
            netmask: server.lan.netmask,
            gateway: server.lan.gateway,
            source: server.lan.source,
            vlan: server.lan.vlan,
            users: server
                .users
                .iter()
                .map(|(id, user)| StoredUser {
                    id,
                    name: user.trimmed().to_vec(),
                    password: Hidden(user.password.expose().to_vec()),
                    long_password: user.long_password,
                    enabled: user.enabled,
                    access: user.access,
                    limit: user.limit,
                })
                .collect(),
            sel: server.sel.entries().to_vec(),
        }
    }

    /// Puts it back. Passwords of the file win over those of the command line.
    pub fn restore(self, server: &mut Server) {
        let now = server.clock.origin;
        if server.power.on != self.on {
            server.power.set(self.on, now);
        }
        server.power.policy = self.policy;
        server.boot.flags = self.boot_flags;
        server.boot.clearing = self.boot_clearing;
        server.dcmi.asset_tag = self.asset_tag;
        server.dcmi.controller_id = self.controller_id;
        server.lan.address = self.address;
        server.lan.netmask = self.netmask;
        server.lan.gateway = self.gateway;
        server.lan.source = self.source;
        server.lan.vlan = self.vlan;
        server.sel.restore(self.sel);
        for stored in self.users {
            let Some(user) = server.users.get_mut(stored.id) else {
                continue;
            };
            user.name = [0; 16];
            for (to, from) in user.name.iter_mut().zip(&stored.name) {
                *to = *from;
            }
            user.password = Secret::new(stored.password.0);
            user.long_password = stored.long_password;
            user.enabled = stored.enabled;
            user.access = stored.access;
            user.limit = stored.limit;
        }
    }
}
