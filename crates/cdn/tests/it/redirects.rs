//! The redirect table in the key value store.

use std::collections::BTreeMap;

use twinsite_core::{Mode, Run};
use twinsite_local::{Cloud, InjectedFault};
use twinsite_rules::{Files, Paths, Syntax, Table, TableSource, parse_redirects};

use super::interrupted::{cdn_without_retries, inject_faults_from};
use super::{applied, cdn, cloud, desired, import_certificate, session};

fn table(rules: usize, target: &str) -> Table {
    let lines: Vec<String> = (0..rules).map(|n| format!("/old-{n} {target}{n}")).collect();
    let parsed = parse_redirects(lines.join("\n"), Syntax::Netlify).unwrap();
    Table::compile(TableSource {
        redirects: &parsed.redirects,
        files: &Files::default(),
        headers: &[],
        paths: Paths::Unlisted,
    })
    .0
}

/// All keys of the only store, as another client sees them.
async fn stored(cloud: &Cloud) -> BTreeMap<String, String> {
    let session = session(cloud).await;
    let listed = session.cloudfront().list_key_value_stores().send().await.unwrap();
    let list = listed.key_value_store_list.unwrap();
    let arn = list.items.unwrap()[0].arn.clone();
    let (keys, mut found, mut next) = (session.key_value_store(), BTreeMap::new(), None);
    loop {
        let page = keys.list_keys().kvs_arn(&arn).set_next_token(next).send().await.unwrap();
        found.extend(page.items.unwrap_or_default().into_iter().map(|item| (item.key, item.value)));
        next = page.next_token;
        if next.is_none() {
            return found;
        }
    }
}

fn with_table(table: &Table) -> BTreeMap<String, String> {
    let others = [("site", "www.example.com"), ("origin", "primary")];
    let others = others.map(|(key, value)| (key.to_owned(), value.to_owned()));
    table.keys().clone().into_iter().chain(others).collect()
}

#[tokio::test]
async fn tables_replace_one_another_and_leave_other_keys_alone() {
    let (cloud, desired, run) = (cloud(), desired(Mode::Origin), Run::silent());
    let cdn = cdn(&cloud).await;
    let missing = cdn.put_redirects(&desired, &table(1, "/"), &run).await.unwrap_err();
    assert!(missing.to_string().contains("no key value store"), "{missing}");
    import_certificate(&cloud, &["www.example.com"]);
    applied(&cdn, &desired).await.unwrap();
    for (next, changes) in [
        (table(120, "/new-"), 121),
        (table(120, "/new-"), 0),
        (table(60, "/new-"), 61),
        (table(61, "/other-"), 62),
        (Table::default(), 62),
        (Table::default(), 0),
    ] {
        assert_eq!(cdn.put_redirects(&desired, &next, &run).await.unwrap(), changes);
        assert_eq!(stored(&cloud).await, with_table(&next));
    }
}

#[tokio::test]
async fn a_table_that_was_put_in_part_is_completed() {
    for at in 0..16 {
        let (cloud, desired, run) = (cloud(), desired(Mode::Layered), Run::silent());
        import_certificate(&cloud, &["www.example.com"]);
        let cdn = cdn(&cloud).await;
        applied(&cdn, &desired).await.unwrap();
        cdn.put_redirects(&desired, &table(70, "/first-"), &run).await.unwrap();
        // From here on nothing works, whoever repeats it.
        let fault = if at % 2 == 0 { InjectedFault::LoseReply } else { InjectedFault::Refuse };
        inject_faults_from(&cloud, at, fault);
        let next = table(110, "/second-");
        let first = cdn_without_retries(&cloud).await.put_redirects(&desired, &next, &run).await;
        cloud.inject_faults(|_| InjectedFault::None);
        if first.is_err() {
            // The head is the new one only if everything else is.
            let keys = stored(&cloud).await;
            let is_complete = keys == with_table(&next);
            assert_eq!(keys.get("redirects") == next.keys().get("redirects"), is_complete, "stopped at request {at}");
        }
        cdn.put_redirects(&desired, &next, &run).await.unwrap();
        assert_eq!(stored(&cloud).await, with_table(&next), "stopped at request {at}");
    }
}
