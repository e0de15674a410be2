//! What the targets share: a BMC whose answers are the input.

mod server;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use halbox::hal::bmc::Bmc;
use halbox::hal::error::{Error, Kind, Result};
use halbox::hal::ipmi::cmd::CompletionCode;
use halbox::hal::ipmi::learnt::LearntCell;
use halbox::hal::ipmi::{Exchange, Request, Response};
use halbox::hal::model::{BoxFuture, Cx};

pub use server::{Bmc as Served, Counter, Script};

/// Answers each command with the next bytes of the input: completion code, length, data. At the end of the input
/// it is silent.
pub struct Tape {
    data: Mutex<Vec<u8>>,
    learnt: LearntCell,
}

impl Exchange for Tape {
    fn exchange<'a>(&'a self, _: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        let mut tape = self.data.lock().unwrap();
        let answer = match tape.as_slice() {
            [code, length, rest @ ..] => {
                // Mostly success, or nothing interesting is ever reached.
                let code = if *code < 0xc0 { 0 } else { *code };
                let taken = usize::from(*length).min(rest.len());
                let data = rest[..taken].to_vec();
                tape.drain(..2 + taken);
                Ok(Response {
                    code: CompletionCode(code),
                    data,
                })
            }
            _ => Err(Error::new(Kind::Timeout, request.name)),
        };
        Box::pin(async move { answer })
    }

    fn learnt(&self) -> &LearntCell {
        &self.learnt
    }
}

/// Runs `f` on the IPMI driver of a BMC that answers with `data`.
pub fn drive<T>(data: &[u8], f: impl AsyncFnOnce(&Bmc, &Cx) -> T) -> T {
    let tape = Tape {
        data: Mutex::new(data.to_vec()),
        learnt: LearntCell::default(),
    };
    let mut bmc = Bmc::default();
    halbox::hal::drivers::ipmi::attach(&mut bmc, Arc::new(tape));
    let cx = Cx::until(Instant::now() + Duration::from_secs(3600));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(f(&bmc, &cx))
}
