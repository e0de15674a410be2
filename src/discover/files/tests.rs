use super::*;

const HEADER: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> (Self, PathBuf) {
        let folder = Self(tempfile::tempdir().unwrap());
        let path = folder.0.path().join("leases");
        (folder, path)
    }

    /// Writes a file beside; its time lies far enough back that nothing is racy.
    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        let old = SystemTime::now() - Duration::from_mins(1);
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(old).unwrap();
    }
}

fn addresses(files: &LeaseFiles) -> Vec<String> {
    let (_, state) = files.iter().next().unwrap();
    let mut all: Vec<String> = state.leases.iter().map(|l| l.ip.to_string()).collect();
    all.sort();
    all
}

fn kea(n: u8) -> String {
    format!("192.0.2.{n},ac:1f:6b:00:00:{n:02x},,600,4102444800,1,0,0,,0,,0\n")
}

#[test]
fn what_kea_cleaned_up_still_counts() {
    let (folder, path) = Folder::new();
    let mut files = LeaseFiles::new(std::slice::from_ref(&path));
    // The file begins anew with every clean-up; what was not renewed since stands in the cleaned one.
    folder.write("leases.2", &format!("{HEADER}{}{}", kea(1), kea(2)));
    folder.write("leases", &format!("{HEADER}{}", kea(3)));
    files.read();
    assert_eq!(addresses(&files), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    // While it runs: moved to .1. The newest word counts: 2 was given back.
    folder.write(
        "leases.1",
        &format!(
            "{HEADER}192.0.2.2,ac:1f:6b:00:00:02,,0,1,1,0,0,,2,,0\n{}",
            kea(3)
        ),
    );
    folder.write("leases", HEADER);
    let now = super::super::now() / 1000;
    let mut files = LeaseFiles::new(std::slice::from_ref(&path));
    files.read();
    let (_, state) = files.iter().next().unwrap();
    let active = state.leases.iter().filter(|l| l.is_active(now));
    assert_eq!(active.count(), 2, "{:?}", state.leases);
    // A cleaned file that waits replaces both.
    folder.write("leases.completed", &format!("{HEADER}{}", kea(9)));
    let mut files = LeaseFiles::new(std::slice::from_ref(&path));
    files.read();
    assert_eq!(addresses(&files), ["192.0.2.9"]);
    // Copies beside the file of another server are none of these.
    folder.write("leases", "4102444800 ac:1f:6b:00:00:05 192.0.2.5 * *\n");
    fs::remove_file(folder.0.path().join("leases.completed")).unwrap();
    folder.write("leases.1", "4102444800 ac:1f:6b:00:00:06 192.0.2.6 * *\n");
    let mut files = LeaseFiles::new(&[path]);
    files.read();
    assert_eq!(addresses(&files), ["192.0.2.5"]);
}

#[test]
fn a_file_that_is_caught_empty_loses_nothing_at_once() {
    let (folder, path) = Folder::new();
    let mut files = LeaseFiles::new(&[path]);
    let both =
        "4102444800 ac:1f:6b:00:00:01 192.0.2.1 * *\n4102444800 ac:1f:6b:00:00:02 192.0.2.2 * *\n";
    folder.write("leases", both);
    assert_eq!(files.read(), None, "nothing to come back for");
    folder.write("leases", "");
    let again = files.read();
    assert!(again.is_some(), "to be read again");
    assert_eq!(addresses(&files), ["192.0.2.1", "192.0.2.2"]);
    // A lease that moved is not kept at its old place beside the new one.
    let moved = "4102444800 ac:1f:6b:00:00:01 192.0.2.9 * *\n";
    files.files.values_mut().for_each(|f| f.again = None);
    folder.write("leases", moved);
    files.read();
    assert_eq!(addresses(&files), ["192.0.2.2", "192.0.2.9"]);
    // Missed for long enough.
    for state in files.files.values_mut() {
        state.again = None;
        for (_, since) in &mut state.missed {
            *since -= GRACE;
        }
    }
    files.read();
    assert_eq!(addresses(&files), ["192.0.2.9"]);
}

#[test]
fn a_change_while_the_file_rests_is_not_forgotten() {
    let (folder, path) = Folder::new();
    let mut files = LeaseFiles::new(std::slice::from_ref(&path));
    // Just written: the same size and time may hide another change.
    fs::write(&path, "4102444800 ac:1f:6b:00:00:01 192.0.2.1 * *\n").unwrap();
    let again = files.read().unwrap();
    fs::write(&path, "4102444800 ac:1f:6b:00:00:01 192.0.2.3 * *\n").unwrap();
    files.read();
    files.files.values_mut().for_each(|f| f.again = None);
    assert!(again.elapsed() < RACY);
    files.read();
    assert_eq!(addresses(&files), ["192.0.2.3"]);
    drop(folder);
}
