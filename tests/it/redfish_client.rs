//! The Redfish client against recorded trees of real servers, and against servers that misbehave.

mod faults;
mod logins;
mod quiet;
mod server;
mod trees;
mod writes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use halbox::hal::model::{Cx, Secret};
use halbox::hal::redfish::{Client, Quirks};
use halbox::hal::transport::redfish::{Config, HttpDoor};

use crate::common::mockup::Mockup;

/// How a door to `url` is made for the mockups' user.
fn config(url: &str, address: SocketAddr) -> Config {
    Config::new(url, address, "admin", Secret::new("password"))
}

/// A client without quirks.
fn client(config: Config) -> Arc<Client> {
    Client::new(Arc::new(HttpDoor::new(config).unwrap()), Quirks::default())
}

/// A client of a mockup.
fn client_of(mockup: &Mockup) -> Arc<Client> {
    client(config(&mockup.url, mockup.address))
}

/// The context of one operation.
fn cx(operation: &str) -> Cx {
    Cx {
        request_id: Arc::from(operation),
        ..Cx::until(Instant::now() + Duration::from_secs(20))
    }
}

/// A context that ends soon, and when.
fn soon() -> (Cx, Instant) {
    let end = Instant::now() + Duration::from_secs(2);
    (Cx::until(end), end)
}
