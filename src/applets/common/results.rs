//! What an operation on a target led to: the JSON of every operation.

use serde::Serialize;
use serde_json::Value;

use crate::hal::model::power::Verified;
use crate::hal::model::{MacAddr, Reading, Source};
use crate::hal::{Error, Kind};

use super::exit::{Failure, exit_code};

/// One operation on one target.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The target as it was typed (or expanded).
    pub target: String,
    /// The BMC's MAC, where known.
    pub mac: Option<MacAddr>,
    /// `power.state`, `power.on`, `fru`, ...
    pub operation: String,
    /// Did it work?
    pub ok: bool,
    /// What it gave; its shape depends on the operation.
    pub value: Value,
    /// The driver that did it.
    pub driver: Option<&'static str>,
    /// The same with the vendor's overwrite: `dell(redfish)`.
    pub by: Option<String>,
    /// Why it did not work.
    pub error: Option<String>,
    /// Kind of error.
    pub kind: Option<&'static str>,
    /// Milliseconds.
    pub took_ms: f64,
    /// Power actions: was the state seen?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// For the exit code.
    #[serde(skip)]
    pub failed: Option<Kind>,
    /// What to do about it.
    #[serde(skip)]
    pub hint: Option<String>,
}

impl Outcome {
    /// From the result of an operation. `took_ms` is rounded to 0.1.
    pub fn new(
        target: impl Into<String>,
        operation: impl Into<String>,
        result: Result<Reading<Value>, Error>,
        took: std::time::Duration,
    ) -> Self {
        let took_ms = (took.as_secs_f64() * 10_000.0).round() / 10.0;
        let mut outcome = Self {
            target: target.into(),
            mac: None,
            operation: operation.into(),
            ok: false,
            value: Value::Null,
            driver: None,
            by: None,
            error: None,
            kind: None,
            took_ms,
            verified: None,
            failed: None,
            hint: None,
        };
        match result {
            Ok(Reading { value, source, .. }) => {
                let Source { driver, .. } = source;
                outcome.ok = true;
                outcome.value = value;
                outcome.driver = Some(driver.as_str());
                outcome.by = Some(source.to_string());
            }
            Err(error) => outcome.refuse(&error),
        }
        outcome
    }

    /// Makes it a failure; a value that is there stays.
    pub fn refuse(&mut self, error: &Error) {
        self.ok = false;
        self.error = Some(error.chain());
        self.kind = Some(error.kind().as_str());
        self.failed = Some(error.kind());
        self.hint = error.hint().map(str::to_owned);
    }
}

/// The document: `{"results": [...]}`.
#[derive(Debug, Serialize)]
pub struct Results {
    /// One entry per target.
    pub results: Vec<Outcome>,
}

impl Results {
    /// How the applet ends: one target's own code, 6 when some of several failed. The errors are printed by the
    /// caller, as they go with the table.
    pub fn verdict(&self) -> Result<(), Failure> {
        let mut failed = self.results.iter().filter_map(|r| r.failed);
        let Some(first) = failed.next() else {
            return Ok(());
        };
        let all_failed_alike =
            self.results.len() == 1 || exit_code(first) == exit_code(Kind::Cancelled);
        if all_failed_alike {
            return Err(Failure::reported(first));
        }
        Err(Failure::some_failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::model::DriverName;
    use std::time::Duration;

    fn ok() -> Outcome {
        let reading = Reading {
            value: Value::from("ON"),
            source: Source::new(DriverName::Ipmi, "Get Chassis Status"),
            took: Duration::ZERO,
        };
        Outcome::new(
            "10.0.0.1",
            "power.state",
            Ok(reading),
            Duration::from_micros(4_260),
        )
    }

    fn failed(kind: Kind) -> Outcome {
        let error = Error::new(kind, "no answer");
        Outcome::new(
            "10.0.0.2",
            "power.state",
            Err(error),
            Duration::from_secs(1),
        )
    }

    #[test]
    fn the_json_has_the_keys_of_the_interface() {
        let text = serde_json::to_string(&Results {
            results: vec![ok(), failed(Kind::Timeout)],
        })
        .unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"results":[{"target":"10.0.0.1","mac":null,"operation":"power.state","ok":true,"value":"ON","#,
                r#""driver":"IPMI","by":"ipmi","error":null,"kind":null,"took_ms":4.3},"#,
                r#"{"target":"10.0.0.2","mac":null,"operation":"power.state","ok":false,"value":null,"#,
                r#""driver":null,"by":null,"error":"no answer","kind":"timeout","took_ms":1000.0}]}"#
            )
        );
    }

    #[test]
    fn exit_codes() {
        let code = |results| Results { results }.verdict().map_err(|f| f.code());
        assert_eq!(code(vec![ok()]), Ok(()));
        assert_eq!(code(vec![failed(Kind::Auth)]), Err(4));
        assert_eq!(code(vec![ok(), failed(Kind::Auth)]), Err(6));
        assert_eq!(code(vec![failed(Kind::Auth), failed(Kind::Auth)]), Err(6));
    }
}
