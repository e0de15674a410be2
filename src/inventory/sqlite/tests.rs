use super::super::store::conformance;
use super::*;

fn open(dir: &Path) -> Sqlite {
    let sealer = Sealer::load_or_make(&dir.join("key")).unwrap();
    Sqlite::open(dir, sealer).unwrap()
}

#[tokio::test]
async fn it_is_a_store() {
    let dir = tempfile::tempdir().unwrap();
    conformance::all(|| open(dir.path())).await;
}

#[tokio::test]
async fn a_copy_of_the_files_shows_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mac = MacAddr([0xac, 0, 0, 0, 0, 1]);
    let change = Change::of(1, |_| Ok(()))
        .or_create()
        .with_secret(Field::IpmiPassword, Some(Secret::new("MARKER-4711")));
    store.update(mac, change).await.unwrap();
    drop(store);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"MARKER"));
    }
    // With another key the row is there, and the secret says why it is not.
    let other = Sealer::new(&[Secret::new([9; 32])]).unwrap();
    let store = Sqlite::open(dir.path(), other).unwrap();
    assert!(store.get(mac).await.unwrap().is_some());
    let error = store.secret(mac, Field::IpmiPassword).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
}

#[tokio::test]
async fn keys_can_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let mac = MacAddr([0xac, 0, 0, 0, 0, 1]);
    let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
    let sealer = |keys: &[Secret]| Sealer::new(keys).unwrap();
    let store = Sqlite::open(dir.path(), sealer(std::slice::from_ref(&old))).unwrap();
    let change = Change::of(1, |_| Ok(()))
        .or_create()
        .with_secret(Field::IpmiPassword, Some(Secret::new("pw")));
    store.update(mac, change).await.unwrap();
    drop(store);
    drop(Sqlite::open(dir.path(), sealer(&[new.clone(), old])).unwrap());
    let store = Sqlite::open(dir.path(), sealer(&[new])).unwrap();
    let secret = store.secret(mac, Field::IpmiPassword).await.unwrap();
    assert_eq!(secret.unwrap().expose(), b"pw");
}

#[test]
fn newer_schemas_other_files_and_a_second_daemon_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("halbox.sqlite");
    let key = || Sealer::new(&[Secret::new([1; 32])]).unwrap();
    let store = Sqlite::open(dir.path(), key()).unwrap();
    let error = Sqlite::open(dir.path(), key()).unwrap_err();
    assert!(error.chain().contains("another halbox"), "{error:?}");
    drop(store);
    let db = Connection::open(&file).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = std::fs::read(&file).unwrap();
    let error = Sqlite::open(dir.path(), key()).unwrap_err();
    assert!(error.chain().contains("schema 99"), "{error:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    std::fs::write(&file, [0x41; 4096]).unwrap();
    let error = Sqlite::open(dir.path(), key()).unwrap_err();
    assert_eq!(error.kind(), Kind::Config, "{error:?}");
    assert_eq!(std::fs::read(&file).unwrap(), [0x41; 4096]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_share_commits_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    let mac = MacAddr([0xac, 0, 0, 0, 0, 1]);
    let tasks: Vec<_> = (0..500)
        .map(|i| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let change = Change::of(i, move |row| {
                    row.warnings.push(i.to_string());
                    Ok(())
                });
                store.update(mac, change.or_create()).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    drop(store);
    let store = open(dir.path());
    let row = store.get(mac).await.unwrap().unwrap();
    assert_eq!((row.warnings.len(), row.revision), (500, 500));
}
