use twinsite_core::{Change as _, Mode, Pair, Plan, Site};

use super::*;
use crate::bucket::Website;
use crate::{Contents, destroy_steps};

fn want(mode: Mode) -> Desired {
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let site = Site::new("www.example.com".parse().unwrap(), mode, "111122223333".parse().unwrap(), regions);
    Desired::new(site.unwrap())
}

/// A bucket just as it is wanted.
fn right(want: &Desired, side: Side) -> SideState {
    let bucket = want.site.buckets.get(side).as_str();
    SideState {
        tags: want.owner().created(),
        versioned: true,
        owner_enforced: true,
        sse_s3: true,
        block: Some(want.block()),
        website: want.website(),
        lifecycle: Lifecycle { abort_days: Some(7), noncurrent_days: None, markers: true },
        policy: policy::wanted(want, bucket, None).unwrap().map(|document| document.to_string()),
        replication: Replication { rule: replication::wanted(want, side), others: None },
        probes: true,
    }
}

fn observed(want: &Desired, change: impl Fn(&mut SideState)) -> Observed {
    let mut primary = right(want, Side::Primary);
    change(&mut primary);
    let backup = Found::Bucket(Box::new(right(want, Side::Backup)));
    let buckets = Pair::new(Found::Bucket(Box::new(primary)), backup);
    Observed { buckets, account: None, role: Some(role::tests::right(want)), former: Vec::new() }
}

fn ids(steps: &[Step<Change>]) -> Vec<&str> {
    steps.iter().map(|step| step.id.as_str()).collect()
}

fn problems(want: &Desired, have: &Observed) -> Vec<Problem> {
    steps(want, have).unwrap_err().0
}

type Drift = (&'static str, fn(&mut SideState));

#[test]
fn nothing_there_means_everything_is_made_and_ordered() {
    let have =
        Observed { buckets: Pair::new(Found::Nothing, Found::Nothing), account: None, role: None, former: Vec::new() };
    let plan = Plan::new(steps(&want(Mode::Layered), &have).unwrap()).unwrap();
    assert_eq!(plan.len(), 20);
    let waves: Vec<usize> = plan.waves().iter().map(Vec::len).collect();
    assert_eq!(waves, [3, 12, 5]);
    let last: Vec<&str> = plan.waves()[2].iter().map(|step| step.id.as_str()).collect();
    let wanted = ["backup/policy", "backup/probes", "primary/policy", "primary/probes", "primary/replication"];
    assert_eq!(last, wanted);
}

#[test]
fn everything_right_means_nothing_to_do() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        let want = want(mode);
        assert_eq!(steps(&want, &observed(&want, |_| {})), Ok(vec![]));
    }
}

#[test]
fn each_setting_that_drifts_is_one_step_and_no_other() {
    let want = want(Mode::Dns);
    let drifts: [Drift; 7] = [
        ("primary/versioning", |state| state.versioned = false),
        ("primary/ownership", |state| state.owner_enforced = false),
        ("primary/encryption", |state| state.sse_s3 = false),
        ("primary/access-block", |state| state.block = None),
        ("primary/website", |state| state.website = Some(Website { index: "home.html".into(), error: None })),
        ("primary/lifecycle", |state| state.lifecycle.noncurrent_days = Some(1)),
        ("primary/policy", |state| state.policy = None),
    ];
    for (id, drift) in drifts {
        let steps = steps(&want, &observed(&want, drift)).unwrap();
        assert_eq!(ids(&steps), [id]);
        assert!(steps[0].change.fields().len() >= 2, "{:?}", steps[0].change.fields());
    }
}

#[test]
fn a_bucket_without_our_tags_is_left_alone_until_it_is_handed_over() {
    let mut want = want(Mode::Dns);
    let have = observed(&want, |state| state.tags = Tags::from([("team".into(), "web".into())]));
    let bucket = want.site.buckets.primary.clone();
    assert_eq!(problems(&want, &have), [Problem::Untagged { side: Side::Primary, bucket }]);
    want.adopt = Adopt::Adopt;
    let steps = steps(&want, &have).unwrap();
    assert_eq!(ids(&steps), ["primary/tags"]);
    let Change::Bucket(BucketChange { what: What::Tags { want: tags, .. }, .. }) = &steps[0].change else { panic!() };
    assert_eq!((tags["team"].as_str(), tags["twinsite:managed-by"].as_str()), ("web", "adopted"));
}

#[test]
fn what_stands_in_the_way_is_said_all_at_once() {
    let want = want(Mode::Layered);
    let all = Block { acls: true, ignore_acls: true, policies: true, restrict: true };
    let buckets = Pair::new(Found::Forbidden, Found::Elsewhere("eu-west-1".into()));
    let found = problems(&want, &Observed { buckets, account: Some(all), role: None, former: Vec::new() });
    assert_eq!(found.len(), 4);
    let other = observed(&want, |state| drop(state.tags.insert("twinsite:site".into(), "blog.example.com".into())));
    assert!(matches!(&problems(&want, &other)[..], [Problem::OtherSite { .. }]));
    let odd = observed(&want, |state| state.policy = Some("nonsense".into()));
    assert!(matches!(&problems(&want, &odd)[..], [Problem::OddPolicy { .. }]));
}

#[test]
fn private_sites_do_not_mind_the_accounts_block() {
    let want = want(Mode::Origin);
    let all = Block { acls: true, ignore_acls: true, policies: true, restrict: true };
    let have = Observed { account: Some(all), ..observed(&want, |_| {}) };
    assert_eq!(steps(&want, &have), Ok(vec![]));
}

#[test]
fn destroy_deletes_what_was_created_and_releases_what_was_handed_over() {
    let want = want(Mode::Dns);
    let created = observed(&want, |_| {});
    let contents = Contents { buckets: Pair::new(3, 4), former: Vec::new(), batch_role: None };
    let deletes = destroy_steps(&want, &created, &contents);
    assert_eq!(ids(&deletes), ["primary/bucket", "backup/bucket", "replication/role"]);
    let adopted = observed(&want, |state| {
        state.tags = twinsite_aws::Owner::new("www.example.com".parse().unwrap()).adopted();
    });
    assert_eq!(
        ids(&destroy_steps(&want, &adopted, &contents)),
        ["primary/release", "backup/bucket", "replication/role"]
    );
    let foreign = observed(&want, |state| state.tags = Tags::new());
    assert_eq!(ids(&destroy_steps(&want, &foreign, &contents)), ["backup/bucket", "replication/role"]);
}
