//! Any command, as the operator writes it.

use std::sync::Arc;
use std::time::Instant;

use super::reading;
use crate::hal::caps::Raw;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::catalogue::known;
use crate::hal::ipmi::cmd::{Effect, NetFn, Privilege};
use crate::hal::ipmi::{Exchange, Request, Target};
use crate::hal::model::raw::RawReply;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Raw commands over IPMI.
pub struct IpmiRaw(pub Arc<dyn Exchange>);

impl Raw for IpmiRaw {
    fn raw<'a>(
        &'a self,
        cx: &'a Cx,
        netfn: u8,
        cmd: u8,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<Reading<RawReply>>> {
        Box::pin(async move {
            let start = Instant::now();
            if netfn > 0x3e || NetFn(netfn).is_response() {
                return Err(Error::new(
                    Kind::Config,
                    format!("raw: {netfn:#04x} is no network function of a request"),
                )
                .with_hint("requests have even network functions from 0x00 to 0x3e"));
            }
            // A command that we know gets what it needs, any other the most there is. The operator said "send", so
            // none is executed twice, a read neither.
            let known = known(NetFn(netfn), cmd, &data);
            let request = Request {
                target: Target::Bmc,
                lun: 0,
                netfn: NetFn(netfn),
                cmd,
                data,
                privilege: known.map_or(Privilege::Administrator, |known| known.privilege),
                effect: Effect::Once,
                name: known.map_or("raw command", |known| known.name),
            };
            let response = self.0.exchange(cx, request).await?;
            let reply = RawReply {
                completion_code: response.code.0,
                data: response.data,
            };
            Ok(reading(
                start,
                &format!("raw {netfn:#04x} {cmd:#04x}"),
                reply,
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scripted, cx};
    use super::*;
    use crate::hal::ipmi::Response;
    use crate::hal::ipmi::learnt::LearntCell;

    #[tokio::test]
    async fn sends_as_it_is_and_returns_any_completion_code() {
        let bmc =
            Scripted::in_order(&[("30 70 0c 00", "00 02"), ("06 99", "c1"), ("06 01", "lost")]);
        let raw = IpmiRaw(bmc.clone());
        let got = raw.raw(&cx(), 0x30, 0x70, vec![0x0c, 0]).await.unwrap();
        assert_eq!((got.value.completion_code, got.value.data), (0, vec![2]));
        assert_eq!(got.source.at, "raw 0x30 0x70");
        let got = raw.raw(&cx(), 0x06, 0x99, vec![]).await.unwrap();
        assert_eq!((got.value.completion_code, got.value.data), (0xc1, vec![]));
        let lost = raw.raw(&cx(), 0x06, 0x01, vec![]).await.unwrap_err();
        assert_eq!(lost.kind(), Kind::Indeterminate);
        bmc.assert_done();
    }

    #[tokio::test]
    async fn network_functions_of_responses_are_not_sent() {
        let bmc = Scripted::in_order(&[]);
        for netfn in [0x07, 0x40, 0xff] {
            let error = IpmiRaw(bmc.clone())
                .raw(&cx(), netfn, 1, vec![])
                .await
                .unwrap_err();
            assert_eq!(error.kind(), Kind::Config);
        }
        assert!(bmc.sent().is_empty());
    }

    /// Remembers what the layer below was told of the last request.
    struct Told(std::sync::Mutex<Option<(Privilege, Effect)>>, LearntCell);

    impl Exchange for Told {
        fn exchange<'a>(&'a self, _: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
            *self.0.lock().unwrap() = Some((request.privilege, request.effect));
            Box::pin(async { Err(Error::new(Kind::Timeout, "told")) })
        }

        fn learnt(&self) -> &LearntCell {
            &self.1
        }
    }

    #[tokio::test]
    async fn known_commands_need_no_more_than_they_do() {
        let told = Arc::new(Told(std::sync::Mutex::default(), LearntCell::default()));
        let raw = IpmiRaw(told.clone());
        for (netfn, cmd, privilege) in [
            (0x06, 0x01, Privilege::User),
            (0x00, 0x02, Privilege::Operator),
            (0x06, 0x02, Privilege::Administrator),
            (0x30, 0x70, Privilege::Administrator),
        ] {
            let _ = raw.raw(&cx(), netfn, cmd, vec![]).await;
            assert_eq!(*told.0.lock().unwrap(), Some((privilege, Effect::Once)));
        }
    }
}
