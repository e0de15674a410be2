//! How vendors' Redfish services differ, as data.

use crate::hal::sim::profile::ProfileName;

/// What the service says of reset values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetValues {
    /// Beside the parameter.
    Inline,
    /// Only in an ActionInfo resource.
    ActionInfo,
    /// Both.
    Both,
}

/// What happens when the host is already in the state that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needless {
    /// It is done.
    Fine,
    /// 409 (iDRAC).
    Conflict,
    /// 400 InvalidOperationForSystemState (iLO).
    Invalid,
}

/// The properties of the identify LED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Led {
    /// LocationIndicatorActive and IndicatorLED.
    Both,
    /// IndicatorLED: Lit, Blinking, Off.
    Indicator,
    /// IndicatorLED Lit while idle, Blinking while identified; LocationIndicatorActive beside it (iDRAC).
    IdleLit,
    /// Only LocationIndicatorActive.
    Location,
}

/// Which requests change the boot override.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootVia {
    /// A PATCH of the system.
    System,
    /// A PATCH of the system or of its settings object.
    Either,
    /// Only a PATCH of the settings object; the system refuses.
    Settings,
}

/// How the boot override works.
#[derive(Debug, Clone, Copy)]
pub struct BootRules {
    /// Values of BootSourceOverrideTarget.
    pub targets: &'static [&'static str],
    /// Values of BootSourceOverrideEnabled.
    pub enabled: &'static [&'static str],
    /// There are allowable values beside BootSourceOverrideEnabled and -Mode.
    pub tells_values: bool,
    /// BootSourceOverrideMode can be written.
    pub mode_writable: bool,
    /// A PATCH without target, enabled and mode together is answered with success and ignored.
    pub full_or_nothing: bool,
    /// What is to be patched.
    pub via: BootVia,
    /// Last segment of the settings object.
    pub settings: Option<&'static str>,
}

/// How accounts are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountStyle {
    /// POST on the collection; ids are numbers.
    Post,
    /// POST on the collection; ids are names.
    Names,
    /// Sixteen slots, empty ones are members too; POST is 405.
    Slots,
}

/// Entity tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Etags {
    /// None at all.
    None,
    /// `"…"`.
    Strong,
    /// `W/"…"`, taken back as they are or without `W/`.
    Weak,
    /// `W/"…"`, taken back only without `W/`.
    WeakBare,
}

/// What a successful PATCH or action answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// 200 and the resource (204 for actions).
    Resource,
    /// 200 and a message that says so.
    Message,
    /// 204.
    Empty,
}

/// Where the event log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOwner {
    /// The system.
    System,
    /// The manager.
    Manager,
}

/// One vendor's Redfish.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// RedfishVersion.
    pub version: &'static str,
    /// Vendor of the service root.
    pub vendor: Option<&'static str>,
    /// Product of the service root.
    pub product: Option<&'static str>,
    /// The name below Oem.
    pub oem: Option<&'static str>,
    /// O= of the certificate.
    pub organisation: &'static str,
    /// Manufacturer of system and chassis; `None`: the property is absent.
    pub maker: Option<&'static str>,
    /// Id of the system.
    pub system: &'static str,
    /// Id of the manager.
    pub manager: &'static str,
    /// Id of the chassis.
    pub chassis: &'static str,
    /// Id of the BMC's network interface.
    pub nic: &'static str,
    /// A host interface beside it: id, MAC, address.
    pub host_nic: Option<[&'static str; 3]>,
    /// Model of the manager.
    pub manager_model: &'static str,
    /// What stands before the firmware's number.
    pub firmware_prefix: &'static str,
    /// Where the event log is.
    pub log_owner: LogOwner,
    /// Id of its LogService.
    pub log: &'static str,
    /// Clearing the log needs a licence.
    pub log_licence: bool,
    /// Values of ResetType.
    pub resets: &'static [&'static str],
    /// Where they stand.
    pub reset_values: ResetValues,
    /// On when on, off when off.
    pub needless: Needless,
    /// PoweringOn and PoweringOff are shown.
    pub shows_powering: bool,
    /// Boot override.
    pub boot: BootRules,
    /// LED.
    pub led: Led,
    /// Accounts.
    pub accounts: AccountStyle,
    /// Entity tags.
    pub etags: Etags,
    /// A PATCH without If-Match is 428.
    pub if_match_required: bool,
    /// Success of writes.
    pub success: Success,
    /// 401 carries a challenge.
    pub challenge: bool,
    /// Sessions at once.
    pub max_sessions: usize,
    /// The Power and Thermal resources are there.
    pub classic: bool,
    /// PowerSubsystem, ThermalSubsystem, EnvironmentMetrics and Sensors are there.
    pub modern: bool,
    /// $expand and $select work.
    pub queries: bool,
    /// Paths are compared without case.
    pub any_case: bool,
    /// UUIDs are zeroes and the MAC.
    pub uuid_is_mac: bool,
    /// The service root has a UUID.
    pub root_uuid: bool,
    /// Numbers as text, messages as one object, members that are missing.
    pub sloppy: bool,
}

const RESETS: &[&str] = &[
    "On",
    "ForceOff",
    "ForceRestart",
    "GracefulShutdown",
    "GracefulRestart",
    "PowerCycle",
    "PushPowerButton",
    "Nmi",
    "ForceOn",
];
const ENABLED: &[&str] = &["Disabled", "Once", "Continuous"];

const GENERIC: Dialect = Dialect {
    version: "1.18.0",
    vendor: Some("Halbox"),
    product: Some("Simulated BMC"),
    oem: None,
    organisation: "Halbox",
    maker: Some("Halbox"),
    system: "1",
    manager: "1",
    chassis: "1",
    nic: "1",
    host_nic: None,
    manager_model: "Simulated BMC",
    firmware_prefix: "",
    log_owner: LogOwner::System,
    log: "SEL",
    log_licence: false,
    resets: RESETS,
    reset_values: ResetValues::Both,
    needless: Needless::Fine,
    shows_powering: true,
    boot: BootRules {
        targets: &[
            "None",
            "Pxe",
            "Hdd",
            "Cd",
            "BiosSetup",
            "Diags",
            "Usb",
            "UefiHttp",
        ],
        enabled: ENABLED,
        tells_values: true,
        mode_writable: true,
        full_or_nothing: false,
        via: BootVia::System,
        settings: None,
    },
    led: Led::Both,
    accounts: AccountStyle::Post,
    etags: Etags::Strong,
    if_match_required: false,
    success: Success::Resource,
    challenge: true,
    max_sessions: 16,
    classic: true,
    modern: true,
    queries: true,
    any_case: false,
    uuid_is_mac: false,
    root_uuid: true,
    sloppy: false,
};

const DELL: Dialect = Dialect {
    version: "1.17.0",
    vendor: Some("Dell"),
    product: Some("Integrated Dell Remote Access Controller"),
    oem: Some("Dell"),
    organisation: "Dell Inc.",
    maker: Some("Dell Inc."),
    system: "System.Embedded.1",
    manager: "iDRAC.Embedded.1",
    chassis: "System.Embedded.1",
    nic: "NIC.1",
    manager_model: "15G Monolithic",
    log_owner: LogOwner::Manager,
    log: "Sel",
    resets: &[
        "On",
        "ForceOff",
        "ForceRestart",
        "GracefulRestart",
        "GracefulShutdown",
        "PushPowerButton",
        "Nmi",
        "PowerCycle",
    ],
    reset_values: ResetValues::Inline,
    needless: Needless::Conflict,
    shows_powering: false,
    boot: BootRules {
        targets: &[
            "None",
            "Pxe",
            "Floppy",
            "Cd",
            "Hdd",
            "BiosSetup",
            "Utilities",
            "UefiTarget",
            "SDCard",
            "UefiHttp",
        ],
        tells_values: false,
        via: BootVia::Either,
        settings: Some("Settings"),
        ..GENERIC.boot
    },
    led: Led::IdleLit,
    accounts: AccountStyle::Slots,
    success: Success::Message,
    max_sessions: 8,
    root_uuid: false,
    ..GENERIC
};

const HPE: Dialect = Dialect {
    version: "1.6.0",
    vendor: Some("HPE"),
    product: Some("ProLiant DL380 Gen10"),
    oem: Some("Hpe"),
    organisation: "Hewlett Packard Enterprise",
    maker: Some("HPE"),
    host_nic: Some(["3", "0A:CA:FE:F0:0D:04", "16.1.15.1"]),
    manager_model: "iLO 5",
    firmware_prefix: "iLO 5 v",
    log: "IML",
    resets: &[
        "On",
        "ForceOff",
        "GracefulShutdown",
        "ForceRestart",
        "Nmi",
        "PushPowerButton",
        "GracefulRestart",
    ],
    reset_values: ResetValues::Inline,
    needless: Needless::Invalid,
    shows_powering: false,
    boot: BootRules {
        targets: &[
            "None",
            "Cd",
            "Hdd",
            "Usb",
            "SDCard",
            "Utilities",
            "Diags",
            "BiosSetup",
            "Pxe",
            "UefiShell",
            "UefiHttp",
            "UefiTarget",
        ],
        tells_values: false,
        mode_writable: false,
        ..GENERIC.boot
    },
    led: Led::Indicator,
    etags: Etags::Weak,
    success: Success::Message,
    challenge: false,
    modern: false,
    queries: false,
    any_case: true,
    ..GENERIC
};

const LENOVO: Dialect = Dialect {
    version: "1.15.0",
    vendor: Some("Lenovo"),
    product: None,
    organisation: "Lenovo",
    maker: Some("Lenovo"),
    nic: "NIC",
    host_nic: Some(["ToHost", "0a:1f:6b:ff:00:01", "169.254.95.118"]),
    manager_model: "Lenovo XClarity Controller",
    firmware_prefix: "CDI388M ",
    log: "PlatformLog",
    resets: &[
        "On",
        "Nmi",
        "GracefulShutdown",
        "GracefulRestart",
        "ForceOn",
        "ForceOff",
        "ForceRestart",
    ],
    reset_values: ResetValues::Both,
    boot: BootRules {
        targets: &[
            "None",
            "Pxe",
            "Cd",
            "Usb",
            "Hdd",
            "BiosSetup",
            "Diags",
            "UefiTarget",
        ],
        enabled: &["Once", "Disabled"],
        via: BootVia::Either,
        settings: Some("Pending"),
        ..GENERIC.boot
    },
    led: Led::Indicator,
    success: Success::Empty,
    ..GENERIC
};

const AMI: Dialect = Dialect {
    version: "1.11.0",
    vendor: Some("AMI"),
    product: Some("AMI Redfish Server"),
    oem: Some("Ami"),
    organisation: "American Megatrends International LLC (AMI)",
    maker: Some("AMI"),
    system: "Self",
    manager: "Self",
    chassis: "Self",
    nic: "bond0",
    host_nic: Some(["usb0", "0a:1f:6b:ff:00:02", "169.254.0.17"]),
    manager_model: "410810600",
    log_owner: LogOwner::Manager,
    resets: &["GracefulShutdown", "ForceRestart", "ForceOff", "On"],
    reset_values: ResetValues::ActionInfo,
    shows_powering: false,
    boot: BootRules {
        targets: &[
            "None",
            "Pxe",
            "Floppy",
            "Cd",
            "Usb",
            "Hdd",
            "BiosSetup",
            "Utilities",
            "UefiShell",
            "UefiTarget",
            "SDCard",
            "UefiHttp",
            "RemoteDrive",
            "UefiBootNext",
        ],
        via: BootVia::Settings,
        settings: Some("SD"),
        ..GENERIC.boot
    },
    led: Led::Indicator,
    etags: Etags::WeakBare,
    if_match_required: true,
    success: Success::Empty,
    modern: false,
    ..GENERIC
};

const SUPERMICRO: Dialect = Dialect {
    version: "1.11.0",
    vendor: None,
    product: None,
    oem: Some("Supermicro"),
    organisation: "Super Micro Computer",
    maker: Some("Supermicro"),
    host_nic: Some(["ToHost", "0a:1f:6b:ff:00:03", "169.254.3.254"]),
    manager_model: "ASPEED",
    log: "Log1",
    log_licence: true,
    resets: &[
        "On",
        "ForceOff",
        "GracefulShutdown",
        "GracefulRestart",
        "ForceRestart",
        "Nmi",
        "ForceOn",
        "PowerCycle",
    ],
    reset_values: ResetValues::ActionInfo,
    boot: BootRules {
        targets: &[
            "None",
            "Pxe",
            "Floppy",
            "Cd",
            "Usb",
            "Hdd",
            "BiosSetup",
            "UsbCd",
            "UefiBootNext",
            "UefiHttp",
        ],
        tells_values: false,
        full_or_nothing: true,
        ..GENERIC.boot
    },
    success: Success::Message,
    modern: false,
    uuid_is_mac: true,
    ..GENERIC
};

const OPENBMC: Dialect = Dialect {
    version: "1.17.0",
    vendor: None,
    product: None,
    organisation: "OpenBMC",
    maker: None,
    system: "system",
    manager: "bmc",
    chassis: "chassis",
    nic: "eth0",
    host_nic: Some(["usb0", "0a:1f:6b:ff:00:04", "169.254.0.2"]),
    manager_model: "OpenBmc",
    log: "EventLog",
    resets: &[
        "On",
        "ForceOff",
        "ForceOn",
        "ForceRestart",
        "GracefulRestart",
        "GracefulShutdown",
        "PowerCycle",
        "Nmi",
    ],
    reset_values: ResetValues::ActionInfo,
    boot: BootRules {
        targets: &["None", "Pxe", "Hdd", "Cd", "Diags", "BiosSetup", "Usb"],
        ..GENERIC.boot
    },
    led: Led::Location,
    accounts: AccountStyle::Names,
    success: Success::Empty,
    max_sessions: 64,
    classic: false,
    ..GENERIC
};

const BROKEN: Dialect = Dialect {
    vendor: None,
    product: None,
    etags: Etags::None,
    modern: false,
    queries: false,
    success: Success::Message,
    sloppy: true,
    ..GENERIC
};

impl Dialect {
    /// The dialect of a profile.
    pub fn of(name: ProfileName) -> &'static Self {
        match name {
            ProfileName::Generic => &GENERIC,
            ProfileName::Dell => &DELL,
            ProfileName::Hpe => &HPE,
            ProfileName::Lenovo => &LENOVO,
            ProfileName::Ami => &AMI,
            ProfileName::Supermicro => &SUPERMICRO,
            ProfileName::OpenBmc => &OPENBMC,
            ProfileName::Broken => &BROKEN,
        }
    }
}
