//! A BMC whose product is found out when that matters: nothing is asked of those that never need it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ipmi::{learn, switch_on};
use crate::hal::error::Result;
use crate::hal::ipmi::cmd::app::GetDeviceId;
use crate::hal::ipmi::cmd::chassis::GetSystemBootOptions;
use crate::hal::ipmi::cmd::{Command, Privilege};
use crate::hal::ipmi::exchange::finish;
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::{Exchange, Request, Response, Target};
use crate::hal::model::console::{ConsoleOptions, ConsoleStream};
use crate::hal::model::{BoxFuture, Cx};

/// Passes everything on, and looks at the answers.
pub(super) struct Attended {
    inner: Arc<dyn Exchange>,
    /// Get Device ID was sent from here; a BMC that has no answer to it is not asked again.
    asked: AtomicBool,
}

/// What the answer to a request can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// The product itself.
    Product,
    /// That products differ in what comes next: boot options.
    Matters,
    /// Nothing.
    Nothing,
}

impl Tells {
    fn of(request: &Request) -> Self {
        let is = |netfn, cmd| (request.netfn, request.cmd) == (netfn, cmd);
        if is(GetDeviceId::NETFN, GetDeviceId::CMD) && request.target == Target::Bmc {
            Self::Product
        } else if is(GetSystemBootOptions::NETFN, GetSystemBootOptions::CMD) {
            Self::Matters
        } else {
            Self::Nothing
        }
    }

    fn matters(self, response: &Response) -> bool {
        response.code.is_ok() && self == Self::Matters
    }
}

impl Attended {
    pub(super) fn new(inner: Arc<dyn Exchange>) -> Self {
        Self {
            inner,
            asked: AtomicBool::new(false),
        }
    }

    async fn heed(&self, cx: &Cx, tells: Tells, response: &Response) {
        if tells == Tells::Product
            && let Ok(device) = finish(&GetDeviceId, response)
        {
            self.learnt()
                .update(|learnt| switch_on(learnt, device.manufacturer, device.product));
        }
        if tells.matters(response)
            && self.learnt().snapshot().manufacturer.is_none()
            && !self.asked.swap(true, Ordering::Relaxed)
            && let Err(error) = learn(&*self.inner, cx).await
        {
            log::debug!("product unknown: {}", error.chain());
        }
    }
}

impl Exchange for Attended {
    fn exchange<'a>(&'a self, cx: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            let tells = Tells::of(&request);
            let response = self.inner.exchange(cx, request).await?;
            self.heed(cx, tells, &response).await;
            Ok(response)
        })
    }

    fn exchange_all<'a>(
        &'a self,
        cx: &'a Cx,
        requests: Vec<Request>,
    ) -> BoxFuture<'a, Vec<Result<Response>>> {
        Box::pin(async move {
            let tell: Vec<Tells> = requests.iter().map(Tells::of).collect();
            let answers = self.inner.exchange_all(cx, requests).await;
            for (tells, answer) in tell.into_iter().zip(&answers) {
                if let Ok(response) = answer {
                    self.heed(cx, tells, response).await;
                }
            }
            answers
        })
    }

    fn console(&self, options: ConsoleOptions) -> Option<ConsoleStream> {
        self.inner.console(options)
    }

    fn admit<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<()>> {
        self.inner.admit(cx)
    }

    fn expect(&self, highest: Privilege) {
        self.inner.expect(highest);
    }

    fn learnt(&self) -> &LearntCell {
        self.inner.learnt()
    }

    fn user(&self) -> Option<&[u8]> {
        self.inner.user()
    }
}

#[cfg(test)]
mod tests;
