use std::os::unix::fs::PermissionsExt;

use super::*;

const MAC: &str = "ac:1f:6b:00:00:01";

fn history(dir: &Path, each: u64) -> History {
    let limits = Limits {
        each,
        all: u64::MAX,
    };
    History::new(dir, MAC.parse().unwrap(), limits)
}

fn data(at: u64, bytes: &[u8]) -> Record {
    Record {
        at,
        what: What::Data(bytes.to_vec()),
    }
}

fn all(history: &History, since: u64) -> Vec<Record> {
    let mut reader = history.reader(since);
    let mut out = Vec::new();
    loop {
        let batch = reader.batch().unwrap();
        if batch.is_empty() {
            return out;
        }
        out.extend(batch);
    }
}

fn folder(dir: &Path) -> PathBuf {
    dir.join(MAC.replace(':', "-"))
}

fn last(dir: &Path) -> PathBuf {
    files(&folder(dir)).unwrap().pop().unwrap().1
}

#[test]
fn what_was_written_is_read_and_only_by_the_owner() {
    let dir = tempfile::tempdir().unwrap();
    let one = history(dir.path(), 1 << 20);
    assert!(all(&one, 0).is_empty());
    let words = Record {
        at: 7,
        what: What::Words("the line was lost".to_owned()),
    };
    let long = vec![b'x'; 200_000];
    let first = [data(5, b"a\0\xff"), words.clone()];
    one.append(&first).unwrap();
    one.append(&[data(9, &long)]).unwrap();
    let got = all(&one, 0);
    assert_eq!(got[..2], first);
    let rest: Vec<u8> = got[2..]
        .iter()
        .flat_map(|r| match &r.what {
            What::Data(data) => data.clone(),
            What::Words(words) => panic!("{words}"),
        })
        .collect();
    assert!(rest == long);
    assert_eq!(all(&one, 7)[0], words);
    assert!(all(&one, 10).is_empty());
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder(dir.path())), 0o700);
    assert_eq!(mode(last(dir.path())), 0o600);
}

#[test]
fn a_torn_end_is_cut_off_wherever_it_was_torn() {
    let dir = tempfile::tempdir().unwrap();
    let first = [data(1, b"first"), data(2, b"second")];
    history(dir.path(), 1 << 20).append(&first).unwrap();
    let whole = std::fs::read(last(dir.path())).unwrap();
    history(dir.path(), 1 << 20)
        .append(&[data(3, b"third")])
        .unwrap();
    let more = std::fs::read(last(dir.path())).unwrap();
    for cut in whole.len()..more.len() {
        let mut torn = more[..cut].to_vec();
        // A crash of the whole machine leaves zeroes as well.
        torn.extend(vec![0; cut % 3]);
        std::fs::write(last(dir.path()), &torn).unwrap();
        let again = history(dir.path(), 1 << 20);
        assert_eq!(all(&again, 0), first, "cut at {cut}");
        again.append(&[data(4, b"fourth")]).unwrap();
        let mut expected = first.to_vec();
        expected.push(data(4, b"fourth"));
        assert_eq!(all(&again, 0), expected, "cut at {cut}");
    }
    // What is no history at all is begun anew.
    std::fs::write(last(dir.path()), b"something else").unwrap();
    let again = history(dir.path(), 1 << 20);
    again.append(&first).unwrap();
    assert_eq!(all(&again, 0), first);
}

#[test]
fn the_oldest_goes_when_there_is_too_much_and_followers_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let total = 64 << 10;
    let one = history(dir.path(), total);
    one.append(&[data(0, b"the very first")]).unwrap();
    let mut follower = one.reader(0);
    assert_eq!(follower.batch().unwrap(), [data(0, b"the very first")]);
    for n in 1..1000 {
        one.append(&[data(n, &[n as u8; 500])]).unwrap();
        let size: u64 = files(&folder(dir.path()))
            .unwrap()
            .iter()
            .map(|(_, path)| std::fs::metadata(path).unwrap().len())
            .sum();
        assert!(size <= total, "{size} bytes after {n}");
    }
    let kept = all(&one, 0);
    let bytes: usize = kept.len() * 500;
    assert!(bytes > total as usize / 2, "only {bytes} bytes are kept");
    assert!(
        kept.iter()
            .zip(1000 - kept.len() as u64..)
            .all(|(r, n)| r.at == n)
    );
    // Who follows and was left behind is told, and then gets all that is kept.
    let mut got = Vec::new();
    loop {
        let batch = follower.batch().unwrap();
        if batch.is_empty() {
            break;
        }
        got.extend(batch);
    }
    assert!(matches!(&got[0].what, What::Words(words) if words.contains("taken away")));
    assert_eq!(got[1..], kept);
}

#[test]
fn a_follower_gets_everything_across_files() {
    let dir = tempfile::tempdir().unwrap();
    let one = history(dir.path(), 1 << 20);
    let mut follower = one.reader(0);
    let mut got = Vec::new();
    for n in 0..2000 {
        one.append(&[data(n, &[n as u8; 300])]).unwrap();
        if n % 7 == 0 {
            got.extend(follower.batch().unwrap());
        }
    }
    loop {
        let batch = follower.batch().unwrap();
        if batch.is_empty() {
            break;
        }
        got.extend(batch);
    }
    assert!(files(&folder(dir.path())).unwrap().len() > 2);
    assert!(got.iter().map(|r| r.at).eq(0..2000));
}

#[test]
fn all_together_keep_within_their_limit_the_oldest_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    sweep(&dir.path().join("none"), 0).unwrap();
    let limits = Limits {
        each: 1 << 20,
        all: 25_000,
    };
    let of = |n: u8| History::new(dir.path(), MacAddr([2, 0, 0, 0, 0, n]), limits);
    let all_of: Vec<History> = (0..4).map(of).collect();
    let text = vec![b'x'; 10_000];
    let start = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    for (n, one) in all_of.iter().enumerate() {
        one.append(&[data(1, &text)]).unwrap();
        let path = files(&one.folder).unwrap().pop().unwrap().1;
        let at = start + std::time::Duration::from_secs(n as u64);
        std::fs::File::open(path).unwrap().set_modified(at).unwrap();
    }
    sweep(dir.path(), limits.all).unwrap();
    let left: Vec<bool> = all_of.iter().map(|h| !all(h, 0).is_empty()).collect();
    assert_eq!(left, [false, false, true, true]);
    // One that was swept away while its line is open goes on.
    all_of[0].append(&[data(2, b"and on")]).unwrap();
    assert_eq!(all(&all_of[0], 0), [data(2, b"and on")]);
    assert_eq!(all(&of(0), 0), [data(2, b"and on")]);
}

#[test]
fn what_is_erased_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let one = history(dir.path(), 1 << 20);
    one.erase().unwrap();
    let one = history(dir.path(), 1 << 20);
    one.append(&[data(1, b"a secret of the host")]).unwrap();
    one.erase().unwrap();
    // Whoever is writing just now is late.
    one.append(&[data(2, b"late")]).unwrap();
    assert!(!folder(dir.path()).exists());
}
