//! Who writes, who reads, who comes and goes.

use super::*;

#[tokio::test]
async fn one_writes_and_the_others_read() {
    let mut bed = Bed::new(None);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let mut host = bed.host().await;
    let mut bert = bed.seat("bert", Wish::Any).await;
    assert_eq!(told(&mut anna).await, "bert came");
    host.stands().await;
    for seat in [&mut anna, &mut bert] {
        assert_eq!(told(seat).await, "the line stands, over ipmi");
    }
    let now = bert.snapshot();
    assert_eq!(now.writer, Some(anna.number()));
    assert_eq!(now.people.len(), 2);
    assert_eq!(bed.hub.count(), (1, 2));

    // Bert's typing goes nowhere, and he is told so.
    bert.pen().put(typed("rm -rf /\r")).await;
    assert_eq!(news(&mut bert).await, News::NotWriting);
    anna.pen().put(typed("ls\r")).await;
    assert_eq!(host.hears(3).await, b"ls\r");
    host.says(b"file\r\n").await;
    for seat in [&mut anna, &mut bert] {
        assert_eq!(characters(seat, 6).await, b"file\r\n");
    }

    // Nobody else gets in to write, unless he takes over: then all know.
    let error = bed.refused("carl", Wish::Write).await;
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.chain().contains("anna writes"), "{}", error.chain());
    assert_eq!(bert.pen().take_over().as_deref(), Some("anna"));
    for seat in [&mut anna, &mut bert] {
        assert_eq!(told(seat).await, "bert writes, in place of anna");
    }
    anna.pen().put(typed("x")).await;
    assert_eq!(news(&mut anna).await, News::NotWriting);
    let dora = bed.seat("dora", Wish::TakeOver).await;
    assert_eq!(told(&mut bert).await, "dora came");
    assert_eq!(told(&mut bert).await, "dora writes, in place of bert");
    dora.pen().put(Pending::Break).await;
    let input = host.input.recv().await.unwrap();
    assert!(matches!(input, ConsoleInput::Break));

    // When the writer goes, nobody writes until somebody types; who only reads never does.
    let reader = bed.seat("eve", Wish::Read).await;
    drop(dora);
    for words in ["eve came", "dora went", "nobody writes"] {
        assert_eq!(told(&mut bert).await, words);
    }
    reader.pen().put(typed("x")).await;
    bert.pen().put(typed("y")).await;
    assert_eq!(host.hears(1).await, b"y");
    assert_eq!(told(&mut bert).await, "bert writes");
}

#[tokio::test]
async fn the_last_one_closes_the_line_and_the_next_one_opens_another() {
    let mut bed = Bed::new(None);
    let anna = bed.seat("anna", Wish::Any).await;
    let mut first = bed.host().await;
    assert!(first.options.reconnect.is_some() && !first.options.steal);
    let bert = bed.seat("bert", Wish::Any).await;
    drop(anna);
    first.says(b"still here").await;
    drop(bert);
    first.is_left().await;
    // The BMC has not confirmed the end yet: the next one waits for that.
    let hub = Arc::clone(&bed.hub);
    let row = Arc::clone(&bed.row);
    let coming = tokio::spawn(async move {
        let options = ConsoleOptions::default();
        hub.attach(&row, "carl", Wish::Any, options).await.unwrap()
    });
    tokio::task::yield_now().await;
    assert!(bed.opened.try_recv().is_err());
    drop(first);
    let mut carl = coming.await.unwrap();
    let second = bed.host().await;
    second.says(b"new").await;
    assert_eq!(characters(&mut carl, 3).await, b"new");
}

#[tokio::test]
async fn a_line_that_is_lost_or_refused_is_told_to_all() {
    let mut bed = Bed::new(None);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let host = bed.host().await;
    host.stands().await;
    let mut bert = bed.seat("bert", Wish::Any).await;
    let lost = ConsoleEvent::Lost {
        why: "silence".to_owned(),
        again_in: Duration::from_secs(2),
    };
    host.events.send(lost).await.unwrap();
    host.stands().await;
    let end = Error::new(Kind::Busy, "taken");
    host.events
        .send(ConsoleEvent::Ended(Some(end)))
        .await
        .unwrap();
    let mut heard = Vec::new();
    for seat in [&mut anna, &mut bert] {
        loop {
            match next(seat).await {
                Next::Happened(Happening::News(news)) => heard.push(news.to_string()),
                Next::Over(error) => {
                    assert_eq!(error.unwrap().kind(), Kind::Busy);
                    break;
                }
                other @ Next::Happened(_) => panic!("{other:?}"),
            }
        }
        assert!(
            heard
                .iter()
                .any(|w| w == "the line was lost: silence; trying again in 2 s"),
            "{heard:?}"
        );
        heard.clear();
    }
    drop((anna, bert, host));
    // A BMC without a console.
    bed.opener
        .refusals
        .lock()
        .unwrap()
        .push_back(Kind::Unsupported);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let Next::Over(Some(error)) = next(&mut anna).await else {
        panic!("open");
    };
    assert_eq!(error.kind(), Kind::Unsupported);
}

#[tokio::test]
async fn the_end_of_the_daemon_ends_all() {
    let mut bed = Bed::new(None);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let mut host = bed.host().await;
    let hub = Arc::clone(&bed.hub);
    let closing = tokio::spawn(async move { hub.close(LONG).await });
    host.is_left().await;
    drop(host);
    closing.await.unwrap();
    assert!(matches!(next(&mut anna).await, Next::Over(Some(_))));
    bed.refused("bert", Wish::Any).await;
}

#[tokio::test]
async fn a_bmc_that_moved_is_looked_for_where_it_is_now() {
    let mut bed = Bed::new(None);
    let mut anna = bed.seat("anna", Wish::Any).await;
    let mut first = bed.host().await;
    first.stands().await;
    let lost = || ConsoleEvent::Lost {
        why: "silence".to_owned(),
        again_in: Duration::from_secs(2),
    };
    // A row that leads to the same: the line goes on.
    *bed.opener.row.lock().unwrap() = Some(Arc::clone(&bed.row));
    first.events.send(lost()).await.unwrap();
    first.stands().await;
    first.says(b"the same").await;
    let mut row = (*bed.row).clone();
    row.address = Some("10.0.0.9".parse().unwrap());
    *bed.opener.row.lock().unwrap() = Some(Arc::new(row));
    first.events.send(lost()).await.unwrap();
    first.is_left().await;
    drop(first);
    let mut second = bed.host().await;
    second.stands().await;
    let mut heard = Vec::new();
    while heard
        .last()
        .is_none_or(|w: &String| !w.contains("row has changed"))
    {
        match next(&mut anna).await {
            Next::Happened(Happening::News(news)) => heard.push(news.to_string()),
            Next::Happened(Happening::Data(data)) => assert_eq!(*data, *b"the same"),
            Next::Over(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(told(&mut anna).await, "the line stands, over ipmi");
    anna.pen().put(typed("x")).await;
    assert_eq!(second.hears(1).await, b"x");
}
