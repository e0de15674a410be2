//! Writes down what a line says: one more reader of its ring, which waits for the disk and makes nobody else wait.

use std::sync::Arc;
use std::time::Duration;

use super::history::{History, Record, What};
use super::line::Line;
use super::news::{Happening, News};

/// Pause between two writes: single characters become one.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes of one write, about.
const BATCH: usize = 64 << 10;

/// Records until the line is over.
pub(super) async fn record(line: Arc<Line>, history: Arc<History>) {
    let mut pulse = line.pulse.subscribe();
    let mut complained = false;
    loop {
        pulse.borrow_and_update();
        let (batch, over) = take(&line);
        if !batch.is_empty() {
            let to = Arc::clone(&history);
            let done = tokio::task::spawn_blocking(move || to.append(&batch)).await;
            match done {
                Ok(Ok(())) => complained = false,
                Ok(Err(error)) if !complained => {
                    complained = true;
                    log::error!("{}: not recorded: {}", line.mac, error.chain());
                }
                Ok(Err(_)) => {}
                Err(_) => log::error!("{}: not recorded: writing failed inside", line.mac),
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        if over || pulse.changed().await.is_err() {
            return;
        }
    }
}

/// What is to be written, and whether the line is over.
fn take(line: &Line) -> (Vec<Record>, bool) {
    let mut shared = line.shared();
    let mut out: Vec<Record> = Vec::new();
    let mut size = 0;
    while size < BATCH {
        let Some((at, read)) = shared.read_tape() else {
            break;
        };
        let what = match read {
            Ok(Happening::Data(data)) => {
                size += data.len();
                // What came within a moment is one record.
                if let Some(Record {
                    at: before,
                    what: What::Data(last),
                }) = out.last_mut()
                    && at.saturating_sub(*before) < 100
                    && last.len() + data.len() <= 4096
                {
                    last.extend_from_slice(&data);
                    continue;
                }
                What::Data(data.to_vec())
            }
            Ok(Happening::News(news)) => What::Words(news.to_string()),
            Err(missed) => What::Words(News::Missed(missed).to_string()),
        };
        size += 64;
        out.push(Record { at, what });
    }
    shared.forget();
    let over = shared.over.is_some();
    (out, over)
}
