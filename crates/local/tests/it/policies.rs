//! Policies of callers, through the SDK.

use aws_sdk_iam::Client as Iam;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{CreateBucketConfiguration, Delete, ObjectIdentifier, Tag};
use serde_json::{Value, json};
use twinsite_aws_session::{Access, Credentials, Session};
use twinsite_local::Cloud;

use crate::{code, put, session, site};

/// A session of a new role with one inline policy, as a tool without an SDK for STS would get it.
async fn assume(cloud: &Cloud, name: &str, statements: Value) -> Session {
    let iam = session(cloud).await.iam();
    create_role(&iam, name, statements).await;
    with(cloud, credentials(cloud, name).await).await
}

/// Temporary credentials from STS.
async fn credentials(cloud: &Cloud, role: &str) -> Credentials {
    let sts = session(cloud).await.sts(&"us-east-1".parse().unwrap());
    let arn = format!("arn:aws:iam::000000000000:role/{role}");
    let session =
        sts.assume_role().role_arn(arn).role_session_name("session").send().await.unwrap().credentials.unwrap();
    let (key, secret, token) = (session.access_key_id, session.secret_access_key, session.session_token);
    Credentials::new(key, secret, Some(token), None, "test")
}

async fn create_role(iam: &Iam, name: &str, statements: Value) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole",
    }]});
    iam.create_role().role_name(name).assume_role_policy_document(trust.to_string()).send().await.unwrap();
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    iam.put_role_policy().role_name(name).policy_name("p").policy_document(document).send().await.unwrap();
}

async fn with(cloud: &Cloud, credentials: Credentials) -> Session {
    let embedded_credentials = Some(credentials);
    Session::open(Access { embedded: Some(cloud.http_client()), embedded_credentials, ..Access::default() })
        .await
        .unwrap()
}

fn allow(action: &str, resource: &str) -> Value {
    json!([{"Effect": "Allow", "Action": action, "Resource": resource}])
}

fn message<T, E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(
    result: Result<T, SdkError<E, R>>,
) -> String {
    let error = result.err().expect("denied");
    error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_no_policy_allows_is_denied_with_the_message_of_aws() {
    let (cloud, s3) = site().await;
    put(&s3, "a.html", "a").await;
    let role = assume(&cloud, "writer", allow("s3:PutObject", "arn:aws:s3:::site/*")).await;
    let mine = role.s3(&"us-east-1".parse().unwrap());
    put(&mine, "b.html", "b").await;
    let read = mine.get_object().bucket("site").key("a.html").send().await;
    assert_eq!(
        message(read),
        "User: arn:aws:sts::000000000000:assumed-role/writer/session is not authorized to perform: s3:GetObject on resource: \
         \"arn:aws:s3:::site/a.html\" because no identity-based policy allows the s3:GetObject action"
    );
    assert_eq!(code(mine.list_objects_v2().bucket("site").send().await), "AccessDenied");
    // To replace what is as it was read is to read.
    let replace = mine.put_object().bucket("site").key("b.html").if_match("\"x\"").send().await;
    assert!(message(replace).contains("s3:GetObject on resource: \"arn:aws:s3:::site/b.html\""));
    let tagged = mine.put_object().bucket("site").key("b.html").tagging("a=b").send().await;
    assert!(message(tagged).contains("s3:PutObjectTagging"));
    // Other services deny in their own words.
    assert!(
        message(role.cloudfront().list_distributions().send().await)
            .contains("cloudfront:ListDistributions on resource: *")
    );
    assert_eq!(code(role.acm().list_certificates().send().await), "AccessDeniedException");
    let region = "us-east-1".parse().unwrap();
    assert_eq!(code(role.sns(&region).create_topic().name("t").send().await), "AuthorizationError");
    assert_eq!(code(role.cloudwatch(&region).describe_alarms().send().await), "AccessDenied");
    assert_eq!(code(role.iam().get_role().role_name("writer").send().await), "AccessDenied");
    assert_eq!(code(role.route53().list_hosted_zones().send().await), "AccessDenied");
    assert_eq!(role.caller().await.unwrap().arn, "arn:aws:sts::000000000000:assumed-role/writer/session");
}

#[tokio::test]
async fn a_missing_object_is_denied_to_those_who_may_not_list() {
    let (cloud, _) = site().await;
    let read = |name, statements| assume(&cloud, name, statements);
    let region = "us-east-1".parse().unwrap();
    let blind = read("blind", allow("s3:GetObject", "arn:aws:s3:::site/*")).await.s3(&region);
    assert_eq!(code(blind.get_object().bucket("site").key("none").send().await), "AccessDenied");
    let head = blind.head_bucket().bucket("site").send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 403);
    let both = json!([
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::site/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": ["arn:aws:s3:::site", "arn:aws:s3:::none"]},
    ]);
    let seeing = read("seeing", both).await.s3(&region);
    assert_eq!(code(seeing.get_object().bucket("site").key("none").send().await), "NoSuchKey");
    let head = seeing.head_bucket().bucket("none").send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn each_object_of_a_batch_delete_needs_its_own_permission() {
    let (cloud, s3) = site().await;
    let version = put(&s3, "a/x", "1").await;
    put(&s3, "b/x", "1").await;
    let role = assume(&cloud, "deleter", allow("s3:DeleteObject", "arn:aws:s3:::site/a/*")).await;
    let mine = role.s3(&"us-east-1".parse().unwrap());
    let object = |key: &str, version: Option<&str>| {
        ObjectIdentifier::builder().key(key).set_version_id(version.map(str::to_owned)).build().unwrap()
    };
    let objects = [object("a/x", None), object("b/x", None), object("a/x", Some(&version))];
    let delete = Delete::builder().set_objects(Some(objects.to_vec())).build().unwrap();
    let done = mine.delete_objects().bucket("site").delete(delete).send().await.unwrap();
    assert_eq!(done.deleted().iter().filter_map(|one| one.key()).collect::<Vec<_>>(), ["a/x"]);
    let errors: Vec<_> = done.errors().iter().map(|error| (error.key().unwrap(), error.code().unwrap())).collect();
    assert_eq!(errors, [("b/x", "AccessDenied"), ("a/x", "AccessDenied")]);
    assert!(done.errors()[1].message().unwrap().contains("s3:DeleteObjectVersion"));
}

#[tokio::test]
async fn a_deny_wins_in_every_kind_of_policy() {
    let (cloud, s3) = site().await;
    put(&s3, "a", "1").await;
    let region = "us-east-1".parse().unwrap();
    let iam = session(&cloud).await.iam();
    let get = async |client: &aws_sdk_s3::Client| message(client.get_object().bucket("site").key("a").send().await);
    let denied = json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": "s3:List*", "NotResource": "arn:aws:s3:::other/*"},
    ]);
    let role = assume(&cloud, "denied", denied).await.s3(&region);
    assert!(get(&role).await.ends_with("with an explicit deny in an identity-based policy"));
    // A boundary allows nothing by itself, and limits what policies allow.
    let bounded = assume(&cloud, "bounded", allow("*", "*")).await.s3(&region);
    put(&bounded, "a", "2").await;
    let boundary = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    iam.put_role_permissions_boundary().role_name("bounded").permissions_boundary(boundary).send().await.unwrap();
    let write = bounded.put_object().bucket("site").key("a").send().await;
    assert!(message(write).ends_with("because no permissions boundary allows the s3:PutObject action"));
    bounded.get_object().bucket("site").key("a").send().await.unwrap();
    // A policy of the bucket denies even those whom nothing else restricts.
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*",
        "Condition": {"StringLike": {"aws:PrincipalArn": ["*:role/b*", "*:user/embedded"]}},
    }]});
    s3.put_bucket_policy().bucket("site").policy(policy.to_string()).send().await.unwrap();
    assert!(get(&bounded).await.ends_with("with an explicit deny in a resource-based policy"));
    assert!(get(&s3).await.ends_with("with an explicit deny in a resource-based policy"));
}

#[tokio::test]
async fn roles_are_passed_and_created_under_conditions_only() {
    let cloud = Cloud::memory();
    let boundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    let statements = json!([
        {"Effect": "Allow", "Action": ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"],
         "Resource": "arn:aws:iam::000000000000:role/x/*",
         "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}},
        {"Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "*",
         "Condition": {"StringEquals": {"aws:RequestTag/site": "a"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["site"]}}},
        {"Effect": "Allow", "Action": "s3:TagResource", "Resource": "*"},
    ]);
    let role = assume(&cloud, "maker", statements).await;
    let create = |path: &str, boundary: Option<&str>| {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
        let request = role.iam().create_role().role_name("new").path(path).assume_role_policy_document(trust);
        request.set_permissions_boundary(boundary.map(str::to_owned)).send()
    };
    assert_eq!(code(create("/x/", None).await), "AccessDenied");
    assert_eq!(code(create("/x/", Some("arn:aws:iam::aws:policy/AdministratorAccess")).await), "AccessDenied");
    assert_eq!(code(create("/y/", Some(boundary)).await), "AccessDenied");
    create("/x/", Some(boundary)).await.unwrap();
    let escalate = role.iam().delete_role_permissions_boundary().role_name("new").send().await;
    assert_eq!(code(escalate), "AccessDenied");
    let s3 = role.s3(&"us-west-2".parse().unwrap());
    let bucket = async |tag: Option<(&str, &str)>| {
        let tag = tag.map(|(key, value)| Tag::builder().key(key).value(value).build().unwrap());
        let configuration = CreateBucketConfiguration::builder()
            .location_constraint("us-west-2".into())
            .set_tags(tag.map(|tag| vec![tag]))
            .build();
        s3.create_bucket().bucket("new").create_bucket_configuration(configuration).send().await
    };
    assert_eq!(code(bucket(None).await), "AccessDenied");
    assert_eq!(code(bucket(Some(("site", "b"))).await), "AccessDenied");
    bucket(Some(("site", "a"))).await.unwrap();
}

#[tokio::test]
async fn unknown_operations_and_credentials_are_denied() {
    let (cloud, _) = site().await;
    let role = assume(&cloud, "all", allow("*", "*")).await;
    // An operation without an entry in the tables is not even allowed to those who may do everything.
    assert_eq!(code(role.iam().list_account_aliases().send().await), "AccessDenied");
    let unknown = with(&cloud, Credentials::new("AKIDNOBODY", "x", None, None, "test")).await;
    assert_eq!(code(unknown.iam().get_role().role_name("all").send().await), "InvalidClientTokenId");
    assert_eq!(code(unknown.s3(&"us-east-1".parse().unwrap()).list_buckets().send().await), "InvalidAccessKeyId");
    let real = credentials(&cloud, "all").await;
    let keys = (real.access_key_id(), real.secret_access_key());
    let without = with(&cloud, Credentials::new(keys.0, keys.1, None, None, "test")).await;
    assert_eq!(code(without.s3(&"us-east-1".parse().unwrap()).list_buckets().send().await), "InvalidToken");
}
