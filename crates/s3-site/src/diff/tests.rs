use std::collections::BTreeMap;

use twinsite_aws::{Owner, Tags};
use twinsite_core::{Change as _, Mode, Pair, Plan, Side, Site};

use super::*;
use crate::model::{
    ActualBucket, Adopt, BucketChange, BucketChangeKind, BucketSettings, Contents, DefaultEncryption, Lifecycle,
    ReplicationRules, Role, desired_policy, permissions, trust_policy,
};

fn desired(mode: Mode) -> Desired {
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let site = Site::new("www.example.com".parse().unwrap(), mode, "111122223333".parse().unwrap(), regions);
    Desired::new(site.unwrap())
}

/// A bucket in the desired state.
fn as_desired(desired: &Desired, side: Side) -> BucketSettings {
    BucketSettings {
        tags: desired.owner().created(),
        versioning: Some("Enabled".to_owned()),
        object_ownership: Some("BucketOwnerEnforced".to_owned()),
        encryption: DefaultEncryption::SseS3,
        public_access_block: Some(desired.public_access_block()),
        website: desired.website(),
        redirects_all_to: None,
        redirects_everything: None,
        redirects_missing_probes: None,
        lifecycle_risks: Vec::new(),
        lifecycle: Lifecycle::DESIRED,
        policy: desired_policy(desired, side, None).unwrap().map(|policy| policy.to_string()),
        replication: ReplicationRules { managed: desired.replication_rule(side), other_role: None },
        health_objects: health_objects(desired),
        recorded_store: None,
    }
}

fn health_objects(desired: &Desired) -> BTreeMap<String, Option<String>> {
    desired.site.health_keys().into_iter().map(|key| (key, Some(desired.site.health_word()))).collect()
}

#[test]
fn what_is_replaced_is_shown_with_its_value_so_far() {
    let desired = Desired { adopt: Adopt::Adopt, ..desired(Mode::Dns) };
    let actual = actual(&desired, |settings| {
        settings.versioning = Some("Suspended".into());
        settings.object_ownership = Some("ObjectWriter".into());
        let (algorithm, key) = ("aws:kms".to_owned(), Some("k-1".to_owned()));
        settings.encryption = DefaultEncryption::Kms { algorithm, key };
        settings.website = None;
        settings.redirects_all_to = Some("old.example.com".into());
        settings.health_objects.values_mut().for_each(|content| *content = Some("theirs".into()));
    });
    let steps = plan_changes(&desired, &actual).unwrap();
    let fields: Vec<String> =
        steps.iter().flat_map(|step| step.change.fields()).map(|field| field.to_string()).collect();
    let word = desired.site.health_word();
    assert_eq!(
        fields,
        [
            "Versioning: Suspended -> Enabled",
            "ObjectOwnership: ObjectWriter -> BucketOwnerEnforced",
            "Encryption: aws:kms with k-1 -> AES256",
            "IndexDocument = index.html",
            "ErrorDocument = 404.html",
            "RedirectAllRequestsTo: old.example.com -> (none)",
            &format!("object .well-known/twinsite/health.txt: theirs -> {word}"),
        ]
    );
}

fn role_as_desired(desired: &Desired) -> Role {
    let (trust_policy, permissions) = (trust_policy(), Some(permissions(desired)));
    Role { tags: desired.owner().created(), trust_policy, permissions, boundary: Some(desired.boundary_arn()) }
}

/// The desired state, with a change to the primary bucket.
fn actual(desired: &Desired, change: impl Fn(&mut BucketSettings)) -> Actual {
    let mut buckets = Pair::from_fn(|side| as_desired(desired, side));
    change(&mut buckets.primary);
    let buckets = buckets.map(|settings| ActualBucket::Present(Box::new(settings)));
    Actual {
        buckets,
        account_block: None,
        role: Some(role_as_desired(desired)),
        former: Vec::new(),
        redirects: Vec::new(),
        recorded_aliases: Vec::new(),
    }
}

fn actual_with_role(desired: &Desired, change: impl Fn(&mut Role)) -> Actual {
    let mut role = role_as_desired(desired);
    change(&mut role);
    Actual { role: Some(role), ..actual(desired, |_| {}) }
}

fn ids(steps: &[Step<Change>]) -> Vec<&str> {
    steps.iter().map(|step| step.id.as_str()).collect()
}

fn conflicts(desired: &Desired, actual: &Actual) -> Vec<Conflict> {
    plan_changes(desired, actual).unwrap_err().0
}

/// A step id, and a change of a setting that the step undoes.
type Drift = (&'static str, fn(&mut BucketSettings));

#[test]
fn absent_buckets_are_created_and_configured_in_order() {
    let buckets = Pair::new(ActualBucket::Absent, ActualBucket::Absent);
    let actual = Actual {
        buckets,
        account_block: None,
        role: None,
        former: Vec::new(),
        redirects: Vec::new(),
        recorded_aliases: Vec::new(),
    };
    let plan = Plan::new(plan_changes(&desired(Mode::Layered), &actual).unwrap()).unwrap();
    assert_eq!(plan.len(), 20);
    let waves: Vec<usize> = plan.waves().iter().map(Vec::len).collect();
    assert_eq!(waves, [3, 12, 5]);
    let last: Vec<&str> = plan.waves()[2].iter().map(|step| step.id.as_str()).collect();
    assert_eq!(last, ["backup/policy", "backup/probes", "primary/policy", "primary/probes", "primary/replication"]);
}

#[test]
fn the_desired_state_needs_no_steps() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        let desired = desired(mode);
        assert_eq!(plan_changes(&desired, &actual(&desired, |_| {})), Ok(vec![]));
    }
}

#[test]
fn each_setting_that_drifts_is_one_step_and_no_other() {
    let desired = desired(Mode::Dns);
    let drifts: [Drift; 9] = [
        ("primary/versioning", |settings| settings.versioning = Some("Suspended".into())),
        ("primary/ownership", |settings| settings.object_ownership = None),
        ("primary/encryption", |settings| settings.encryption = DefaultEncryption::None),
        ("primary/access-block", |settings| settings.public_access_block = None),
        ("primary/website", |settings| settings.website.as_mut().unwrap().error_document = None),
        ("primary/lifecycle", |settings| settings.lifecycle.expire_delete_markers = false),
        ("primary/policy", |settings| settings.policy = None),
        ("primary/replication", |settings| settings.replication.managed = None),
        ("primary/probes", |settings| settings.health_objects.clear()),
    ];
    for (id, drift) in drifts {
        let steps = plan_changes(&desired, &actual(&desired, drift)).unwrap();
        assert_eq!(ids(&steps), [id]);
        let fields = steps[0].change.fields();
        assert!(!fields.is_empty() && fields.iter().all(|field| field.actual != field.desired), "{fields:?}");
    }
}

#[test]
fn a_bucket_without_the_sites_tags_is_a_conflict_until_it_is_adopted() {
    let mut desired = desired(Mode::Dns);
    let actual = actual(&desired, |settings| settings.tags = Tags::from([("team".into(), "web".into())]));
    let bucket = desired.site.buckets.primary.clone();
    assert_eq!(conflicts(&desired, &actual), [Conflict::Untagged { side: Side::Primary, bucket }]);
    desired.adopt = Adopt::Adopt;
    let steps = plan_changes(&desired, &actual).unwrap();
    assert_eq!(ids(&steps), ["primary/tags"]);
    let Change::Bucket(BucketChange { kind: BucketChangeKind::PutTags { desired: tags, .. }, .. }) = &steps[0].change
    else {
        panic!("{:?}", steps[0].change)
    };
    assert_eq!((tags["team"].as_str(), tags["twinsite:managed-by"].as_str()), ("web", "adopted"));
}

#[test]
fn all_conflicts_are_reported_at_once() {
    let desired = desired(Mode::Layered);
    let account_block = Some(PublicAccessBlock {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    });
    let buckets = Pair::new(ActualBucket::Inaccessible, ActualBucket::OtherRegion("eu-west-1".into()));
    let found = conflicts(
        &desired,
        &Actual {
            buckets,
            account_block,
            role: None,
            former: Vec::new(),
            redirects: Vec::new(),
            recorded_aliases: Vec::new(),
        },
    );
    assert_eq!(found.len(), 4);
    let other = actual(&desired, |settings| {
        settings.tags.insert(Owner::SITE.into(), "blog.example.com".into());
    });
    assert!(matches!(&conflicts(&desired, &other)[..], [Conflict::OtherSite { .. }]));
    let invalid = actual(&desired, |settings| settings.policy = Some("nonsense".into()));
    assert!(matches!(&conflicts(&desired, &invalid)[..], [Conflict::InvalidPolicy { .. }]));
    let foreign = actual_with_role(&desired, |role| role.tags.clear());
    assert!(matches!(&conflicts(&desired, &foreign)[..], [Conflict::ForeignRole { .. }]));
    let private = self::desired(Mode::Origin);
    let blocked = Actual { account_block, ..actual(&private, |_| {}) };
    assert_eq!(plan_changes(&private, &blocked), Ok(vec![]));
}

#[test]
fn trust_and_permissions_of_the_role_are_updated_separately() {
    let mut desired = desired(Mode::Dns);
    let planned = |desired: &Desired, actual: &Actual| ids(&plan_changes(desired, actual).unwrap()).join(" ");
    let listed = actual_with_role(&desired, |role| {
        role.trust_policy = role.trust_policy.replace("\"sts:AssumeRole\"", "[\"sts:AssumeRole\"]");
    });
    assert_eq!(planned(&desired, &listed), "");
    let trust = actual_with_role(&desired, |role| role.trust_policy = r#"{"Statement":[]}"#.into());
    assert_eq!(planned(&desired, &trust), "replication/trust");
    let permissions = actual_with_role(&desired, |role| role.permissions = None);
    assert_eq!(planned(&desired, &permissions), "replication/permissions");
    let one_direction = actual(&desired, |_| {});
    desired.replicate_back = true;
    let both_directions = "primary/replication backup/replication replication/permissions";
    assert_eq!(planned(&desired, &one_direction), both_directions);
}

#[test]
fn a_trust_policy_with_conditions_is_replaced() {
    let desired = desired(Mode::Dns);
    let conditional = actual_with_role(&desired, |role| {
        let condition = r#""Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}},"Effect""#;
        role.trust_policy = role.trust_policy.replace("\"Effect\"", condition);
    });
    assert_eq!(ids(&plan_changes(&desired, &conditional).unwrap()), ["replication/trust"]);
}

#[test]
fn destruction_deletes_created_buckets_and_releases_adopted_ones() {
    let desired = desired(Mode::Dns);
    let planned = |change: fn(&mut BucketSettings)| {
        let contents = Contents { buckets: Pair::new(3, 4), ..Contents::default() };
        ids(&plan_destruction(&desired, &actual(&desired, change), &contents)).join(" ")
    };
    assert_eq!(planned(|_| {}), "primary/bucket backup/bucket replication/role");
    let adopted = planned(|settings| settings.tags = Owner::new("www.example.com".parse().unwrap()).adopted());
    assert_eq!(adopted, "primary/release backup/bucket replication/role");
    assert_eq!(planned(|settings| settings.tags.clear()), "backup/bucket replication/role");
}
