//! A recorded server and the driver in front of it, with what has to hold whatever is done.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use halbox::hal::bmc::Bmc;
use halbox::hal::drivers::redfish;
use halbox::hal::model::{Cx, Reading, Secret};
use halbox::hal::redfish::{Client, Door, Quirks};
use halbox::hal::transport::redfish::{Config, HttpDoor};
use halbox::hal::vendors::{self, Facts};
use halbox::hal::{Kind, Result};

use crate::common::mockup::{Logged, Mockup};

/// The passwords of all tests here. None may ever be logged.
pub const LOGIN: &str = "l0gin-Pa55word-q";
pub const FIRST: &str = "f1rst-Pa55word-w";
pub const SECOND: &str = "s3cond-Pa55word-e";

/// One server, one login.
pub struct Bench {
    /// Only defaults, as for a vendor that nobody knows.
    pub plain: bool,
    pub mock: Mockup,
    pub door: Arc<HttpDoor>,
    pub bmc: Bmc,
}

/// Watches all log records of this process for passwords.
struct Watch;

static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl log::Log for Watch {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        // It dumps what is sent; the program never lets it.
        if record.target() == "ureq_proto::util" {
            return;
        }
        let text = record.args().to_string();
        // The middle of "l0gin-Pa55word-q" in Base64, at each of its three alignments.
        let marks = ["Pa55word", "UGE1NXdvcm", "BhNTV3b3Jk", "QYTU1d29yZ"];
        if marks.iter().any(|mark| text.contains(mark)) {
            let place = record.target();
            let mut leaks = LEAKS
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            leaks.push(format!("{place}: {text}"));
        }
    }

    fn flush(&self) {}
}

impl Bench {
    /// Serves `tree` strictly over HTTPS, `user` being its administrator; `None` without the trees. The driver knows of
    /// the vendor what the service root says.
    pub fn open(tree: &str, user: &str, options: &[&str]) -> Option<Self> {
        let mut bench = Self::plain(tree, user, options)?;
        let root = bench.mock.state("/redfish/v1/");
        let text = |key: &str| root[key].as_str().map(str::to_owned);
        let oem = root["Oem"].as_object().map(|o| o.keys().cloned().collect());
        let facts = Facts {
            oem: oem.unwrap_or_default(),
            vendor: text("Vendor"),
            product: text("Product"),
            ..Facts::default()
        };
        let (quirks, found) = vendors::redfish_quirks(&facts);
        let client = Client::new(Arc::clone(&bench.door) as Arc<dyn Door>, quirks);
        bench.bmc = Bmc::default();
        redfish::attach(&mut bench.bmc, Arc::clone(&client));
        vendors::overwrite(&mut bench.bmc, &found, Some(&client));
        bench.plain = false;
        Some(bench)
    }

    /// The same without knowing anything of the vendor.
    pub fn plain(tree: &str, user: &str, options: &[&str]) -> Option<Self> {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| {
            if log::set_boxed_logger(Box::new(Watch)).is_ok() {
                log::set_max_level(log::LevelFilter::Trace);
            }
        });
        let login = format!("{user}:{LOGIN}");
        let options = options.join(" ");
        let mock = Mockup::start(tree, &format!("--strict --https --user {login} {options}"))?;
        let config = Config::new(mock.url.clone(), mock.address, user, Secret::new(LOGIN));
        let door = Arc::new(HttpDoor::new(config).unwrap());
        let mut bmc = Bmc::default();
        let client = Client::new(Arc::clone(&door) as Arc<dyn Door>, Quirks::default());
        redfish::attach(&mut bmc, client);
        Some(Self {
            plain: true,
            mock,
            door,
            bmc,
        })
    }

    /// What must hold at the end: no session left, one connection at a time, no password logged.
    pub async fn close(self, name: &str) {
        self.door.close().await;
        let log = self.mock.log();
        assert_eq!(self.mock.sessions_left(), 0, "{name}: sessions left");
        let mut last: HashMap<u64, usize> = HashMap::new();
        for (n, request) in log.iter().enumerate() {
            last.insert(request.conn, n);
        }
        for (n, request) in log.iter().enumerate() {
            let this = request.conn;
            let open: Vec<u64> = last
                .iter()
                .filter(|(conn, end)| **conn < this && **end > n)
                .map(|(conn, _)| *conn)
                .collect();
            assert!(
                open.is_empty(),
                "{name}: request {n} on {this} while {open:?} is in use"
            );
        }
        assert!(
            !log.iter().any(|r| r.status == 401),
            "{name}: a login was refused"
        );
        let leaks = LEAKS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(leaks.is_empty(), "passwords in the log: {leaks:?}");
    }
}

/// A context of its own for each operation.
pub fn operation() -> Cx {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut cx = Cx::until(Instant::now() + Duration::from_mins(1));
    cx.request_id = Arc::from(format!("op{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    cx
}

/// The value, or kind and words of the error. Values say where they were read.
pub fn outcome<T>(result: Result<Reading<T>>) -> Result<T, (Kind, String)> {
    match result {
        Ok(reading) => {
            assert!(
                reading.source.at.starts_with("/redfish/v1"),
                "{}",
                reading.source.at
            );
            Ok(reading.value)
        }
        Err(error) => {
            let words = error.chain();
            assert!(words.len() > 10 && !words.contains("Pa55word"), "{words}");
            Err((error.kind(), words))
        }
    }
}

pub fn good(request: &Logged) -> bool {
    (200..300).contains(&request.status)
}
