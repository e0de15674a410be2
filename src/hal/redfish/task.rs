//! 202 Accepted: follows the task to its end.

use std::time::Duration;

use serde_json::Value;

use super::Client;
use super::client::MAX_PAUSE;
use super::door::{Answer, Ask, Method};
use super::json;
use super::path;
use super::refusal::Refusal;
use super::resource::Resource;
use super::write::Written;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;

/// First pause between two looks at a task; it grows.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Looks that may find no task: some BMCs answer 404 for a while after they have given the link, others forget a task as
/// soon as it is done.
const MAX_MISSING: u32 = 4;

/// Where a task is looked at: the monitor, else the task itself.
fn monitor(answer: &Answer) -> Option<String> {
    if let Some(found) = answer.header("location").and_then(path::location) {
        return Some(found);
    }
    let body = json::decode(&answer.body).ok()?;
    let text = body
        .get("TaskMonitor")
        .or_else(|| is_task(&body).then(|| body.get("@odata.id")).flatten())?;
    path::location(text.as_str()?)
}

fn is_task(body: &Value) -> bool {
    let kind = body.get("@odata.type").and_then(Value::as_str);
    kind.is_some_and(|t| t.starts_with("#Task.")) || body.get("TaskState").is_some()
}

/// What a look at a task showed.
enum Look {
    Running,
    /// It will run when the host restarts.
    Waiting,
    Done,
    Failed(Refusal),
}

fn look(body: &Value, status: u16) -> Look {
    if !is_task(body) {
        return if status == 202 {
            Look::Running
        } else {
            Look::Done
        };
    }
    let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut words = Refusal {
        status,
        ..Refusal::default()
    };
    words.read_info(body);
    let failed = match text("TaskState") {
        "Completed" => text("TaskStatus") == "Critical",
        "Exception" | "Killed" | "Cancelled" | "Interrupted" => true,
        // Dell: a job of the BIOS that the next restart carries out.
        _ if words.names("JCP001") || text("JobState") == "Scheduled" => return Look::Waiting,
        _ if status == 202 => return Look::Running,
        "" => false,
        _ => return Look::Running,
    };
    if failed {
        if words.messages.is_empty() {
            words.messages.push(format!(
                "the task ended as {} ({})",
                text("TaskState"),
                text("TaskStatus")
            ));
        }
        Look::Failed(words)
    } else {
        Look::Done
    }
}

impl Client {
    /// Waits for what was accepted. Errors: the task's own words; `Indeterminate` when it does not end in time.
    pub(super) async fn finish(&self, cx: &Cx, ask: &Ask, accepted: Answer) -> Result<Written> {
        let unknown = |why: Error| {
            Error::new(Kind::Indeterminate, ask.to_string())
                .with_source(why)
                .with_hint("the BMC accepted it and works on it: look at the result later")
        };
        let Some(task) = monitor(&accepted) else {
            return Ok(Written::of(self, ask, &accepted));
        };
        let mut pause = accepted.retry_after();
        let mut usual = FIRST_PAUSE;
        let mut missing = 0;
        let mut last = accepted;
        loop {
            let wait = pause.unwrap_or(usual).clamp(FIRST_PAUSE, MAX_PAUSE);
            usual = (usual * 2).min(Duration::from_secs(5));
            self.door().pause(cx, wait).await.map_err(unknown)?;
            let answer = self
                .follow(cx, Ask::get(task.clone()))
                .await
                .map_err(unknown)?;
            pause = answer.retry_after();
            if answer.is_success() {
                missing = 0;
                match json::decode(&answer.body).map(|body| look(&body, answer.status)) {
                    Ok(Look::Running) => {}
                    Ok(Look::Waiting) => return Ok(Written::of(self, ask, &last)),
                    Ok(Look::Failed(words)) => return Err(self.task_failed(ask, words)),
                    Err(_) if answer.status == 202 => {}
                    Ok(Look::Done) | Err(_) => return Ok(Written::of(self, ask, &answer)),
                }
                last = answer;
                continue;
            }
            let error = self.refused(ask, &answer);
            match error.kind() {
                Kind::Busy => {}
                Kind::Unsupported => {
                    missing += 1;
                    if missing >= MAX_MISSING {
                        // Done and forgotten, as far as one can tell; who needs certainty reads back.
                        return Ok(Written::of(self, ask, &last));
                    }
                }
                // The monitor answers as the write itself would have.
                _ => return Err(error),
            }
        }
    }

    fn task_failed(&self, ask: &Ask, mut words: Refusal) -> Error {
        let mut secrets = Vec::new();
        if let Some(body) = &ask.body {
            json::secrets(body, &mut secrets);
        }
        words.conceal(&secrets);
        let licence = words.kind(Method::Post, self.quirks().licence_ids) == Kind::NeedsLicense;
        let kind = if licence {
            Kind::NeedsLicense
        } else {
            Kind::Refused
        };
        Error::new(kind, ask.to_string()).with_source(words)
    }
}

impl Written {
    /// What an answer to a write says.
    pub(super) fn of(client: &Client, ask: &Ask, answer: &Answer) -> Self {
        let location = answer.header("location").and_then(path::location);
        let at = location.clone().unwrap_or_else(|| ask.path.clone());
        let resource = Resource::decode(
            &at,
            answer.header("etag"),
            &answer.body,
            client.door().origin(),
        )
        .ok()
        // What an OEM action answers has no address of its own.
        .filter(|r| r.has("/@odata.id") || ask.path.contains("/Actions/"))
        .filter(|r| !is_task(&r.json));
        Self {
            status: answer.status,
            location: location.or_else(|| resource.as_ref().and_then(|r| r.link("/@odata.id"))),
            resource,
        }
    }
}
