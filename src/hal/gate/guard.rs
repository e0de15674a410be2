//! The gate as a connection to one BMC carries it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Gate, Pass, Rule, Who};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Secret;

/// Name of a BMC that nobody has named: its address; with IPMI's port where that is not the standard's, as behind one
/// address with many ports there are many BMCs.
pub fn name_of(ipmi: SocketAddr) -> String {
    if ipmi.port() == 623 {
        ipmi.ip().to_string()
    } else {
        ipmi.to_string()
    }
}

/// Stands in front of the logins of one BMC.
#[derive(Clone)]
pub struct Guard {
    gate: Arc<Gate>,
    rule: Rule,
    bmc: Arc<str>,
}

impl Guard {
    /// Of the BMC with this name.
    pub fn new(gate: Arc<Gate>, rule: Rule, bmc: Arc<str>) -> Self {
        Self { gate, rule, bmc }
    }

    /// May `user` log in now? See [`Gate::enter`]. Inside a runtime: the memory may be a disk.
    pub async fn enter(&self, user: &str, password: &Secret, counts: bool) -> Result<Pass> {
        let guard = self.clone();
        let (user, password) = (user.to_owned(), password.clone());
        let ask = move || {
            let who = Who {
                rule: guard.rule,
                bmc: &guard.bmc,
                user: &user,
                password: &password,
                counts,
            };
            guard.gate.enter(&who, unix_now())
        };
        // What an operator does is not written down before.
        if self.rule == Rule::Operator {
            return ask();
        }
        tokio::task::spawn_blocking(ask).await.unwrap_or_else(|e| {
            Err(Error::new(Kind::Other, "login gate").with_source(e.to_string()))
        })
    }

    /// Credentials that had worked on this connection are refused now.
    pub fn lost(&self, user: &str, password: &Secret, counts: bool) {
        let who = Who {
            rule: self.rule,
            bmc: &self.bmc,
            user,
            password,
            counts,
        };
        if let Ok(pass) = self.gate.enter(&who, unix_now()) {
            pass.failed();
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("rule", &self.rule)
            .field("bmc", &self.bmc)
            .finish_non_exhaustive()
    }
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}
