//! What one BMC answered, in one file: Redfish resources and IPMI exchanges. `probe --record` writes it,
//! `sim FILE` answers from it.
//!
//! # Format, version 1
//! JSON Lines in UTF-8. The first line is the heading and names the version; each other line is one answer. Lines of
//! a kind that a reader does not know, and keys that it does not know, are passed over, so that later versions can add.
//!
//! ```text
//! {"halbox_recording":1,"made_by":"halbox 0.1.0","vendor":"Dell","product":"PowerEdge R750",
//!  "lan":{"cipher_suites":[3,17],"auth_types":20,"ipmi_1_5":false,"rmcp_presence":true,"channel":1},
//!  "tls":{"issuer":"Dell Inc.","subject":"idrac"}}
//! {"redfish":"/redfish/v1","status":200,"headers":{"etag":"\"1\"","allow":"GET"},"json":{…}}
//! {"redfish":"/redfish/v1/Nothing","status":404,"text":"<html>…"}
//! {"ipmi":"06 01","data":"","code":0,"reply":"2081…"}
//! {"ipmi":"04 2d","lun":0,"bridged":[0,44],"data":"11","code":203,"reply":""}
//! ```
//! * `redfish`: path and query as asked; only GETs are recorded. `json` is the body, `text` a body that is no JSON;
//!   neither: no body. Headers have lower-case names; only those of [`KEPT_HEADERS`] are kept.
//! * `ipmi`: network function and command in hex, then request data, completion code and reply data (without the
//!   completion code). The same request may stand there several times; answers are given in their order.
//! * A file holds no secrets: whoever writes it removes them first (`scrub`).

mod entry;
mod fru;
mod read;
mod recorder;
mod scrub;
mod tree;
mod write;

pub use entry::{Body, Heading, IpmiAnswer, LanFacts, Recording, RedfishAnswer, TlsFacts};
pub use read::{MAX_FILE, load, parse};
pub use recorder::{RecordedDoor, Recorder};
pub use scrub::{Keep, scrub};
pub use tree::load_tree;
pub use write::{render, save};

/// Version of the format that is written, and the newest one that is read.
pub const VERSION: u32 = 1;

/// Response headers that say something about the BMC; all others stay out of the file.
pub const KEPT_HEADERS: &[&str] = &[
    "allow",
    "content-type",
    "etag",
    "link",
    "location",
    "odata-version",
    "retry-after",
    "server",
    "www-authenticate",
];
