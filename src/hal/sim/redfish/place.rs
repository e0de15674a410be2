//! The resources there are, and their URIs.

use super::dialect::{AccountStyle, Dialect, LogOwner};
use super::http::Method;
use crate::hal::sim::state::Server;

/// A resource, an action or a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the resources of the specification")]
pub enum Place {
    Versions,
    Root,
    Odata,
    Metadata,
    Systems,
    System,
    SystemSettings,
    SystemResetInfo,
    SystemReset,
    Managers,
    Manager,
    ManagerResetInfo,
    ManagerReset,
    NetworkProtocol,
    Nics,
    /// The BMC's own (0) or the one to the host (1).
    Nic(u8),
    Logs,
    Log,
    LogEntries,
    /// By the id of the record.
    LogEntry(u16),
    ClearLog,
    ChassisAll,
    Chassis,
    Power,
    Thermal,
    PowerSubsystem,
    Supplies,
    /// From 1.
    Supply(u8),
    ThermalSubsystem,
    Fans,
    /// By sensor number.
    Fan(u8),
    Environment,
    Sensors,
    /// By sensor number.
    Sensor(u8),
    AccountService,
    Accounts,
    /// By slot.
    Account(u8),
    Roles,
    /// Index in [`super::auth::Role::ALL`].
    Role(u8),
    SessionService,
    Sessions,
    /// `Sessions/Members`: where a POST is taken as well.
    SessionMembers,
    Session(u32),
    TaskService,
    Tasks,
    Registries,
    Registry,
    RegistryText,
    UpdateService,
    Firmwares,
    Firmware(u8),
    /// Dell: Lifecycle Controller service.
    DellLc,
    DellLcStatus,
    DellJobs,
    DellAttributes,
}

use Place as P;

/// Those without a number.
const FIXED: &[Place] = &[
    P::Root,
    P::Versions,
    P::Odata,
    P::Metadata,
    P::System,
    P::Systems,
    P::SystemSettings,
    P::SystemResetInfo,
    P::SystemReset,
    P::Manager,
    P::Managers,
    P::ManagerResetInfo,
    P::ManagerReset,
    P::NetworkProtocol,
    P::Nics,
    P::Logs,
    P::Log,
    P::LogEntries,
    P::ClearLog,
    P::Chassis,
    P::ChassisAll,
    P::Power,
    P::Thermal,
    P::PowerSubsystem,
    P::Supplies,
    P::ThermalSubsystem,
    P::Fans,
    P::Environment,
    P::Sensors,
    P::AccountService,
    P::Accounts,
    P::Roles,
    P::SessionService,
    P::Sessions,
    P::SessionMembers,
    P::TaskService,
    P::Tasks,
    P::Registries,
    P::Registry,
    P::RegistryText,
    P::UpdateService,
    P::Firmwares,
    P::DellLc,
    P::DellLcStatus,
    P::DellJobs,
    P::DellAttributes,
];

const READ: &[Method] = &[Method::Get, Method::Head];
const PATCH: &[Method] = &[Method::Get, Method::Head, Method::Patch];
const POST: &[Method] = &[Method::Post];
const CREATE: &[Method] = &[Method::Get, Method::Head, Method::Post];
const DELETE: &[Method] = &[Method::Get, Method::Head, Method::Delete];
const ALL: &[Method] = &[Method::Get, Method::Head, Method::Patch, Method::Delete];

impl Place {
    /// The resource at `path` (decoded or not, with or without a slash at the end), if this server has it.
    pub fn find(server: &Server, d: &Dialect, path: &str) -> Option<Self> {
        let mut clean = String::with_capacity(path.len());
        for segment in path.split('/').filter(|s| !s.is_empty()) {
            clean.push('/');
            clean.push_str(segment);
        }
        // "$" is often encoded; nothing else in our URIs needs to be.
        let clean = clean.replace("%24", "$").replace("%20", " ");
        let same = |a: &str| {
            if d.any_case {
                a.eq_ignore_ascii_case(&clean)
            } else {
                a == clean
            }
        };
        let found = FIXED
            .iter()
            .copied()
            .find(|place| same(&place.uri(server, d)));
        if let Some(place) = found {
            return place.exists(d).then_some(place);
        }
        // A member: the collection's URI and an id.
        let (parent, _) = clean.rsplit_once('/')?;
        let members = FIXED.iter().copied().find(|place| {
            let uri = place.uri(server, d);
            uri == parent || (d.any_case && uri.eq_ignore_ascii_case(parent))
        })?;
        let found = members.members(server, d).into_iter();
        found
            .filter(|place| place.exists(d))
            .find(|place| same(&place.uri(server, d)))
    }

    /// The members of a collection.
    pub fn members(self, server: &Server, d: &Dialect) -> Vec<Self> {
        match self {
            P::Systems => vec![P::System],
            P::Managers => vec![P::Manager],
            P::ChassisAll => vec![P::Chassis],
            P::Nics if d.host_nic.is_some() => vec![P::Nic(0), P::Nic(1)],
            P::Nics => vec![P::Nic(0)],
            P::Logs => vec![P::Log],
            P::LogEntries => server
                .sel
                .entries()
                .iter()
                .map(|entry| P::LogEntry(u16::from_le_bytes([entry[0], entry[1]])))
                .collect(),
            P::Supplies => super::read::power::supplies(server)
                .map(P::Supply)
                .collect(),
            P::Fans => super::read::sensors::of_type(server, super::read::sensors::FAN)
                .map(|spec| P::Fan(spec.number))
                .collect(),
            P::Sensors => super::read::sensors::analog(server)
                .map(|spec| P::Sensor(spec.number))
                .collect(),
            P::Accounts => server
                .users
                .iter()
                .filter(|(_, user)| d.accounts == AccountStyle::Slots || !user.trimmed().is_empty())
                .map(|(id, _)| P::Account(id))
                .collect(),
            P::Roles => (0..super::auth::Role::ALL.len())
                .map(|i| P::Role(i as u8))
                .collect(),
            P::Sessions => server.web.sessions.ids().map(P::Session).collect(),
            P::Registries => vec![P::Registry],
            P::Firmwares => vec![P::Firmware(0), P::Firmware(1)],
            _ => Vec::new(),
        }
    }

    /// Is it a collection?
    pub fn is_collection(self) -> bool {
        matches!(
            self,
            P::Systems
                | P::Managers
                | P::ChassisAll
                | P::Nics
                | P::Logs
                | P::LogEntries
                | P::Supplies
                | P::Fans
                | P::Sensors
                | P::Accounts
                | P::Roles
                | P::Sessions
                | P::Tasks
                | P::Registries
                | P::Firmwares
                | P::DellJobs
        )
    }

    /// Does a service of this dialect have it?
    fn exists(self, d: &Dialect) -> bool {
        use super::dialect::ResetValues;
        match self {
            P::SystemSettings => d.boot.settings.is_some(),
            P::SystemResetInfo | P::ManagerResetInfo => d.reset_values != ResetValues::Inline,
            P::Power | P::Thermal => d.classic,
            P::PowerSubsystem
            | P::Supplies
            | P::Supply(_)
            | P::ThermalSubsystem
            | P::Fans
            | P::Fan(_)
            | P::Environment
            | P::Sensors
            | P::Sensor(_) => d.modern,
            P::DellLc | P::DellLcStatus | P::DellJobs | P::DellAttributes => d.oem == Some("Dell"),
            _ => true,
        }
    }

    /// Its URI.
    pub fn uri(self, server: &Server, d: &Dialect) -> String {
        const V1: &str = "/redfish/v1";
        let system = || format!("{V1}/Systems/{}", d.system);
        let manager = || format!("{V1}/Managers/{}", d.manager);
        let chassis = |tail: &str| format!("{V1}/Chassis/{}{tail}", d.chassis);
        let logs = |tail: &str| match d.log_owner {
            LogOwner::System => format!("{}/LogServices{tail}", system()),
            LogOwner::Manager => format!("{}/LogServices{tail}", manager()),
        };
        let fixed = match self {
            P::Versions => return "/redfish".to_owned(),
            P::Root => "",
            P::Odata => "/odata",
            P::Metadata => "/$metadata",
            P::Systems => "/Systems",
            P::Managers => "/Managers",
            P::ChassisAll => "/Chassis",
            P::AccountService => "/AccountService",
            P::Accounts => "/AccountService/Accounts",
            P::Roles => "/AccountService/Roles",
            P::SessionService => "/SessionService",
            P::Sessions => "/SessionService/Sessions",
            P::SessionMembers => "/SessionService/Sessions/Members",
            P::TaskService => "/TaskService",
            P::Tasks => "/TaskService/Tasks",
            P::Registries => "/Registries",
            P::Registry => "/Registries/Base",
            P::RegistryText => "/Registries/Base/Base.1.18.0.json",
            P::UpdateService => "/UpdateService",
            P::Firmwares => "/UpdateService/FirmwareInventory",
            P::Firmware(0) => "/UpdateService/FirmwareInventory/BMC",
            P::Firmware(_) => "/UpdateService/FirmwareInventory/BIOS",
            P::System => return system(),
            P::SystemSettings => return format!("{}/{}", system(), d.boot.settings.unwrap_or("-")),
            P::SystemResetInfo => return system() + "/ResetActionInfo",
            P::SystemReset => return system() + "/Actions/ComputerSystem.Reset",
            P::Manager => return manager(),
            P::ManagerResetInfo => return manager() + "/ResetActionInfo",
            P::ManagerReset => return manager() + "/Actions/Manager.Reset",
            P::NetworkProtocol => return manager() + "/NetworkProtocol",
            P::Nics => return manager() + "/EthernetInterfaces",
            P::Nic(0) => return format!("{}/EthernetInterfaces/{}", manager(), d.nic),
            P::Nic(_) => {
                let [id, ..] = d.host_nic.unwrap_or_default();
                return format!("{}/EthernetInterfaces/{id}", manager());
            }
            P::Logs => return logs(""),
            P::Log => return logs(&format!("/{}", d.log)),
            P::LogEntries => return logs(&format!("/{}/Entries", d.log)),
            P::LogEntry(id) => return logs(&format!("/{}/Entries/{id}", d.log)),
            P::ClearLog => return logs(&format!("/{}/Actions/LogService.ClearLog", d.log)),
            P::Chassis => return chassis(""),
            P::Power => return chassis("/Power"),
            P::Thermal => return chassis("/Thermal"),
            P::PowerSubsystem => return chassis("/PowerSubsystem"),
            P::Supplies => return chassis("/PowerSubsystem/PowerSupplies"),
            P::Supply(n) => return chassis(&format!("/PowerSubsystem/PowerSupplies/PSU{n}")),
            P::ThermalSubsystem => return chassis("/ThermalSubsystem"),
            P::Fans => return chassis("/ThermalSubsystem/Fans"),
            P::Fan(n) => {
                let id = super::read::sensors::id_of(server, n);
                return chassis(&format!("/ThermalSubsystem/Fans/{id}"));
            }
            P::Environment => return chassis("/EnvironmentMetrics"),
            P::Sensors => return chassis("/Sensors"),
            P::Sensor(n) => {
                return chassis(&format!(
                    "/Sensors/{}",
                    super::read::sensors::id_of(server, n)
                ));
            }
            P::Account(id) => {
                let id = super::read::accounts::id_of(server, d, id);
                return format!("{V1}/AccountService/Accounts/{id}");
            }
            P::Role(index) => {
                let role = super::auth::Role::ALL.get(usize::from(index));
                let id = role.map_or("", |role| role.id());
                return format!("{V1}/AccountService/Roles/{id}");
            }
            P::Session(id) => return format!("{V1}/SessionService/Sessions/{id}"),
            P::DellLc => return manager() + "/Oem/Dell/DellLCService",
            P::DellLcStatus => {
                return manager()
                    + "/Oem/Dell/DellLCService/Actions/DellLCService.GetRemoteServicesAPIStatus";
            }
            P::DellJobs => return manager() + "/Oem/Dell/Jobs",
            P::DellAttributes => return manager() + "/Oem/Dell/DellAttributes/iDRAC.Embedded.1",
        };
        format!("{V1}{fixed}")
    }

    /// What can be done with it.
    pub fn methods(self, d: &Dialect) -> &'static [Method] {
        match self {
            P::SystemReset
            | P::ManagerReset
            | P::ClearLog
            | P::SessionMembers
            | P::DellLcStatus => POST,
            P::Accounts if d.accounts != AccountStyle::Slots => CREATE,
            P::Sessions => CREATE,
            P::Session(_) => DELETE,
            P::Account(_) if d.accounts != AccountStyle::Slots => ALL,
            P::System
            | P::SystemSettings
            | P::Chassis
            | P::Manager
            | P::Nic(0)
            | P::NetworkProtocol
            | P::AccountService
            | P::Account(_)
            | P::SessionService => PATCH,
            _ => READ,
        }
    }

    /// May it be read without a login?
    pub fn is_public(self) -> bool {
        matches!(self, P::Versions | P::Root | P::Odata | P::Metadata)
    }
}
