//! A site with several names: aliases in its own hosted zone and in another one, added, removed, stopped anywhere, and in every mode.

use twinsite_local::cloudfront::Distribution;
use twinsite_local::route53::Zone;

use super::*;

const ALIASES: &str = "aliases = [\"example.com\", \"www.example.org\"]\n";

/// A configuration with these lines in its section `[site]`.
fn with_site(text: &str, lines: &str) -> String {
    text.replacen("mode = ", &format!("{lines}mode = "), 1)
}

pub(super) fn aliased(mode: Mode) -> String {
    with_site(&full(mode), ALIASES)
}

/// What the account has of the names: aliases of the distribution, names of certificates, records and buckets.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    distribution: Vec<String>,
    certificates: Vec<Vec<String>>,
    records: Vec<String>,
    buckets: Vec<String>,
}

fn names(cloud: &Cloud) -> Names {
    let named = ["example.com", "www.example.com", "www.example.org"];
    let buckets = named.iter().filter(|name| cloud.world().s3().bucket(name).is_some());
    let buckets = buckets.map(|name| (*name).to_owned()).collect();
    cloud.world().account(|account, _| {
        let mut distribution: Vec<String> =
            account.cloudfront.distributions().flat_map(Distribution::aliases).map(str::to_owned).collect();
        distribution.sort();
        let zones = account.route53.zones().flat_map(Zone::records);
        let records = zones.filter(|set| !["NS", "SOA"].contains(&set.r#type.as_str()));
        let mut records: Vec<String> = records.map(|set| format!("{} {}", set.r#type, set.name)).collect();
        records.dedup();
        let certificates = account.acm.all().map(|one| one.names.clone()).collect();
        Names { distribution, certificates, records, buckets }
    })
}

#[tokio::test]
async fn with_aliases_a_second_plan_is_empty_and_destroy_leaves_the_account_as_it_was() {
    for mode in MODES {
        let cloud = cloud();
        let stack = open(&cloud, &aliased(mode), None).await;
        let before = cloud.world().dump();
        applied(&stack).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0], "{mode}");
        let Names { distribution, certificates, records, buckets } = names(&cloud);
        assert_eq!(distribution, ["example.com", "www.example.com", "www.example.org"], "{mode}");
        assert_eq!(certificates, [["www.example.com", "example.com", "www.example.org"]], "{mode}");
        let validation = records.iter().filter(|record| record.starts_with("CNAME _"));
        assert_eq!(validation.count(), 3, "{mode}: {records:?}");
        let (apex, other) = if mode == Mode::Origin {
            ("AAAA example.com.", "AAAA www.example.org.")
        } else {
            ("A example.com.", "CNAME www.example.org.")
        };
        assert!(
            records.iter().any(|record| record == apex) && records.iter().any(|record| record == other),
            "{mode}: {records:?}"
        );
        let wanted: &[&str] =
            if mode == Mode::Origin { &[] } else { &["example.com", "www.example.com", "www.example.org"] };
        assert_eq!(buckets, wanted, "{mode}");
        destroyed(&stack).await;
        assert_eq!(cloud.world().dump(), before, "{mode}");
    }
}

#[tokio::test]
async fn aliases_are_added_to_a_site_and_removed_from_it_without_a_rest() {
    for mode in MODES {
        let cloud = cloud();
        drop(open(&cloud, &aliased(mode), None).await);
        let before = cloud.world().dump();
        let plain = open(&cloud, &full(mode), None).await;
        applied(&plain).await.unwrap();
        let without = names(&cloud);
        let with = open(&cloud, &aliased(mode), None).await;
        applied(&with).await.unwrap();
        assert_eq!(steps(&with).await, [""; 0], "{mode}");
        assert_eq!(names(&cloud).certificates.len(), 1, "{mode}: the old certificate is deleted");
        let removal = plain.plan(AdoptBuckets::Refuse).await.unwrap();
        let wave =
            |id: &str| removal.waves().iter().position(|wave| wave.iter().any(|step| step.id.as_str() == id)).unwrap();
        assert!(wave("dns/records/example.com") < wave("cdn/distribution"), "{mode}: first the records");
        assert!(wave("certificate/issued") < wave("cdn/distribution"), "{mode}: never without a certificate");
        assert!(wave("cdn/deployed") < wave("dns/certificate-record/example.com"), "{mode}");
        assert!(wave("dns/certificate-record/example.com") < wave("certificate/0"), "{mode}: the certificate last");
        assert!(wave("certificate/0") < wave("backup/alias-record-reduced"), "{mode}");
        plain.apply(removal).await.unwrap();
        assert_eq!(steps(&plain).await, [""; 0], "{mode}");
        assert_eq!(names(&cloud), without, "{mode}");
        // One of two is kept.
        let one = open(&cloud, &with_site(&full(mode), "aliases = [\"www.example.org\"]\n"), None).await;
        applied(&with).await.unwrap();
        applied(&one).await.unwrap();
        assert_eq!(steps(&one).await, [""; 0], "{mode}");
        assert_eq!(names(&cloud).distribution, ["www.example.com", "www.example.org"], "{mode}");
        destroyed(&plain).await;
        assert_eq!(cloud.world().dump(), before, "{mode}: destroyed with a configuration that names no alias");
    }
}

#[tokio::test]
async fn a_site_with_aliases_moves_from_any_mode_to_any_other() {
    for from in MODES {
        for to in MODES {
            let cloud = cloud();
            let first = open(&cloud, &aliased(from), None).await;
            let before = cloud.world().dump();
            applied(&first).await.unwrap();
            let after = open(&cloud, &aliased(to), None).await;
            applied(&after).await.unwrap();
            assert_eq!(steps(&after).await, [""; 0], "{from} to {to}");
            let has_redirects = names(&cloud).buckets.contains(&"example.com".to_owned());
            assert_eq!(has_redirects, to != Mode::Origin, "{from} to {to}");
            destroyed(&after).await;
            assert_eq!(cloud.world().dump(), before, "{from} to {to}");
        }
    }
}

/// Stopped after some requests of a change from one configuration to another, the next apply finishes.
async fn change_converges(mode: Mode, texts: [&str; 2], trouble: InjectedFault) {
    let [from, to] = texts;
    for k in sampled(6) {
        let cloud = cloud();
        drop(open(&cloud, &aliased(mode), None).await);
        let before = cloud.world().dump();
        applied(&open(&cloud, from, None).await).await.unwrap();
        let hurried = open(&cloud, to, Some(1)).await;
        let plan = hurried.plan(AdoptBuckets::Refuse).await.unwrap();
        trouble_from(&cloud, k, trouble);
        let first = hurried.apply(plan).await;
        cloud.inject_faults(|_| InjectedFault::None);
        let stack = open(&cloud, to, None).await;
        // Killed between creating a redirect bucket and tagging it: said, and mended by --adopt.
        let adopt =
            if stack.plan(AdoptBuckets::Refuse).await.is_err() { AdoptBuckets::Adopt } else { AdoptBuckets::Refuse };
        stack.apply(stack.plan(adopt).await.unwrap()).await.unwrap();
        assert_eq!(steps(&stack).await, [""; 0], "{mode}: after {k}");
        if adopt == AdoptBuckets::Refuse {
            destroyed(&stack).await;
            assert_eq!(cloud.world().dump(), before, "{mode}: after {k}");
        }
        if first.is_ok() {
            return;
        }
    }
}

#[tokio::test]
async fn stopped_anywhere_while_aliases_are_added_the_next_apply_finishes() {
    for mode in MODES {
        let (plain, aliased) = (full(mode), aliased(mode));
        Box::pin(change_converges(mode, [&plain, &aliased], InjectedFault::Refuse)).await;
    }
}

#[tokio::test]
async fn stopped_anywhere_while_aliases_are_removed_the_next_apply_finishes() {
    for mode in MODES {
        let (plain, aliased) = (full(mode), aliased(mode));
        Box::pin(change_converges(mode, [&aliased, &plain], InjectedFault::LoseReply)).await;
    }
}

/// The names of a site are changed under its feet.
#[tokio::test]
async fn drift_of_an_alias_is_found_and_repaired() {
    let cloud = cloud();
    let stack = open(&cloud, &aliased(Mode::Layered), None).await;
    applied(&stack).await.unwrap();
    let backup = stack.session.s3(&stack.site.regions.backup);
    backup.delete_bucket_website().bucket("www.example.org").send().await.unwrap();
    let removed = cloud.world().change_account(|account, _| {
        let arn = account.cloudfront.distributions().next().unwrap().arn();
        let distribution = account.cloudfront.distribution_by_arn(&arn)?;
        let aliases = distribution.config.children.iter_mut().find(|child| child.name == "Aliases").unwrap();
        let items = aliases.children.iter_mut().find(|child| child.name == "Items").unwrap();
        items.children.retain(|alias| alias.text != "example.com");
        let quantity = items.children.len().to_string();
        aliases.children.iter_mut().find(|child| child.name == "Quantity").unwrap().text = quantity;
        Ok::<_, twinsite_local::ServiceError>(())
    });
    removed.unwrap();
    let mut found = steps(&stack).await;
    found.sort();
    assert_eq!(found, ["cdn/deployed", "cdn/distribution", "redirect/www.example.org/website"]);
    applied(&stack).await.unwrap();
    assert_eq!(steps(&stack).await, [""; 0]);
}

#[tokio::test]
async fn names_that_others_have_are_said_before_anything_is_changed() {
    let cloud = cloud();
    let other = "[site]\ndomain = \"example.com\"\nmode = \"layered\"\n[primary]\nregion = \"us-east-1\"\n[backup]\nregion = \"us-west-2\"\n";
    applied(&open(&cloud, other, None).await).await.unwrap();
    let stack = open(&cloud, &aliased(Mode::Layered), None).await;
    let before = cloud.world().dump();
    let error = stack.plan(AdoptBuckets::Refuse).await.unwrap_err().to_string();
    assert!(error.contains("`example.com` is an alias of the distribution"), "{error}");
    assert!(error.contains("the bucket `example.com`, which has to redirect visitors"), "{error}");
    assert!(error.contains("belongs to the site `example.com`"), "{error}");
    assert_eq!(cloud.world().dump(), before);
}
