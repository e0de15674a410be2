//! What is written down of a line.

use super::super::history::{Record as Recorded, What};
use super::*;

/// Everything that is recorded, once it holds `text`.
async fn recorded(bed: &Bed, text: &str) -> Vec<Recorded> {
    let history = bed.hub.history(bed.row.mac).unwrap();
    let mut pulse = history.pulse();
    let until = async {
        loop {
            pulse.borrow_and_update();
            let mut reader = history.reader(0);
            let all = reader.batch().unwrap();
            let words = all.iter().any(|r| match &r.what {
                What::Words(words) => words == text,
                What::Data(data) => String::from_utf8_lossy(data).contains(text),
            });
            if words {
                return all;
            }
            pulse.changed().await.unwrap();
        }
    };
    tokio::time::timeout(LONG, until).await.expect(text)
}

#[tokio::test]
async fn a_line_is_recorded_while_somebody_is_in() {
    let dir = tempfile::tempdir().unwrap();
    let mut bed = Bed::new(Some(dir.path()));
    let anna = bed.seat("anna", Wish::Any).await;
    let host = bed.host().await;
    host.stands().await;
    host.says(b"login: ").await;
    recorded(&bed, "login: ").await;
    drop(anna);
    drop(host);
    let all = recorded(&bed, "anna went").await;
    let words: Vec<String> = all
        .iter()
        .map(|r| match &r.what {
            What::Data(data) => String::from_utf8(data.clone()).unwrap(),
            What::Words(words) => format!("[{words}]"),
        })
        .collect();
    assert!(all.iter().all(|r| r.at > 1_700_000_000_000));
    assert_eq!(
        words[..4],
        [
            "[anna came]",
            "[anna writes]",
            "[the line stands, over ipmi]",
            "login: "
        ]
    );
}

#[tokio::test]
async fn a_warm_line_needs_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut bed = Bed::new(Some(dir.path()));
    assert!(bed.hub.keep(&bed.row).is_some());
    let mut host = bed.host().await;
    host.says(b"Oops: 0000").await;
    recorded(&bed, "Oops: 0000").await;
    // People come and go, and it stays.
    let mut anna = bed.seat("anna", Wish::Any).await;
    anna.pen().put(typed("x")).await;
    assert_eq!(host.hears(1).await, b"x");
    host.says(b"y").await;
    assert_eq!(characters(&mut anna, 1).await, b"y");
    drop(anna);
    assert!(bed.hub.keep(&bed.row).is_none());
    host.says(b"panic").await;
    recorded(&bed, "panic").await;
}
