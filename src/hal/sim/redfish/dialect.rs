//! How vendors' Redfish services differ, as data.

mod vendors;

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
