//! The command line cannot lag behind the API: every method of the descriptors has its command here, the command is
//! there, and the client calls the method.

use std::collections::BTreeSet;
use std::path::Path;

use prost::Message;
use prost_types::FileDescriptorSet;

use crate::applets::{APPLETS, root};

/// Method → words on the command line.
const COMMANDS: &[(&str, &str)] = &[
    ("BootService.GetState", "bmc boot status"),
    ("BootService.Set", "bmc boot pxe"),
    ("ConsoleService.Attach", "bmc console"),
    ("ConsoleService.CreateGrant", "bmc console-grant"),
    ("ConsoleService.ListGrants", "bmc console-grant"),
    ("ConsoleService.Replay", "bmc console"),
    ("ConsoleService.RevokeGrant", "bmc console-grant"),
    ("ConsoleService.State", "bmc console"),
    ("DiscoveryService.Discover", "bmc discover"),
    ("DiscoveryService.Status", "bmc status"),
    ("EventLogService.Clear", "bmc sel clear"),
    ("EventLogService.Entries", "bmc sel ls"),
    ("InventoryService.Add", "bmc add"),
    ("InventoryService.Get", "bmc describe"),
    ("InventoryService.List", "bmc ls"),
    ("InventoryService.Remove", "bmc rm"),
    ("InventoryService.Trust", "bmc trust"),
    ("InventoryService.Update", "bmc update"),
    ("InventoryService.Watch", "bmc watch"),
    ("LedService.GetState", "bmc led status"),
    ("LedService.Set", "bmc led on"),
    ("MachineService.Capabilities", "bmc capabilities"),
    ("MachineService.Fru", "bmc fru"),
    ("MachineService.Info", "bmc info"),
    ("MachineService.Lan", "bmc lan"),
    ("MachineService.Raw", "bmc raw"),
    ("MachineService.ResetBmc", "bmc bmc-reset"),
    ("PowerService.GetState", "bmc power status"),
    ("PowerService.Set", "bmc power cycle"),
    ("RegistrationService.Lookup", "inband-init"),
    ("RegistrationService.Register", "inband-init"),
    ("TelemetryService.PowerMetrics", "bmc power-metrics"),
    ("TelemetryService.PowerSupplies", "bmc power-metrics"),
    ("TelemetryService.Sensors", "bmc sensors"),
    ("TokenService.Create", "token create"),
    ("TokenService.List", "token ls"),
    ("TokenService.Revoke", "token revoke"),
    ("UserService.Create", "bmc user create"),
    ("UserService.CreateIpmiUser", "bmc create-ipmi-user"),
    ("UserService.Delete", "bmc user delete"),
    ("UserService.Init", "bmc init"),
    ("UserService.List", "bmc user ls"),
    ("UserService.SetEnabled", "bmc user disable"),
    ("UserService.SetPassword", "bmc user set-password"),
];

/// Methods for programs; the command line does the same with others, one call per BMC, with `--all` and `--fanout`.
const FOR_PROGRAMS: &[&str] = &["PowerService.SetMany"];

/// `Service.Method` of every method of ours.
fn methods() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(crate::api::DESCRIPTORS).unwrap();
    let files = set.file.iter().filter(|f| f.package() == "halbox.v1");
    let services = files.flat_map(|f| &f.service);
    services
        .flat_map(|s| {
            let name =
                |m: &prost_types::MethodDescriptorProto| format!("{}.{}", s.name(), m.name());
            s.method.iter().map(name).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_method_of_the_api_has_a_command() {
    let all = methods();
    assert!(all.len() > 30, "{all:?}");
    let known: BTreeSet<String> = COMMANDS
        .iter()
        .map(|(method, _)| *method)
        .chain(FOR_PROGRAMS.iter().copied())
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = all.difference(&known).collect();
    assert!(missing.is_empty(), "no command does {missing:?}");
    let gone: Vec<_> = known.difference(&all).collect();
    assert!(gone.is_empty(), "not in the API: {gone:?}");
}

#[test]
fn every_command_is_there() {
    let mut root = root(APPLETS);
    root.build();
    for (method, words) in COMMANDS {
        let mut command = &root;
        for word in words.split(' ') {
            command = command
                .find_subcommand(word)
                .unwrap_or_else(|| panic!("{method}: there is no '{words}'"));
        }
        assert!(
            !command.has_subcommands() || !command.is_subcommand_required_set(),
            "{method}: '{words}' is only a group"
        );
    }
}

/// The words of the table would be worth little if the command did something else.
#[test]
fn the_client_calls_every_method() {
    let mut text = String::new();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for dir in ["api/client", "applets"] {
        read(&top.join(dir), &mut text);
    }
    let text: String = text.split_whitespace().collect();
    for (method, _) in COMMANDS {
        let (service, name) = method.split_once('.').unwrap();
        let client = format!("{service}Client");
        let snake = snake(name);
        // `PowerServiceClient.set(` of the macros, or `.inventory().list(` of the clients by name.
        let by_name = match service {
            "InventoryService" => ".inventory()",
            "DiscoveryService" => ".discovery()",
            "UserService" => ".users()",
            "MachineService" => "machines",
            "ConsoleService" => ".consoles()",
            _ => "tokens()",
        };
        let ways = [
            format!("{client}.{snake}("),
            format!("{by_name}.{snake}("),
            format!("service.{snake}("),
        ];
        assert!(
            ways.iter().any(|way| text.contains(way)),
            "{method}: none of {ways:?} is called"
        );
    }
}

fn read(dir: &Path, text: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, text);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("parity.rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// `CreateIpmiUser` → `create_ipmi_user`
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
