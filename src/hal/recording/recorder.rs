//! Records what passes between halbox and one BMC.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::entry::{IpmiAnswer, Recording};
use super::read;
use super::scrub::{Keep, scrub};
use crate::hal::error::Result;
use crate::hal::ipmi::exchange::{Request, Response, Target};
use crate::hal::model::{BoxFuture, Cx, Secret};
use crate::hal::redfish::{Answer, Ask, Door, Method, RedfishCell};

/// Most IPMI answers; a report needs some hundreds.
const MOST_COMMANDS: usize = 50_000;

/// Collects answers. Shared by all doors to one BMC.
#[derive(Default)]
pub struct Recorder(Mutex<Collected>);

#[derive(Default)]
struct Collected {
    recording: Recording,
    bytes: u64,
}

impl Recorder {
    /// An empty one.
    pub fn new() -> Self {
        Self(Mutex::new(Collected {
            recording: Recording::new(),
            bytes: 0,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the answer to a command.
    pub fn ipmi(&self, request: &Request, response: &Response) {
        let mut collected = self.lock();
        if collected.recording.ipmi.len() >= MOST_COMMANDS {
            return;
        }
        collected.recording.ipmi.push(IpmiAnswer {
            bridged: match request.target {
                Target::Bmc => None,
                Target::Bridged { channel, address } => Some((channel, address)),
            },
            lun: request.lun,
            netfn: request.netfn.0,
            cmd: request.cmd,
            data: request.data.clone(),
            code: response.code.0,
            reply: response.data.clone(),
        });
    }

    /// Keeps the answer to a GET. What would make the file too long to be read again is left out.
    pub fn redfish(&self, path: &str, answer: &Answer) {
        let mut collected = self.lock();
        let bytes = collected.bytes.saturating_add(answer.body.len() as u64);
        if bytes > read::MAX_FILE / 2 {
            return;
        }
        collected.bytes = bytes;
        collected
            .recording
            .add_redfish(path, answer.status, &answer.headers, &answer.body);
    }

    /// What was recorded, without secrets: neither `secrets`, nor what is called like one, nor (unless kept) serial numbers.
    pub fn finish(&self, secrets: &[&Secret], keep: Keep) -> Recording {
        let mut recording = std::mem::take(&mut self.lock().recording);
        let secrets: Vec<&[u8]> = secrets.iter().map(|s| s.expose()).collect();
        scrub(&mut recording, &secrets, keep);
        recording
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collected = self.lock();
        f.debug_struct("Recorder")
            .field("ipmi", &collected.recording.ipmi.len())
            .field("redfish", &collected.recording.redfish.len())
            .finish()
    }
}

/// A door to Redfish that is recorded.
pub struct RecordedDoor {
    inner: Arc<dyn Door>,
    recorder: Arc<Recorder>,
}

impl RecordedDoor {
    /// Records what passes through `inner`.
    pub fn new(inner: Arc<dyn Door>, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

impl Door for RecordedDoor {
    fn ask<'a>(&'a self, cx: &'a Cx, ask: Ask) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move {
            let path = (ask.method == Method::Get).then(|| ask.path.clone());
            let answer = self.inner.ask(cx, ask).await?;
            if let Some(path) = path {
                self.recorder.redfish(&path, &answer);
            }
            Ok(answer)
        })
    }

    fn pause<'a>(&'a self, cx: &'a Cx, time: Duration) -> BoxFuture<'a, Result<()>> {
        self.inner.pause(cx, time)
    }

    fn user(&self) -> Option<&str> {
        self.inner.user()
    }

    fn origin(&self) -> &str {
        self.inner.origin()
    }

    fn learnt(&self) -> &RedfishCell {
        self.inner.learnt()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}

impl fmt::Debug for RecordedDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedDoor").finish_non_exhaustive()
    }
}
