//! What an account on AWS has before twinsite comes, and the embedded cloud has not.

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_core::Domain;
use twinsite_core::wait::PollPolicy;

/// The embedded cloud takes a fraction of a second for what takes AWS minutes.
pub(super) const PATIENCE: PollPolicy =
    PollPolicy { first: Duration::from_millis(50), most: Duration::from_millis(200), total: Duration::from_mins(2) };

/// Makes sure that some hosted zone holds the domain, as a registrar's customer would have it.
pub(super) async fn have_zone(route53: &aws_sdk_route53::Client, domain: &Domain) -> Result<(), AwsError> {
    // `www.example.com` is in `example.com`, which is in itself.
    let name = match domain.as_str().split_once('.') {
        Some((_, parent)) if parent.contains('.') => parent,
        _ => domain.as_str(),
    };
    let zones = route53.list_hosted_zones().send().await;
    let zones = zones.map_err(|error| AwsError::new("ListHostedZones", "the embedded cloud", error))?.hosted_zones;
    let holds = |zone: &str| domain.as_str() == zone || domain.as_str().ends_with(&format!(".{zone}"));
    if zones.iter().any(|zone| holds(zone.name.trim_end_matches('.'))) {
        return Ok(());
    }
    let create = route53.create_hosted_zone().name(name).caller_reference(name).send().await;
    create.map(drop).map_err(|error| AwsError::new("CreateHostedZone", name, error))
}
