//! A BMC for driver tests that is nothing but a list of requests and answers.
//!
//! A request is written `netfn cmd data` in hex: `06 01`, `06 44 01 02`; with a LUN `04.1 2d 30`; behind a
//! bridge on channel 0, address 0x2c: `@0/2c 04 2d 30`. An answer is completion code and data: `00 55 00`. The
//! answers `timeout`, `lost` (a write of unknown fate), `unreachable` and `auth` are failures of the transport.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::{Exchange, Request, Response, Target};
use crate::hal::model::{BoxFuture, Cx};

enum Script {
    /// These requests in this order and no others.
    InOrder(VecDeque<(String, String)>),
    /// An answer per request, as often as it comes; 0xC1 to all others.
    Table(Vec<(String, String)>),
    /// What it makes of the request.
    Live(Box<dyn FnMut(&str) -> String + Send>),
}

/// The scripted BMC.
pub struct Scripted {
    script: Mutex<Script>,
    sent: Mutex<Vec<String>>,
    learnt: LearntCell,
    /// Who is logged in.
    pub user: OnceLock<Vec<u8>>,
}

impl Scripted {
    /// Expects exactly these requests in this order; panics on any other. End with [`Scripted::assert_done`].
    pub fn in_order(steps: &[(&str, &str)]) -> Arc<Self> {
        Self::with(Script::InOrder(owned(steps).into()))
    }

    /// Answers these requests whenever they come; of several answers to one request each is used once and the
    /// last one for ever. Every other request is refused with 0xC1.
    pub fn answering(table: &[(&str, &str)]) -> Arc<Self> {
        Self::with(Script::Table(owned(table)))
    }

    /// A BMC with a state: `answer` makes the answer of each request.
    pub fn live(answer: impl FnMut(&str) -> String + Send + 'static) -> Arc<Self> {
        Self::with(Script::Live(Box::new(answer)))
    }

    fn with(script: Script) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script),
            sent: Mutex::default(),
            learnt: LearntCell::default(),
            user: OnceLock::new(),
        })
    }

    /// What was sent so far.
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    /// All expected requests have come.
    pub fn assert_done(&self) {
        if let Script::InOrder(steps) = &*self.script.lock().unwrap() {
            assert!(steps.is_empty(), "never sent: {steps:?}");
        }
    }

    fn answer(&self, request: &Request) -> Result<Response> {
        let text = written(request);
        self.sent.lock().unwrap().push(text.clone());
        let answer = match &mut *self.script.lock().unwrap() {
            Script::InOrder(steps) => {
                let (want, answer) = steps
                    .pop_front()
                    .unwrap_or_else(|| panic!("after the last step: {text} ({})", request.name));
                assert_eq!(text, want, "{}", request.name);
                answer
            }
            Script::Live(answer) => answer(&text),
            Script::Table(table) => {
                let mut hits = table
                    .iter()
                    .enumerate()
                    .filter(|(_, (want, _))| *want == text);
                match (hits.next(), hits.next()) {
                    (Some((first, _)), Some(_)) => table.remove(first).1,
                    (Some((_, (_, answer))), None) => answer.clone(),
                    (None, _) => "c1".to_owned(),
                }
            }
        };
        read(&answer)
    }
}

impl Exchange for Scripted {
    fn exchange<'a>(&'a self, _: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move { self.answer(&request) })
    }

    fn learnt(&self) -> &LearntCell {
        &self.learnt
    }

    fn user(&self) -> Option<&[u8]> {
        self.user.get().map(Vec::as_slice)
    }
}

/// A context far from its deadline.
pub fn cx() -> Cx {
    Cx::until(Instant::now() + Duration::from_mins(10))
}

/// A context that ends `seconds` from now by tokio's clock, for tests that pause it.
pub fn within(seconds: u64) -> Cx {
    let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
    Cx::until(end.into_std())
}

fn owned(steps: &[(&str, &str)]) -> Vec<(String, String)> {
    steps
        .iter()
        .map(|(request, answer)| ((*request).to_owned(), (*answer).to_owned()))
        .collect()
}

fn written(request: &Request) -> String {
    let mut text = match request.target {
        Target::Bmc => String::new(),
        Target::Bridged { channel, address } => format!("@{channel}/{address:02x} "),
    };
    let _ = match request.lun {
        0 => write!(text, "{:02x} {:02x}", request.netfn.0, request.cmd),
        lun => write!(text, "{:02x}.{lun} {:02x}", request.netfn.0, request.cmd),
    };
    for byte in &request.data {
        let _ = write!(text, " {byte:02x}");
    }
    text
}

fn read(answer: &str) -> Result<Response> {
    let kind = match answer {
        "timeout" => Kind::Timeout,
        "lost" => Kind::Indeterminate,
        "unreachable" => Kind::Unreachable,
        "auth" => Kind::Auth,
        _ => {
            let mut bytes = answer
                .split_whitespace()
                .map(|b| u8::from_str_radix(b, 16).unwrap());
            return Ok(Response {
                code: CompletionCode(bytes.next().unwrap()),
                data: bytes.collect(),
            });
        }
    };
    Err(Error::new(kind, format!("scripted: {answer}")))
}

#[tokio::test]
async fn answers_as_written() {
    use crate::hal::ipmi::cmd::app::{GetSelfTestResults, SelfTest};
    use crate::hal::ipmi::exchange::run;
    let bmc = Scripted::answering(&[("06 04", "00 55 00"), ("06 04", "d4"), ("06 04", "timeout")]);
    let ask = || async {
        run(&*bmc, &cx(), &GetSelfTestResults)
            .await
            .map_err(|e| e.kind())
    };
    assert_eq!(ask().await, Ok(SelfTest::PASSED));
    assert_eq!(ask().await, Err(Kind::Privilege));
    assert_eq!(ask().await, Err(Kind::Timeout));
    assert_eq!(ask().await, Err(Kind::Timeout));
    assert_eq!(bmc.sent(), ["06 04"; 4]);
}
