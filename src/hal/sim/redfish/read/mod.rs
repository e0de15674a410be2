//! What the resources say, made from the server's state when it is asked for.

mod account_service;
pub mod accounts;
mod chassis;
mod logs;
mod manager;
pub mod power;
mod root;
pub mod sensors;
mod service;
pub mod system;

pub use root::metadata;

use std::time::Instant;

use serde_json::Value;

use super::dialect::Dialect;
use super::place::Place;
use crate::hal::model::json::json;
use crate::hal::sim::state::Server;

/// Members of one page of a log.
pub const PAGE: usize = 20;

/// What a resource is made from.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The server.
    pub server: &'a Server,
    /// Its dialect.
    pub d: &'a Dialect,
    /// The present moment.
    pub now: Instant,
    /// Locked accounts.
    pub locked: &'a [u8],
    /// Wrong passwords that lock an account, and for how many seconds.
    pub lockout: Option<(u8, u64)>,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View")
    }
}

impl View<'_> {
    /// The URI of a place.
    pub fn uri(&self, place: Place) -> String {
        place.uri(self.server, self.d)
    }

    /// A link to a place.
    pub fn link(&self, place: Place) -> Value {
        json!({ "@odata.id": self.uri(place) })
    }

    /// Links to places.
    pub fn links(&self, places: &[Place]) -> Value {
        places.iter().map(|place| self.link(*place)).collect()
    }

    /// A number, or text where the service is sloppy.
    pub fn number(&self, value: f64) -> Value {
        // Whole numbers read as such.
        let number = if value.fract() == 0.0 && value.abs() < 1e15 {
            json!(value as i64)
        } else {
            json!((value * 1e6).round() / 1e6)
        };
        if self.d.sloppy {
            json!(number.to_string())
        } else {
            number
        }
    }

    /// The resource at `place`; `None`: an action, or nothing.
    pub fn resource(&self, place: Place) -> Option<Value> {
        let (kind, id, name, rest) = match place {
            place if place.is_collection() => return Some(self.collection(place, 0, usize::MAX)),
            Place::Versions => return Some(json!({ "v1": "/redfish/v1/" })),
            Place::Odata => return Some(root::odata(self)),
            Place::RegistryText => return Some(super::messages::Message::registry()),
            Place::Root => root::root(self),
            Place::System => system::system(self),
            Place::SystemSettings => system::settings(self),
            Place::SystemResetInfo => system::reset_info(self, self.d.resets),
            Place::ManagerResetInfo => system::reset_info(self, manager::RESETS),
            Place::Manager => manager::manager(self),
            Place::NetworkProtocol => manager::network_protocol(self),
            Place::Nic(0) => manager::nic(self),
            Place::Nic(_) => manager::host_nic(self),
            Place::Log => logs::log(self),
            Place::LogEntry(id) => logs::entry(self, id)?,
            Place::Chassis => chassis::chassis(self),
            Place::Power => power::classic(self),
            Place::PowerSubsystem => power::subsystem(self),
            Place::Supply(n) => power::supply(self, n),
            Place::Environment => power::environment(self),
            Place::Thermal => sensors::thermal(self),
            Place::ThermalSubsystem => sensors::subsystem(self),
            Place::Fan(number) => sensors::fan(self, number)?,
            Place::Sensor(number) => sensors::sensor(self, number)?,
            Place::AccountService => account_service::service(self),
            Place::Account(id) => accounts::account(self, id)?,
            Place::Role(index) => account_service::role(index)?,
            Place::SessionService => service::sessions(self),
            Place::Session(id) => service::session(self, id)?,
            Place::TaskService => service::tasks(self),
            Place::Registry => service::registry(self),
            Place::UpdateService => service::update(self),
            Place::Firmware(n) => service::firmware(self, n),
            Place::DellLc => service::dell_lc(self),
            Place::DellAttributes => service::dell_attributes(self),
            _ => return None,
        };
        let mut out = json!({
            "@odata.id": self.uri(place),
            "@odata.type": format!("#{kind}"),
            "Id": id,
            "Name": name,
        });
        if place == Place::Root {
            // As many services do: the URI of the root ends with a slash.
            out["@odata.id"] = json!("/redfish/v1/");
        }
        if let (Some(map), Value::Object(rest)) = (out.as_object_mut(), rest) {
            map.extend(
                rest.into_iter()
                    .filter(|(_, value)| value.as_str() != Some(ABSENT)),
            );
        }
        Some(out)
    }

    /// A collection: `count` members from `skip` on.
    pub fn collection(&self, place: Place, skip: usize, count: usize) -> Value {
        let members = place.members(self.server, self.d);
        let total = members.len();
        let shown: Vec<Place> = members.into_iter().skip(skip).take(count).collect();
        let (kind, name) = service::collection_names(place);
        let mut out = json!({
            "@odata.id": self.uri(place),
            "@odata.type": format!("#{kind}.{kind}"),
            "Name": name,
        });
        let mut links: Vec<Value> = if place == Place::LogEntries {
            // Members of a log are whole entries.
            shown
                .iter()
                .filter_map(|entry| self.resource(*entry))
                .collect()
        } else {
            shown.iter().map(|member| self.link(*member)).collect()
        };
        if self.d.sloppy && place == Place::Sensors {
            links.push(json!({ "@odata.id": "/redfish/v1/Chassis/1/Sensors/Gone" }));
            links.push(Value::Null);
        }
        let end = skip.saturating_add(shown.len());
        if let Some(map) = out.as_object_mut() {
            map.insert("Members@odata.count".to_owned(), json!(total));
            map.insert("Members".to_owned(), Value::Array(links));
            if end < total {
                let next = format!("{}?$skip={end}", self.uri(place));
                map.insert("Members@odata.nextLink".to_owned(), json!(next));
            }
        }
        out
    }
}

/// Type, id, name, and the rest of a resource.
pub(super) type Parts = (&'static str, String, String, Value);

/// Stands for a property that is not there.
pub(super) const ABSENT: &str = "\u{0}absent";

/// The value, or no property.
pub(super) fn maybe<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or_else(|| Value::from(ABSENT), Into::into)
}

/// The value when `there`, else no property.
pub(super) fn when(there: bool, value: Value) -> Value {
    if there { value } else { Value::from(ABSENT) }
}
