//! The API itself: what is in it, who may use it.

use std::collections::BTreeSet;
use std::process::Command;

use prost::Message;
use prost_types::FileDescriptorSet;

use super::daemon::Daemon;
use crate::common::{halbox, lacks, root, stderr, stdout};

/// Every method, and the command that calls it.
const COMMANDS: &[(&str, &str)] = &[
    ("InventoryService.List", "ls"),
    ("InventoryService.Get", "describe"),
    ("InventoryService.Update", "update"),
    ("InventoryService.Add", "add"),
    ("InventoryService.Remove", "rm"),
    ("InventoryService.Watch", "watch"),
    ("InventoryService.Trust", "trust"),
    ("DiscoveryService.Discover", "discover"),
    ("DiscoveryService.Status", "status"),
    ("PowerService.GetState", "power status"),
    ("PowerService.Set", "power cycle"),
    // The command line fans out by itself: it waits for each as long as that one needs.
    ("PowerService.SetMany", "power on"),
    ("BootService.GetState", "boot status"),
    ("BootService.Set", "boot pxe"),
    ("LedService.GetState", "led status"),
    ("LedService.Set", "led on"),
    ("UserService.Init", "init"),
    ("UserService.List", "user ls"),
    ("UserService.Create", "user create"),
    ("UserService.SetPassword", "user set-password"),
    ("UserService.SetEnabled", "user enable"),
    ("UserService.Delete", "user delete"),
    ("UserService.CreateIpmiUser", "create-ipmi-user"),
    ("MachineService.Info", "info"),
    ("MachineService.Capabilities", "capabilities"),
    ("MachineService.Fru", "fru"),
    ("MachineService.Lan", "lan"),
    ("MachineService.ResetBmc", "bmc-reset"),
    ("MachineService.Raw", "raw"),
    ("TelemetryService.Sensors", "sensors"),
    ("TelemetryService.PowerMetrics", "power-metrics"),
    ("TelemetryService.PowerSupplies", "power-metrics"),
    ("EventLogService.Entries", "sel ls"),
    ("EventLogService.Clear", "sel clear"),
    ("ConsoleService.Attach", "console"),
    ("ConsoleService.State", "console"),
    ("ConsoleService.Replay", "console"),
    ("ConsoleService.CreateGrant", "console-grant"),
    ("ConsoleService.ListGrants", "console-grant"),
    ("ConsoleService.RevokeGrant", "console-grant"),
];

/// Services for machines themselves, not for people.
const NOT_FOR_PEOPLE: &[&str] = &["RegistrationService"];

#[test]
fn every_method_has_its_command() {
    let all = FileDescriptorSet::decode(halbox::api::DESCRIPTORS).unwrap();
    let mut methods = BTreeSet::new();
    for file in all.file.iter().filter(|f| f.package() == "halbox.v1") {
        for service in &file.service {
            // `halbox token`, an applet of its own.
            if service.name() == "TokenService" {
                let token = halbox::applets::root(halbox::applets::APPLETS);
                let token = token.find_subcommand("token").unwrap();
                for word in ["create", "ls", "revoke"] {
                    assert!(token.find_subcommand(word).is_some());
                }
                assert_eq!(service.method.len(), 3);
                continue;
            }
            if NOT_FOR_PEOPLE.contains(&service.name()) {
                continue;
            }
            for method in &service.method {
                methods.insert(format!("{}.{}", service.name(), method.name()));
            }
        }
    }
    let named: BTreeSet<String> = COMMANDS.iter().map(|(m, _)| (*m).to_owned()).collect();
    assert_eq!(methods, named);
    let root = halbox::applets::root(halbox::applets::APPLETS);
    for (method, path) in COMMANDS {
        let mut command = root.find_subcommand("bmc").unwrap();
        for word in path.split(' ') {
            command = command
                .find_subcommand(word)
                .unwrap_or_else(|| panic!("{method}: no command '{path}'"));
        }
    }
}

#[test]
fn the_generated_code_is_that_of_the_definition() {
    let out = tempfile::tempdir().unwrap();
    let target = std::path::Path::new(env!("CARGO_BIN_EXE_halbox"))
        .ancestors()
        .nth(2)
        .unwrap()
        .join("proto-gen");
    let made = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--locked", "--manifest-path"])
        .arg(root().join("proto/gen/Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .arg("--")
        .arg(out.path())
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    if !made.status.success() {
        return lacks("proto/gen", &stderr(&made));
    }
    for name in ["halbox.v1.rs", "halbox.v1.bin"] {
        let same = std::fs::read(out.path().join(name)).unwrap()
            == std::fs::read(root().join("proto/generated").join(name)).unwrap();
        assert!(same, "proto/generated/{name} is stale: run `just gen`");
    }
}

/// A client that nobody here wrote: Python's grpcio, which learns everything by reflection.
const PYTHON: &str = r#"
import sys, grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
# The path of a socket is no authority that HTTP/2 servers take.
channel = grpc.insecure_channel(sys.argv[1], options=[("grpc.default_authority", "localhost")])
database = ProtoReflectionDescriptorDatabase(channel)
print("services", *sorted(database.get_services()))
pool = DescriptorPool(database)
def call(service, method, **fields):
    m = pool.FindServiceByName("halbox.v1." + service).FindMethodByName(method)
    request = GetMessageClass(m.input_type)(**fields)
    reply = GetMessageClass(m.output_type)
    kind = channel.unary_stream if m.server_streaming else channel.unary_unary
    return kind("/halbox.v1.%s/%s" % (service, method), request_serializer=lambda r: r.SerializeToString(),
                response_deserializer=reply.FromString)(request, timeout=30)
print("rows", *[row.mac for row in call("InventoryService", "List", all=True)])
mac = sys.argv[2]
print("get", call("InventoryService", "Get", bmc=mac).address)
print("power", call("PowerService", "GetState", bmc=mac).state)
print("off", call("PowerService", "Set", bmc=mac, action=2, wait=True).state)
try:
    call("PowerService", "GetState", bmc="ac:1f:6b:00:00:77")
except grpc.RpcError as e:
    print("missing", e.code().name)
"#;

#[test]
fn a_foreign_client_lists_describes_and_powers() {
    let python = Command::new("python3")
        .args(["-c", "import grpc, grpc_reflection"])
        .output();
    if !python.is_ok_and(|out| out.status.success()) {
        return lacks("grpcio-reflection", "tests/setup.sh installs it");
    }
    let sim = super::simulated("127.88.6.1", 16_290, 1, "admin");
    let daemon = Daemon::start("--ipmi-port 16290 --redfish-port 16291");
    daemon.lease(&[(super::MAC, "127.88.6.1")]);
    daemon.until(super::MAC, |row| {
        row["drivers"] == serde_json::json!(["IPMI"])
    });
    let update = format!("update {} --ipmi-user admin", super::MAC);
    assert!(daemon.bmc_with(&update, "admin").status.success());
    let out = Command::new("python3")
        .args([
            "-c",
            PYTHON,
            &daemon.server().replace("unix://", "unix:"),
            super::MAC,
        ])
        .output()
        .unwrap();
    let said = stdout(&out);
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(
        said.contains("halbox.v1.PowerService") && said.contains("grpc.health.v1.Health"),
        "{said}"
    );
    for line in [
        format!("rows {}", super::MAC),
        "get 127.88.6.1".to_owned(),
        "power 1".to_owned(),
        "off 2".to_owned(),
        "missing NOT_FOUND".to_owned(),
    ] {
        assert!(said.lines().any(|l| l == line), "no '{line}' in {said}");
    }
    assert_eq!(sim.with_state(0, |s| s.power.on), Some(false));
}

/// A certificate authority and what it issued, as PEM files.
pub(super) fn issue(dir: &std::path::Path, address: &str) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    for (name, years) in [
        ("server", 4096),
        ("op", 4096),
        ("stranger", 4096),
        ("old", 2020),
    ] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![address.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2010, 1, 1);
        params.not_after = rcgen::date_time_ymd(years, 1, 1);
        let issued = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(dir.join(format!("{name}.pem")), issued.pem()).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[test]
fn over_tls_certificates_and_tokens_have_roles() {
    let dir = tempfile::tempdir().unwrap();
    issue(dir.path(), "127.88.7.1");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let file = dir.path().join("halbox.yaml");
    std::fs::write(&file, "roles: {op: operator, old: admin}\n").unwrap();
    let daemon = Daemon::start(&format!(
        "--config {} --listen 127.88.7.1:16300 --tls-cert {} --tls-key {} --tls-client-ca {}",
        file.display(),
        at("server.pem"),
        at("server.key"),
        at("ca.pem")
    ));
    let mac = super::MAC;
    assert!(daemon.bmc(&format!("add {mac}")).status.success());
    let call = |who: Option<&str>, line: &str| {
        let mut command = halbox();
        command.args(["bmc", "--server", "https://127.88.7.1:16300"]);
        command.args(["--ca", &at("ca.pem")]);
        if let Some(who) = who {
            command.args(["--cert", &at(&format!("{who}.pem"))]);
            command.args(["--key", &at(&format!("{who}.key"))]);
        }
        command.args(line.split_whitespace()).output().unwrap()
    };
    let out = call(Some("op"), "ls --all");
    assert!(out.status.success(), "{}", stderr(&out));
    assert!(stdout(&out).contains(mac));
    // An operator sees no passwords; without a certificate, with one that has no role, or with one that has ended,
    // nobody does anything.
    let out = call(Some("op"), &format!("describe {mac} --with-passwords"));
    assert_eq!(out.status.code(), Some(4), "{}", stderr(&out));
    for who in [None, Some("stranger")] {
        let out = call(who, "ls");
        assert_eq!(out.status.code(), Some(4), "{who:?}: {}", stderr(&out));
    }
    assert!(!call(Some("old"), "ls").status.success());
    let token = |line: &str| {
        let out = halbox()
            .env("HALBOX_SERVER", daemon.server())
            .arg("token")
            .args(line.split_whitespace())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", stderr(&out));
        stdout(&out).trim().to_owned()
    };
    let viewer = token("create --role viewer --ttl 1h");
    std::fs::write(dir.path().join("viewer"), format!("{viewer}\n")).unwrap();
    // On the socket a token counts more than who we are: a viewer may look and no more.
    let as_viewer = format!("--token-file {}", at("viewer"));
    assert!(
        daemon
            .bmc(&format!("{as_viewer} describe {mac}"))
            .status
            .success()
    );
    for line in [
        format!("rm {mac}"),
        format!("describe {mac} --with-passwords"),
    ] {
        let out = daemon.bmc(&format!("{as_viewer} {line}"));
        assert_eq!(out.status.code(), Some(4), "{line}: {}", stderr(&out));
    }
    let id = viewer.split('_').nth(1).unwrap();
    assert!(token("ls").contains(id));
    token(&format!("revoke {id}"));
    assert_eq!(
        daemon.bmc(&format!("{as_viewer} ls")).status.code(),
        Some(4)
    );
    assert!(
        !std::fs::read_to_string(daemon.dir.path().join("state/tokens.json"))
            .unwrap()
            .contains(&viewer)
    );
}
