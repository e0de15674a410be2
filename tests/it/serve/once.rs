//! Request ids: what changes something on a BMC is done once per id, whatever happens in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use halbox::api::client::Client;
use halbox::api::fault::from_status;
use halbox::api::proto::power_service_client::PowerServiceClient;
use halbox::api::proto::{self, SetPowerRequest};
use halbox::api::server::{CHANGES, OWN_CHANGES};
use halbox::hal::Kind;
use prost::Message;
use prost_types::FileDescriptorSet;
use rusqlite::Connection;
use tonic::Request;

use super::daemon::Daemon;

/// Methods that ask nothing of a BMC but what it says of itself.
const READS: &[&str] = &[
    "BootService.GetState",
    "EventLogService.Entries",
    "LedService.GetState",
    "MachineService.Capabilities",
    "MachineService.Fru",
    "MachineService.Info",
    "MachineService.Lan",
    "PowerService.GetState",
    "TelemetryService.PowerMetrics",
    "TelemetryService.PowerSupplies",
    "TelemetryService.Sensors",
    "UserService.List",
];

/// Services of the daemon's own: their calls change no BMC. A console is a line, which is opened anew.
const OWN: &[&str] = &[
    "ConsoleService",
    "DiscoveryService",
    "InventoryService",
    "RegistrationService",
    "TokenService",
];

/// What these only say, besides lists and streams of what happens.
const OWN_READS: &[&str] = &[
    "AttachRequest",
    "BmcRequest",
    "DiscoverRequest",
    "GetRequest",
    "ListGrantsRequest",
    "ListRequest",
    "ListTokensRequest",
    "LookupRequest",
    "ReplayRequest",
    "StatusRequest",
    "WatchRequest",
];

/// Many of one that is in the list.
const MANY: &[&str] = &["SetManyRequest"];

#[test]
fn every_method_that_changes_a_bmc_has_a_request_id() {
    let all = FileDescriptorSet::decode(halbox::api::DESCRIPTORS).unwrap();
    let files: Vec<_> = all
        .file
        .iter()
        .filter(|f| f.package() == "halbox.v1")
        .collect();
    let messages: BTreeMap<&str, BTreeSet<&str>> = files
        .iter()
        .flat_map(|f| &f.message_type)
        .map(|m| {
            (
                m.name(),
                m.field
                    .iter()
                    .map(prost_types::FieldDescriptorProto::name)
                    .collect(),
            )
        })
        .collect();
    let (mut changes, mut own, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for service in files.iter().flat_map(|f| &f.service) {
        for method in &service.method {
            let name = format!("{}.{}", service.name(), method.name());
            let input = method.input_type().rsplit('.').next().unwrap();
            let read = READS.contains(&name.as_str());
            seen.insert(name.clone());
            if OWN.contains(&service.name()) {
                assert!(
                    OWN_READS.contains(&input) != OWN_CHANGES.contains(&input),
                    "{name}: does it change what the daemon keeps (then Server::own)?"
                );
                own.insert(input);
                continue;
            }
            if read {
                assert!(!CHANGES.contains(&input), "{name} is no read");
                continue;
            }
            if MANY.contains(&input) {
                continue;
            }
            assert!(
                CHANGES.contains(&input),
                "{name}: is it a read (then READS), or does it change a BMC (then Server::change)?"
            );
            assert!(
                messages[input].contains("request_id"),
                "{name}: {input} has no request_id"
            );
            changes.insert(input);
        }
    }
    assert_eq!(changes, CHANGES.iter().copied().collect());
    let both = OWN_CHANGES.iter().chain(OWN_READS).copied();
    assert_eq!(own, both.collect());
    assert!(READS.iter().all(|r| seen.contains(*r)));
}

/// A daemon with one simulated BMC that has credentials.
fn driven(address: &str, port: u16) -> (halbox::hal::sim::SimHandle, Daemon) {
    let sim = super::simulated(address, port, 1, "admin");
    let daemon = Daemon::start(&format!("--ipmi-port {port} --redfish-port {}", port + 1));
    daemon.lease(&[(super::MAC, address)]);
    daemon.until(super::MAC, |row| {
        row["drivers"] == serde_json::json!(["IPMI"])
    });
    let update = format!("update {} --ipmi-user admin", super::MAC);
    assert!(daemon.bmc_with(&update, "admin").status.success());
    daemon.until(super::MAC, |row| row["powermetric"]["powerstate"] == "ON");
    (sim, daemon)
}

fn power(id: &str, action: proto::PowerAction) -> SetPowerRequest {
    SetPowerRequest {
        bmc: super::MAC.to_owned(),
        action: action.into(),
        wait: false,
        request_id: id.to_owned(),
        patience: None,
    }
}

#[test]
fn the_same_id_is_done_once_and_another_request_under_it_is_refused() {
    let (sim, mut daemon) = driven("127.88.10.1", 16_310);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let actions = || sim.total().power_actions;
    runtime.block_on(async {
        let client = Client::connect(&daemon.server()).await.unwrap();
        let set = |request| async { client.power().set(request).await };
        let first = set(power("one", proto::PowerAction::Reset)).await.unwrap();
        assert_eq!(actions(), 1);
        // Ten at the same time, and under another name of the BMC: the answer of the first.
        let by_address = SetPowerRequest {
            bmc: "127.88.10.1".to_owned(),
            ..power("one", proto::PowerAction::Reset)
        };
        for answer in futures([0; 10].map(|_| by_address.clone()), set).await {
            assert_eq!(answer.unwrap().into_inner(), *first.get_ref());
        }
        assert_eq!(actions(), 1);
        let other = set(power("one", proto::PowerAction::Cycle)).await;
        let error = from_status(&other.unwrap_err());
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.hint().is_some());
        // Ten with a new id at the same time.
        for answer in futures(
            [0; 10].map(|_| power("two", proto::PowerAction::Reset)),
            set,
        )
        .await
        {
            answer.unwrap();
        }
        assert_eq!(actions(), 2);
        // What failed is kept as well: off, then a reset that is refused, also when the machine is on again.
        let waiting = |id, action| SetPowerRequest {
            wait: true,
            ..power(id, action)
        };
        set(waiting("off", proto::PowerAction::Off)).await.unwrap();
        let refused = set(power("three", proto::PowerAction::Reset)).await;
        let refused = refused.unwrap_err();
        set(waiting("on", proto::PowerAction::On)).await.unwrap();
        let before = actions();
        let again = set(power("three", proto::PowerAction::Reset)).await;
        assert_eq!(again.unwrap_err().message(), refused.message());
        for wrong in ["two words", &"x".repeat(129)] {
            let wrong = set(power(wrong, proto::PowerAction::Reset)).await;
            assert_eq!(from_status(&wrong.unwrap_err()).kind(), Kind::Config);
        }
        // A batch: two of the same id among others.
        let batch = proto::SetManyRequest {
            requests: ["m1", "m2", "m1", "one"]
                .map(|id| power(id, proto::PowerAction::Reset))
                .to_vec(),
        };
        let mut stream = client.power().set_many(batch).await.unwrap().into_inner();
        let mut done = 0;
        while let Some(result) = stream.message().await.unwrap() {
            assert!(
                matches!(
                    result.result,
                    Some(proto::set_many_response::Result::Done(_))
                ),
                "{result:?}"
            );
            done += 1;
        }
        assert_eq!((done, actions()), (4, before + 2));
        // Without an id every call is a new one.
        set(power("", proto::PowerAction::Reset)).await.unwrap();
        set(power("", proto::PowerAction::Reset)).await.unwrap();
        assert_eq!(actions(), before + 4);
    });
    // It is kept over a restart.
    assert_eq!(daemon.terminate(), Some(0));
    daemon.begin();
    let before = actions();
    runtime.block_on(async {
        let client = Client::connect(&daemon.server()).await.unwrap();
        let again = power("one", proto::PowerAction::Reset);
        client.power().set(again).await.unwrap();
    });
    assert_eq!(actions(), before);
    // A crash between the intent and the outcome, as the table shows it.
    daemon.murder();
    let table = daemon.dir.path().join("state/halbox.sqlite");
    let db = Connection::open(&table).unwrap();
    let changed = db
        .execute("UPDATE request SET outcome = 0 WHERE id = 'm1'", [])
        .unwrap();
    assert_eq!(changed, 1);
    drop(db);
    daemon.begin();
    runtime.block_on(async {
        let client = Client::connect(&daemon.server()).await.unwrap();
        for _ in 0..2 {
            let again = power("m1", proto::PowerAction::Reset);
            let error = from_status(&client.power().set(again).await.unwrap_err());
            assert_eq!(error.kind(), Kind::Indeterminate, "{}", error.chain());
        }
    });
    assert_eq!(actions(), before);
    assert_eq!(daemon.terminate(), Some(0));
}

async fn futures<T, R: Send + 'static, F: Future<Output = R>, const N: usize>(
    requests: [T; N],
    call: impl Fn(T) -> F,
) -> Vec<R> {
    let mut running: Vec<_> = requests.into_iter().map(|r| Box::pin(call(r))).collect();
    let mut out = Vec::new();
    // All of them are polled before the first is waited for.
    std::future::poll_fn(|cx| {
        running.retain_mut(|one| match one.as_mut().poll(cx) {
            std::task::Poll::Ready(result) => {
                out.push(result);
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    out
}

#[test]
#[expect(clippy::too_many_lines, reason = "one statement per method")]
fn each_of_them_is_done_once() {
    use proto::{
        boot_service_client::BootServiceClient, event_log_service_client::EventLogServiceClient,
        led_service_client::LedServiceClient, machine_service_client::MachineServiceClient,
        user_service_client::UserServiceClient,
    };
    static COMMANDS: AtomicU64 = AtomicU64::new(0);
    let (sim, daemon) = driven("127.88.10.2", 16_312);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bmc = || super::MAC.to_owned();
    let password = |text: &str| {
        Some(proto::Secret {
            value: text.as_bytes().to_vec(),
        })
    };
    runtime.block_on(async {
        let channel = tonic::transport::Endpoint::from_shared(daemon.server())
            .unwrap()
            .connect()
            .await
            .unwrap();
        // Sends it twice: the answer is the same to the nanosecond that the first took, and the BMC hears nothing of it.
        macro_rules! twice {
            ($client:ident . $method:ident ( $message:expr )) => {{
                let id = twice!(loud $client.$method($message));
                let commands = sim.total().commands;
                assert_eq!(commands, COMMANDS.load(Ordering::Relaxed), "{id}");
                id
            }};
            // What makes the daemon look at the BMC again.
            (loud $client:ident . $method:ident ( $message:expr )) => {{
                let mut message = $message;
                message.request_id = stringify!($method).to_owned() + stringify!($client);
                let mut client = $client::new(channel.clone());
                let first = client.$method(Request::new(message.clone())).await;
                let first = first.unwrap_or_else(|e| panic!("{}: {e}", message.request_id));
                COMMANDS.store(sim.total().commands, Ordering::Relaxed);
                let again = client.$method(Request::new(message.clone())).await.unwrap();
                assert_eq!(first.get_ref(), again.get_ref(), "{}", message.request_id);
                message.request_id.clone()
            }};
        }
        let mut ids = BTreeSet::new();
        ids.insert(twice!(
            PowerServiceClient.set(power("", proto::PowerAction::Cycle))
        ));
        ids.insert(twice!(BootServiceClient.set(proto::SetBootRequest {
            bmc: bmc(),
            target: proto::BootTarget::Pxe.into(),
            ..Default::default()
        })));
        ids.insert(twice!(LedServiceClient.set(proto::SetLedRequest {
            bmc: bmc(),
            on: true,
            ..Default::default()
        })));
        ids.insert(twice!(EventLogServiceClient.clear(proto::ClearRequest {
            bmc: bmc(),
            ..Default::default()
        })));
        ids.insert(twice!(MachineServiceClient.raw(proto::RawRequest {
            bmc: bmc(),
            netfn: 6,
            cmd: 1,
            ..Default::default()
        })));
        ids.insert(twice!(UserServiceClient.create(proto::CreateUserRequest {
            bmc: bmc(),
            name: "bob".to_owned(),
            password: password("Abc-12345678"),
            role: proto::Role::Operator.into(),
            ..Default::default()
        })));
        ids.insert(twice!(UserServiceClient.set_password(
            proto::SetPasswordRequest {
                bmc: bmc(),
                name: "bob".to_owned(),
                password: password("Abc-87654321"),
                ..Default::default()
            }
        )));
        // A password is part of what was asked.
        let other = proto::SetPasswordRequest {
            bmc: bmc(),
            name: "bob".to_owned(),
            password: password("Abc-87654322"),
            request_id: "set_passwordUserServiceClient".to_owned(),
        };
        let mut client = UserServiceClient::new(channel.clone());
        let other = client.set_password(other).await.unwrap_err();
        assert_eq!(from_status(&other).kind(), Kind::Config);
        ids.insert(twice!(UserServiceClient.set_enabled(
            proto::SetEnabledRequest {
                bmc: bmc(),
                name: "bob".to_owned(),
                enabled: false,
                ..Default::default()
            }
        )));
        ids.insert(twice!(UserServiceClient.delete(proto::DeleteUserRequest {
            bmc: bmc(),
            name: "bob".to_owned(),
            ..Default::default()
        })));
        ids.insert(twice!(loud UserServiceClient.create_ipmi_user(
            proto::CreateIpmiUserRequest {
                bmc: bmc(),
                password: password("Abc-12345678"),
                role: proto::Role::Administrator.into(),
                ..Default::default()
            }
        )));
        ids.insert(twice!(loud MachineServiceClient.reset_bmc(
            proto::ResetBmcRequest {
                bmc: bmc(),
                ..Default::default()
            }
        )));
        // Init answers with a stream of steps; serve::cli tests it.
        let single = CHANGES.iter().filter(|c| **c != "InitRequest");
        assert_eq!(ids.len(), single.count(), "{ids:?} against {CHANGES:?}");
    });
}

#[test]
fn what_the_daemon_keeps_is_changed_once_per_id_too() {
    let mut daemon = Daemon::start("--ipmi-port 16310 --redfish-port 16311");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ask = |daemon: &Daemon, role: &str| {
        let request = proto::CreateTokenRequest {
            role: role.to_owned(),
            ttl: Some(prost_types::Duration {
                seconds: 60,
                nanos: 0,
            }),
            request_id: "token".to_owned(),
            ..proto::CreateTokenRequest::default()
        };
        let server = daemon.server();
        runtime.block_on(async {
            let client = Client::connect(&server).await.unwrap();
            let ask = |request| async { client.tokens().create(request).await };
            futures([0; 10].map(|_| request.clone()), ask).await
        })
    };
    let tokens = |daemon: &Daemon| {
        let server = daemon.server();
        runtime.block_on(async {
            let client = Client::connect(&server).await.unwrap();
            let list = client.tokens().list(proto::ListTokensRequest {}).await;
            list.unwrap().into_inner().tokens.len()
        })
    };
    let first: Vec<_> = ask(&daemon, "viewer")
        .into_iter()
        .map(|answer| answer.unwrap().into_inner())
        .collect();
    assert!(first.iter().all(|answer| *answer == first[0]));
    assert_eq!(tokens(&daemon), 1);
    // After a crash as well; and another request under the id is refused.
    daemon.murder();
    daemon.begin();
    let again = ask(&daemon, "viewer").remove(0).unwrap().into_inner();
    assert_eq!(again, first[0]);
    let other = ask(&daemon, "operator").remove(0).unwrap_err();
    assert_eq!(from_status(&other).kind(), Kind::Config);
    assert_eq!(tokens(&daemon), 1);
    // Its text opens the door and stands in no file of the daemon.
    let text = first[0].text.clone().unwrap().value;
    for (path, bytes) in daemon.files() {
        assert!(
            !bytes.windows(text.len()).any(|w| w == text),
            "{}",
            path.display()
        );
    }
}
