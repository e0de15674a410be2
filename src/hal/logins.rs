//! Finds the right one of several credentials, without a failed login where the protocol allows.
//!
//! IPMI: one handshake per user name tells which password is right before anything is sent that counts. Where IPMI cannot
//! tell, one candidate is tried per BMC and day.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::{Error, Kind, Result};
use super::fleet::candidates::{Fit, fit};
use super::fleet::{Endpoint, Fleet, Remote};
use super::gate::{Gate, Rule, Who};
use super::model::{BoxFuture, Cx, Secret};

/// Most candidates.
pub const MOST: usize = 16;

/// A BMC gives an unfinished handshake up in this time; the next begins after it.
const HALF_OPEN: Duration = Duration::from_secs(30);

/// One of several credentials.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// What is searched with.
pub struct Search<'a> {
    /// For handshakes.
    pub fleet: &'a Fleet,
    /// In front of logins that count.
    pub gate: &'a Arc<Gate>,
    /// What the gate knows the BMC by.
    pub bmc: &'a str,
    /// How it is reached over IPMI, if it has that; user and password are replaced.
    pub endpoint: Option<Endpoint>,
    /// Seconds since 1970.
    pub now: u64,
    /// The operator wants the next candidate tried although one failed today.
    pub try_now: bool,
}

impl std::fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("bmc", &self.bmc)
            .finish_non_exhaustive()
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Number of the candidate that is right.
    pub found: Option<usize>,
    /// What was done, in words, without passwords.
    pub steps: Vec<String>,
    /// The session in which it was found: who logs in while it lives shares it.
    pub session: Option<Arc<Remote>>,
}

/// Logs in with a candidate for real (Redfish): Ok, or `Kind::Auth` when it is refused.
pub type Attempt<'a> = &'a (dyn Fn(Candidate) -> BoxFuture<'a, Result<()>> + Sync + 'a);

impl Search<'_> {
    /// Searches until `cx.deadline`. `attempt` is the login that counts, where there is another protocol than IPMI.
    pub async fn run(
        &self,
        cx: &Cx,
        candidates: &[Candidate],
        attempt: Option<Attempt<'_>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        // Not yet known to be wrong.
        let mut open: Vec<usize> = (0..candidates.len())
            .filter(|i| {
                candidates
                    .get(*i)
                    .is_some_and(|c| !self.gate.is_wrong(self.bmc, &c.user, &c.password, self.now))
            })
            .collect();
        if open.len() < candidates.len() {
            let known = candidates.len() - open.len();
            outcome
                .steps
                .push(format!("{known} are known to be wrong from the last 24 h"));
        }
        if self.endpoint.is_some() {
            self.ask_ipmi(cx, candidates, &mut open, &mut outcome).await;
        }
        if outcome.found.is_none()
            && !open.is_empty()
            && let Some(attempt) = attempt
        {
            self.try_one(cx, candidates, &open, attempt, &mut outcome)
                .await;
        }
        if outcome.found.is_none() && outcome.steps.is_empty() {
            outcome
                .steps
                .push("there is nothing to log in to".to_owned());
        }
        outcome
    }

    /// One handshake per user name. What it decides is taken out of `open`.
    async fn ask_ipmi(
        &self,
        cx: &Cx,
        candidates: &[Candidate],
        open: &mut Vec<usize>,
        outcome: &mut Outcome,
    ) {
        let mut half_open_until: Option<Instant> = None;
        for (user, members) in by_user(candidates, open) {
            if let Some(until) = half_open_until.take()
                && let Err(error) = wait(cx, until).await
            {
                outcome.steps.push(format!("IPMI: {}", error.chain()));
                return;
            }
            let Some(endpoint) = self.endpoint_for(candidates, user, &members) else {
                continue;
            };
            let answer = fit(self.fleet, cx, &endpoint).await;
            let said = match answer {
                Ok(Fit::Right(which, session)) => {
                    outcome.found = members.get(which).copied();
                    outcome.session = Some(session);
                    outcome.steps.push(format!(
                        "IPMI: user '{user}' has the password of candidate {}, no login failed",
                        outcome.found.map_or(0, |i| i + 1)
                    ));
                    return;
                }
                Ok(Fit::Wrong) => {
                    half_open_until = Some(Instant::now() + HALF_OPEN);
                    format!(
                        "IPMI: user '{user}' has none of {} passwords",
                        members.len()
                    )
                }
                Ok(Fit::NoUser) => format!("IPMI: no user '{user}'"),
                Err(error) => {
                    // Not about the credentials: other users fare no better.
                    outcome
                        .steps
                        .push(format!("IPMI cannot tell: {}", error.chain()));
                    return;
                }
            };
            outcome.steps.push(said);
            for candidate in members.iter().filter_map(|i| candidates.get(*i)) {
                self.gate
                    .found_wrong(self.bmc, user, &candidate.password, self.now);
            }
            open.retain(|i| !members.contains(i));
        }
    }

    fn endpoint_for(
        &self,
        candidates: &[Candidate],
        user: &str,
        members: &[usize],
    ) -> Option<Endpoint> {
        let mut endpoint = self.endpoint.clone()?;
        let passwords = members.iter().filter_map(|i| candidates.get(*i));
        let mut passwords = passwords.map(|c| c.password.clone());
        endpoint.session.user = user.as_bytes().to_vec();
        endpoint.session.password = passwords.next()?;
        endpoint.session.alternatives = passwords.collect();
        Some(endpoint)
    }

    /// The one login that may fail.
    async fn try_one(
        &self,
        cx: &Cx,
        candidates: &[Candidate],
        open: &[usize],
        attempt: Attempt<'_>,
        outcome: &mut Outcome,
    ) {
        let Some((number, candidate)) = open.first().and_then(|i| Some((*i, candidates.get(*i)?)))
        else {
            return;
        };
        let rule = if self.try_now {
            Rule::CandidateNow
        } else {
            Rule::Candidate
        };
        let Candidate { user, password } = candidate;
        let who = Who {
            rule,
            bmc: self.bmc,
            user,
            password,
            counts: true,
        };
        let pass = match self.gate.enter(&who, self.now) {
            Ok(pass) => pass,
            Err(error) => {
                let hint = error
                    .hint()
                    .map_or_else(String::new, |hint| format!(" ({hint})"));
                outcome.steps.push(format!("{}{hint}", error.chain()));
                return;
            }
        };
        let result = if cx.cancel.is_cancelled() {
            Err(Error::new(Kind::Cancelled, "interrupted"))
        } else {
            attempt(candidate.clone()).await
        };
        let n = number + 1;
        match &result {
            Ok(()) => {
                outcome.found = Some(number);
                outcome
                    .steps
                    .push(format!("Redfish: candidate {n} ('{user}') is right"));
            }
            Err(error) if error.kind() == Kind::Auth => {
                let rest = match open.len() - 1 {
                    0 => "it was the last".to_owned(),
                    rest => format!("{rest} are left, one in 24 h or with --try-now"),
                };
                outcome.steps.push(format!(
                    "Redfish: candidate {n} ('{user}') is wrong; {rest}"
                ));
            }
            Err(error) => outcome
                .steps
                .push(format!("Redfish cannot tell: {}", error.chain())),
        }
        pass.settle(&result);
    }
}

/// The open candidates of each user name, in the order in which the names first stand; only those that IPMI can carry.
fn by_user<'c>(candidates: &'c [Candidate], open: &[usize]) -> Vec<(&'c str, Vec<usize>)> {
    let mut out: Vec<(&str, Vec<usize>)> = Vec::new();
    for number in open {
        let Some(candidate) = candidates.get(*number) else {
            continue;
        };
        if candidate.user.len() > 16 || candidate.password.len() > 20 {
            continue;
        }
        match out.iter_mut().find(|(user, _)| *user == candidate.user) {
            Some((_, members)) => members.push(*number),
            None => out.push((&candidate.user, vec![*number])),
        }
    }
    out
}

/// Waits until the BMC has given an unfinished handshake up.
async fn wait(cx: &Cx, until: Instant) -> Result<()> {
    if until >= cx.deadline {
        return Err(Error::new(
            Kind::Timeout,
            "no time is left to wait until the BMC has given the last handshake up",
        ));
    }
    tokio::select! {
        () = cx.cancel.cancelled() => Err(Error::new(Kind::Cancelled, "interrupted")),
        () = tokio::time::sleep_until(until.into()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_grouped_by_user_and_long_ones_left_out() {
        let candidate = |user: &str, password: &str| Candidate {
            user: user.to_owned(),
            password: Secret::new(password),
        };
        let list = [
            candidate("ADMIN", "ADMIN"),
            candidate("root", "calvin"),
            candidate("ADMIN", "other"),
            candidate("root", "longer-than-twenty-bytes"),
        ];
        assert_eq!(
            by_user(&list, &[0, 1, 2, 3]),
            [("ADMIN", vec![0, 2]), ("root", vec![1])]
        );
        assert_eq!(by_user(&list, &[2]), [("ADMIN", vec![2])]);
    }
}
