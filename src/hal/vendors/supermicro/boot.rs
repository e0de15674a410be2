//! The boot override: by IPMI's boot flags where Redfish says no, or says yes and does not keep it.

use std::sync::Arc;

use crate::hal::bmc::Bmc;
use crate::hal::caps::Boot;
use crate::hal::error::{Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootState, BoxFuture, Cx, DriverName, Reading};

struct OrFlags {
    redfish: Arc<dyn Boot>,
    ipmi: Arc<dyn Boot>,
}

/// Replaces Redfish's slot, when IPMI has one too.
pub(super) fn attach(bmc: &mut Bmc) {
    let ipmi = bmc.boot.iter().find(|slot| slot.driver == DriverName::Ipmi);
    let Some(ipmi) = ipmi.map(|slot| Arc::clone(&slot.implementation)) else {
        return;
    };
    bmc.boot
        .overwrite(DriverName::Redfish, "supermicro", |redfish| {
            Arc::new(OrFlags { redfish, ipmi })
        });
}

impl Boot for OrFlags {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        self.redfish.state(cx)
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        request: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move {
            match self.redfish.set(cx, request).await {
                // It answered, and nothing is set: what IPMI sets cannot be in its way. Of an override whose fate is
                // unknown nothing is said here.
                Err(error) if error.kind() == Kind::Refused => {
                    log::info!("boot over Redfish: {}; IPMI boot flags instead", error.chain());
                    let mut set = self.ipmi.set(cx, request).await?;
                    set.source.overwrite = Some("supermicro");
                    Ok(set)
                }
                other => other,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::error::Error;
    use crate::hal::model::{BootMode, BootPersistence, BootTarget, Source};
    use std::time::{Duration, Instant};

    struct Says(Result<(), Kind>, DriverName);

    impl Boot for Says {
        fn state<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
            let value = BootState {
                target: BootTarget::Pxe,
                mode: None,
                persistence: BootPersistence::Once,
            };
            let out = self.0.map(|()| Reading {
                value,
                source: Source::new(self.1, "x"),
                took: Duration::ZERO,
            });
            Box::pin(async move { out.map_err(|kind| Error::new(kind, "no")) })
        }

        fn set<'a>(
            &'a self,
            cx: &'a Cx,
            _: BootRequest,
        ) -> BoxFuture<'a, Result<Reading<BootState>>> {
            self.state(cx)
        }
    }

    async fn by(redfish: Result<(), Kind>) -> Result<String, Kind> {
        let mut bmc = Bmc::default();
        let boot = |says, driver| Arc::new(Says(says, driver));
        bmc.boot
            .push(DriverName::Redfish, boot(redfish, DriverName::Redfish));
        bmc.boot.push(DriverName::Ipmi, boot(Ok(()), DriverName::Ipmi));
        attach(&mut bmc);
        let cx = Cx::until(Instant::now());
        let request = BootRequest {
            target: BootTarget::Pxe,
            mode: BootMode::Uefi,
            persistent: true,
        };
        let set = bmc.boot.call("boot.set", |b| b.set(&cx, request)).await;
        set.map(|r| r.source.to_string()).map_err(|e| e.kind())
    }

    #[tokio::test]
    async fn boot_flags_when_redfish_does_not_keep_it() {
        assert_eq!(by(Ok(())).await, Ok("redfish".into()));
        assert_eq!(by(Err(Kind::Refused)).await, Ok("supermicro(ipmi)".into()));
        assert_eq!(by(Err(Kind::Timeout)).await, Err(Kind::Timeout));
        assert_eq!(by(Err(Kind::Indeterminate)).await, Err(Kind::Indeterminate));
    }

    #[test]
    fn without_ipmi_nothing_is_replaced() {
        let mut bmc = Bmc::default();
        let redfish = Arc::new(Says(Ok(()), DriverName::Redfish));
        bmc.boot.push(DriverName::Redfish, redfish);
        attach(&mut bmc);
        assert!(bmc.boot.iter().all(|slot| slot.overwrite.is_none()));
    }
}
