//! Readers of different pace, and what is acknowledged when.

use super::super::ring::{Entry, ROOM, Read, Ring};
use super::*;

const CHUNK: usize = 1000;

fn chunk(n: usize) -> Vec<u8> {
    (0..CHUNK).map(|i| (n * 7 + i) as u8).collect()
}

#[tokio::test]
async fn who_is_slow_misses_some_and_nobody_waits_for_him() {
    let mut bed = Bed::new(None);
    let mut fast = bed.seat("fast", Wish::Any).await;
    let host = bed.host().await;
    let mut slow = bed.seat("slow", Wish::Any).await;
    assert_eq!(told(&mut fast).await, "slow came");
    let total = 4 * ROOM / CHUNK;
    for n in 0..total {
        host.says(&chunk(n)).await;
        assert!(characters(&mut fast, CHUNK).await == chunk(n), "chunk {n}");
    }
    // He is told how much he missed, and goes on exactly behind it.
    let News::Missed(missed) = news(&mut slow).await else {
        panic!("nothing was missed");
    };
    let missed = missed as usize;
    assert_eq!(missed % CHUNK, 0);
    let left = total - missed / CHUNK;
    assert!(
        left * CHUNK <= ROOM && left * CHUNK > ROOM / 2,
        "{left} chunks were kept"
    );
    for n in missed / CHUNK..total {
        assert!(characters(&mut slow, CHUNK).await == chunk(n), "chunk {n}");
    }
}

#[tokio::test]
async fn who_is_alone_makes_the_bmc_wait_and_misses_nothing() {
    let mut bed = Bed::new(None);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let host = bed.host().await;
    let total = 4 * ROOM / CHUNK;
    let (to, mut said) = mpsc::unbounded_channel();
    let saying = tokio::spawn(async move {
        for n in 0..total {
            host.says(&chunk(n)).await;
            let _ = to.send(n);
        }
        host
    });
    // More than the ring holds is never said before she reads.
    for n in 0..ROOM / 3 / CHUNK {
        assert_eq!(said.recv().await, Some(n));
    }
    for n in 0..total {
        assert!(characters(&mut anna, CHUNK).await == chunk(n), "chunk {n}");
    }
    saying.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_is_alone_and_asleep_makes_the_bmc_wait_for_a_while_only() {
    let mut bed = Bed::new(None);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let host = bed.host().await;
    let start = tokio::time::Instant::now();
    for n in 0..4 * ROOM / CHUNK {
        host.says(&chunk(n)).await;
    }
    // Virtual time: it moves when everybody waits.
    let waited = start.elapsed();
    assert!(
        waited >= Duration::from_secs(9) && waited < Duration::from_mins(1),
        "{waited:?}"
    );
    assert!(matches!(news(&mut anna).await, News::Missed(_)));
}

#[tokio::test]
async fn what_is_acknowledged_was_taken_before() {
    let mut bed = Bed::new(None);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let mut host = bed.host().await;
    // An old one is still on its way when the question is asked.
    host.events.send(ConsoleEvent::Drained(6)).await.unwrap();
    let pen = anna.pen();
    let long = "x".repeat(20_000);
    let text = long.clone();
    let typing = tokio::spawn(async move {
        pen.put(Pending::Data(text.into_bytes())).await;
        pen.put(Pending::Flush(7)).await;
    });
    let heard = host.hears(long.len()).await;
    assert_eq!(heard, long.as_bytes());
    typing.await.unwrap();
    let asked = tokio::time::timeout(LONG, host.input.recv()).await.unwrap();
    assert!(matches!(asked, Some(ConsoleInput::Flush(7))));
    host.says(b"before").await;
    host.events.send(ConsoleEvent::Drained(7)).await.unwrap();
    assert_eq!(characters(&mut anna, 6).await, b"before");
    assert_eq!(news(&mut anna).await, News::Flushed(7));
}

#[test]
fn the_ring_is_bounded_whatever_is_put_in() {
    let mut ring = Ring::default();
    let mut cursor = ring.end();
    for n in 0..100_000 {
        let what = if n % 2 == 0 {
            Happening::Data(vec![0; n % 3000].into())
        } else {
            Happening::News(Arc::new(News::NotWriting))
        };
        ring.push(Entry { at: 0, what });
        assert!(ring.cost() <= ROOM + 64);
    }
    // One that is larger than the ring is kept alone.
    ring.push(Entry {
        at: 0,
        what: Happening::Data(vec![1; 2 * ROOM].into()),
    });
    assert!(matches!(ring.read(&mut cursor), Read::Missed(n) if n > 1_000_000));
    assert!(matches!(ring.read(&mut cursor), Read::Entry(_)));
    assert!(matches!(ring.read(&mut cursor), Read::Nothing));
    ring.forget(cursor);
    assert_eq!(ring.cost(), 0);
}
