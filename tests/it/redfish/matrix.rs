//! Every operation on every recorded server: the right value, or Unsupported with a reason; what was written is asserted
//! from the server's log. `just matrix` prints it.

mod power;
mod reads;
mod settings;
mod users;

use halbox::hal::Kind;

use super::bench::{Bench, good};
use super::print;
use super::table::{TREES, Tree};
use crate::common::mockup::Logged;

/// What came out, one per operation.
pub type Rows = Vec<(&'static str, String)>;

struct Run<'a> {
    bench: &'a Bench,
    tree: &'a Tree,
    rows: Rows,
    /// Also what takes ten seconds.
    patient: bool,
}

impl Run<'_> {
    fn row(&mut self, operation: &'static str, text: impl Into<String>) {
        self.rows.push((operation, text.into()));
    }

    /// Asserts that it is refused as not there, with a reason, and that nothing was written.
    fn unsupported<T: std::fmt::Debug>(
        &mut self,
        operation: &'static str,
        got: Result<T, (Kind, String)>,
    ) {
        let (kind, words) = got.expect_err(operation);
        assert_eq!(
            kind,
            Kind::Unsupported,
            "{} {operation}: {words}",
            self.tree.name
        );
        self.row(operation, format!("unsupported: {words}"));
    }

    /// The good writes since `before`.
    fn writes(&self, before: usize) -> Vec<Logged> {
        let all = self.bench.mock.writes().into_iter().skip(before);
        all.filter(good).collect()
    }

    fn written(&self) -> usize {
        self.bench.mock.writes().len()
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it reads better where it is called"
    )]
    fn eq<T: std::fmt::Debug + PartialEq>(&self, what: &str, got: T, want: T) {
        assert_eq!(got, want, "{} {what}", self.tree.name);
    }

    fn text(&self, what: &str, got: Option<&str>, want: Option<&str>) {
        let Some(want) = want else { return };
        let same = got.unwrap_or_default().eq_ignore_ascii_case(want);
        assert!(
            same,
            "{} {what}: {got:?} instead of {want:?}",
            self.tree.name
        );
    }
}

/// Everything on one tree; `None` without the trees.
async fn run(tree: &Tree, patient: bool) -> Option<Rows> {
    let bench = Bench::open(tree.name, tree.user, tree.options)?;
    Some(run_on(tree, bench, patient).await)
}

async fn run_on(tree: &Tree, bench: Bench, patient: bool) -> Rows {
    let mut run = Run {
        bench: &bench,
        tree,
        rows: Vec::new(),
        patient,
    };
    run.state().await;
    run.record().await;
    run.led().await;
    run.boot().await;
    run.boot_more().await;
    run.lan().await;
    run.watts().await;
    run.sensors().await;
    run.log().await;
    run.users().await;
    run.reset().await;
    run.more_power().await;
    run.bmc_reset().await;
    let rows = run.rows;
    bench.close(tree.name).await;
    rows
}

macro_rules! trees {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            let name = stringify!($name);
            let tree = TREES.iter().find(|t| t.name == name).unwrap();
            run(tree, false).await;
            // As if nobody had ever heard of its vendor.
            if let Some(bench) = Bench::plain(tree.name, tree.user, tree.options) {
                run_on(tree, bench, false).await;
            }
        }
    )+};
}

trees!(
    cray_ex235a,
    dell_r750_idrac9_6_00,
    dmtf_public_rackmount1,
    gigabyte_h262_ami,
    hpe_dl360_g10p_ilo5_3_11,
    hpe_dl385g10p_ilo5_2_72,
    lenovo_sr670v2_xcc,
    nvidia_bf3_dpu,
    nvidia_dgx_h100_ami,
    nvidia_gb200,
    openbmc_stock_2_15,
    supermicro_x10sdv_a,
    supermicro_x13_821ge,
);

#[tokio::test]
#[ignore = "prints the table: just matrix"]
async fn table() {
    let mut columns: Vec<(&str, Rows)> = Vec::new();
    for tree in &TREES {
        let Some(rows) = run(tree, true).await else {
            return;
        };
        columns.push((tree.name, rows));
    }
    let out = print::table(&columns);
    let _ = std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes());
}
