//! A BMC that lets nothing happen before its factory password is changed.

use halbox::hal::model::Secret;

use super::bench::{Bench, SECOND, good, operation, outcome};

async fn changes(tree: &str, user: &str, account: &str) {
    let Some(bench) = Bench::open(
        tree,
        user,
        &["--if-match", "check", "--password-change-required"],
    ) else {
        return;
    };
    let cx = operation();
    let refused = bench
        .bmc
        .power
        .call("state", |p| p.state(&cx))
        .await
        .unwrap_err();
    let hint = refused.hint().unwrap_or_default();
    assert!(hint.contains("password"), "{refused:?}: {hint}");
    let password = Secret::new(SECOND);
    let cx = operation();
    let user_now = outcome(
        bench
            .bmc
            .users
            .call("pw", |u| u.set_password(&cx, user, &password))
            .await,
    );
    assert_eq!(user_now.unwrap().name, user);
    let log = bench.mock.log();
    let last = log.last().unwrap();
    assert!(
        last.method == "PATCH" && last.path == account && good(last),
        "{last:?}"
    );
    // Nothing is asked with the old password any more.
    bench.close(tree).await;
}

#[tokio::test]
async fn account_named_after_its_user() {
    changes(
        "openbmc_stock_2_15",
        "root",
        "/redfish/v1/AccountService/Accounts/root",
    )
    .await;
}

#[tokio::test]
async fn account_with_a_high_number() {
    changes(
        "nvidia_dgx_h100_ami",
        "tests_admin",
        "/redfish/v1/AccountService/Accounts/4",
    )
    .await;
}

#[tokio::test]
async fn account_with_a_number() {
    changes(
        "supermicro_x13_821ge",
        "root",
        "/redfish/v1/AccountService/Accounts/2",
    )
    .await;
}
