//! What there is: bucket, distribution, hosted zone, records and health checks.

use twinsite_aws_session::Session;
use twinsite_cdn::{Cdn, ExistingDistribution, ListedDistribution};
use twinsite_core::{BucketName, Domain, Event, Pair, Region, ResourceId, Run};
use twinsite_dns_failover::{ActualRecordSet, DnsFailover, ExistingCheck, HostedZone, choose_hosted_zone};
use twinsite_s3_site::{ExistingBucket, FoundBucket, S3Site};

use super::{ImportRequest, OPERATION};
use crate::context::{Environment, SESSION};
use crate::error::{Context, Error};

/// What was read.
pub(super) struct Facts {
    pub(super) domain: Domain,
    pub(super) distribution: Option<ExistingDistribution>,
    /// The buckets that visitors are served from: the origins of the default cache behavior in their order, then the named one.
    pub(super) buckets: Vec<ReadBucket>,
    /// Hosts of buckets that could not be read, and why.
    pub(super) unread: Vec<UnreadBucket>,
    pub(super) zone: Option<HostedZone>,
    pub(super) records: Vec<ActualRecordSet>,
    pub(super) checks: Vec<ExistingCheck>,
}

pub(super) struct ReadBucket {
    pub(super) name: BucketName,
    pub(super) region: Region,
    pub(super) bucket: ExistingBucket,
}

pub(super) struct UnreadBucket {
    pub(super) name: String,
    pub(super) why: String,
}

/// A bucket as the host of an origin: `NAME.s3.REGION.amazonaws.com`, `NAME.s3-website-REGION.amazonaws.com` and their older forms.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BucketHost {
    pub(super) bucket: String,
    pub(super) website: bool,
}

impl BucketHost {
    pub(super) fn parse(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let rest = host.strip_suffix(".amazonaws.com")?;
        // A bucket may itself be named `a.s3-b`: the last `.s3` is the one of the endpoint.
        for (at, _) in rest.rmatch_indices(".s3") {
            let (bucket, endpoint) = (&rest[..at], &rest[at + 1..]);
            let region = |text: &str| text.parse::<Region>().is_ok();
            let place = |prefix: &str| endpoint.strip_prefix(prefix).is_some_and(region);
            if !bucket.is_empty() && (place("s3-website-") || place("s3-website.")) {
                return Some(Self { bucket: bucket.to_owned(), website: true });
            }
            let dual = endpoint.strip_prefix("s3.dualstack.").is_some_and(region);
            if !bucket.is_empty() && (endpoint == "s3" || place("s3.") || place("s3-") || dual) {
                return Some(Self { bucket: bucket.to_owned(), website: false });
            }
        }
        None
    }
}

/// The origins of the default cache behavior, in the order in which CloudFront asks them.
pub(super) fn served_origins(distribution: &ExistingDistribution) -> Vec<&twinsite_cdn::ExistingOrigin> {
    let target = &distribution.default_behavior.target;
    let group = distribution.groups.iter().find(|group| group.id == *target);
    let ids = group.map_or_else(|| vec![target.clone()], |group| group.members.clone());
    ids.iter().filter_map(|id| distribution.origins.iter().find(|origin| origin.id == *id)).collect()
}

struct Reader {
    session: Session,
    cdn: Cdn,
    dns: DnsFailover,
}

/// Reads everything. Nothing is changed.
pub(super) async fn read(request: &ImportRequest, environment: Environment, run: &Run) -> Result<Facts, Error> {
    if request.bucket.is_none() && request.distribution.is_none() && request.domain.is_none() {
        let hint = "pass --bucket, --distribution or --domain";
        return Err(Error::usage(OPERATION, "neither a bucket nor a distribution nor a domain was named").hint(hint));
    }
    let session = Box::pin(Session::open(environment.access)).await.context(SESSION)?;
    let cdn = Cdn::new(session.acm(), session.cloudfront(), session.key_value_store());
    let dns = DnsFailover::new(session.route53());
    let reader = Reader { session, cdn, dns };
    let distribution = reader.distribution(request, run).await?;
    let domain = chosen_domain(request, distribution.as_ref())?;
    let (buckets, unread) = reader.buckets(request, distribution.as_ref(), &domain).await?;
    if distribution.is_none() && buckets.is_empty() {
        let why = match unread.first() {
            Some(UnreadBucket { name, why }) => format!("the bucket `{name}` {why}"),
            None => format!("no distribution of this account has `{domain}` as alias, and no bucket has the name"),
        };
        let hint =
            "name what there is with --bucket or --distribution; `twinsite init` writes a configuration for a new site";
        return Err(Error::refused(OPERATION, why).hint(hint));
    }
    let zones = reader.dns.list_hosted_zones().await.context(OPERATION)?;
    let (zone, records) = reader.records(&domain, &zones, distribution.as_ref()).await?;
    let checks = reader.dns.list_existing_checks().await.context(OPERATION)?;
    Ok(Facts { domain, distribution, buckets, unread, zone, records, checks })
}

/// The domain that was named, an alias of the distribution, or the name of the bucket.
fn chosen_domain(request: &ImportRequest, distribution: Option<&ExistingDistribution>) -> Result<Domain, Error> {
    if let Some(domain) = &request.domain {
        return Ok(domain.clone());
    }
    let aliases = distribution.map(|one| one.aliases.as_slice()).unwrap_or_default();
    let named = request.bucket.as_ref().filter(|bucket| aliases.iter().any(|alias| alias == bucket.as_str()));
    let mut names = named.map(BucketName::as_str).into_iter().chain(aliases.iter().map(String::as_str));
    if let Some(domain) = names.find_map(|name| name.parse().ok()) {
        return Ok(domain);
    }
    let bucket = request.bucket.as_ref().filter(|_| aliases.is_empty()).and_then(|bucket| bucket.as_str().parse().ok());
    bucket.ok_or_else(|| {
        let why = "the domain of the site cannot be told from the distribution's aliases or the bucket's name";
        Error::usage(OPERATION, why).hint("pass --domain")
    })
}

impl Reader {
    /// The distribution that was named, or the one that has the domain as alias, or the bucket as origin.
    async fn distribution(&self, request: &ImportRequest, run: &Run) -> Result<Option<ExistingDistribution>, Error> {
        let id = match &request.distribution {
            Some(id) => Some(id.clone()),
            None => self.find_distribution(request, run).await?,
        };
        let Some(id) = id else { return Ok(None) };
        let found = Box::pin(self.cdn.read_existing_distribution(&id)).await.context(OPERATION)?;
        found.map(Some).ok_or_else(|| {
            let why = format!("the distribution {id} does not exist in this account");
            Error::refused(OPERATION, why).hint("list them: `aws cloudfront list-distributions`")
        })
    }

    async fn find_distribution(&self, request: &ImportRequest, run: &Run) -> Result<Option<ResourceId>, Error> {
        let all = Box::pin(self.cdn.list_existing_distributions()).await.context(OPERATION)?;
        let named = |one: &&ListedDistribution| {
            request.domain.as_ref().is_some_and(|domain| one.aliases.iter().any(|alias| alias == domain.as_str()))
        };
        if let Some(found) = all.iter().find(named) {
            return Ok(Some(found.id.clone()));
        }
        let Some(bucket) = &request.bucket else { return Ok(None) };
        let is_origin = |host: &String| BucketHost::parse(host).is_some_and(|host| host.bucket == bucket.as_str());
        let with_bucket: Vec<_> = all.iter().filter(|one| one.origins.iter().any(is_origin)).collect();
        if request.domain.is_some() && !with_bucket.is_empty() {
            // Its aliases are other names than the domain that was named.
            return Ok(None);
        }
        // Of several, one with a name of its own.
        let found = with_bucket.iter().find(|one| !one.aliases.is_empty()).or(with_bucket.first());
        if let (Some(found), true) = (found, with_bucket.len() > 1) {
            let others: Vec<&str> =
                with_bucket.iter().map(|one| one.id.as_str()).filter(|id| *id != found.id.as_str()).collect();
            let text = format!(
                "several distributions have the bucket `{bucket}` as origin: {} is imported, and not {}",
                found.id,
                others.join(", ")
            );
            run.emit(&Event::Warning { text, hint: Some("name another one with --distribution".to_owned()) });
        }
        Ok(found.map(|found| found.id.clone()))
    }

    /// The bucket that was named, and those that the distribution serves from; without either, one with the domain's name.
    async fn buckets(
        &self,
        request: &ImportRequest,
        distribution: Option<&ExistingDistribution>,
        domain: &Domain,
    ) -> Result<(Vec<ReadBucket>, Vec<UnreadBucket>), Error> {
        let origins = distribution.map(served_origins).unwrap_or_default().into_iter();
        let mut names: Vec<String> =
            origins.filter_map(|origin| BucketHost::parse(&origin.host)).map(|host| host.bucket).collect();
        names.extend(request.bucket.iter().map(ToString::to_string));
        // The backup of a site has the domain's name in the modes with website endpoints.
        let by_name = domain.to_string();
        let is_expected = names.contains(&by_name);
        names.push(by_name.clone());
        let (mut read, mut unread, mut seen) = (Vec::<ReadBucket>::new(), Vec::new(), Vec::new());
        for name in names {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name.clone());
            match self.bucket(&name).await? {
                Ok(bucket) => read.push(bucket),
                Err(why) if request.bucket.as_ref().is_some_and(|bucket| bucket.as_str() == name) => {
                    return Err(Error::refused(OPERATION, format!("the bucket `{name}` {why}")));
                }
                Err(_) if name == by_name && !is_expected => {}
                Err(why) => unread.push(UnreadBucket { name, why }),
            }
        }
        Ok((read, unread))
    }

    /// A bucket, or why it could not be read.
    async fn bucket(&self, name: &str) -> Result<Result<ReadBucket, String>, Error> {
        let Ok(name) = name.parse::<BucketName>() else {
            return Ok(Err("has a name that no new bucket may have".to_owned()));
        };
        let found = self.s3(&Region::us_east_1()).find_bucket(&name).await.context(OPERATION)?;
        let region = match found {
            FoundBucket::InRegion(region) => region,
            FoundBucket::Absent => return Ok(Err("does not exist".to_owned())),
            _ => return Ok(Err("belongs to another account, or these credentials may not read it".to_owned())),
        };
        let region = match region {
            Some(region) => region.parse().context(OPERATION)?,
            None => Region::us_east_1(),
        };
        let bucket = Box::pin(self.s3(&region).read_existing_bucket(&name)).await;
        match bucket {
            Ok(bucket) => Ok(Ok(ReadBucket { name, region, bucket })),
            Err(error) if error.kind == twinsite_aws::Kind::Denied => Ok(Err(format!("cannot be read: {error}"))),
            Err(error) => Err(Error::new(OPERATION, error)),
        }
    }

    /// A client of S3 in one region.
    fn s3(&self, region: &Region) -> S3Site {
        let client = self.session.s3(region);
        S3Site::new(Pair::new(client.clone(), client), self.session.s3control(region), self.session.iam())
    }

    /// The hosted zone that visitors' resolvers are led to, and the records of the domain. Of zones with the same name, the one whose
    /// records lead to the distribution is the one that is in use, or else the one that has any.
    async fn records(
        &self,
        domain: &Domain,
        zones: &[HostedZone],
        distribution: Option<&ExistingDistribution>,
    ) -> Result<(Option<HostedZone>, Vec<ActualRecordSet>), Error> {
        if let Ok(zone) = choose_hosted_zone(domain, zones) {
            let records = self.dns.list_existing_records(&zone.id, domain.as_str()).await.context(OPERATION)?;
            return Ok((Some(zone.clone()), records));
        }
        let mut candidates = Vec::new();
        for zone in zones {
            if choose_hosted_zone(domain, std::slice::from_ref(zone)).is_ok() {
                let records = self.dns.list_existing_records(&zone.id, domain.as_str()).await.context(OPERATION)?;
                candidates.push((zone.clone(), records));
            }
        }
        let host = distribution.map(|one| one.host.as_str().to_owned());
        let leads = |records: &[ActualRecordSet]| {
            let is_host = |set: &ActualRecordSet| match &host {
                Some(host) => set.alias_host.as_deref() == Some(host) || set.properties.starts_with(host.as_str()),
                None => false,
            };
            records.iter().any(is_host)
        };
        let chosen = candidates.iter().position(|one| leads(&one.1));
        let chosen = chosen.or_else(|| candidates.iter().position(|one| !one.1.is_empty()));
        Ok(match chosen {
            Some(index) => {
                let (zone, records) = candidates.swap_remove(index);
                (Some(zone), records)
            }
            None => (None, Vec::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_told_from_the_hosts_of_origins() {
        let website = |host: &str| BucketHost::parse(host).map(|host| (host.bucket, host.website));
        for (host, bucket, is_website) in [
            ("www.example.com.s3-website-us-east-1.amazonaws.com", "www.example.com", true),
            ("www.example.com.s3-website.eu-central-1.amazonaws.com", "www.example.com", true),
            ("b.s3.amazonaws.com", "b", false),
            ("b.s3.eu-west-1.amazonaws.com", "b", false),
            ("b.s3-eu-west-1.amazonaws.com", "b", false),
            ("b.s3.dualstack.us-west-2.amazonaws.com", "b", false),
            ("a.s3.b.s3.us-east-2.amazonaws.com", "a.s3.b", false),
        ] {
            assert_eq!(website(host), Some((bucket.to_owned(), is_website)), "{host}");
        }
        for other in ["www.example.com", "s3.amazonaws.com", "b.s3-website-.amazonaws.com", "x.elb.amazonaws.com"] {
            assert_eq!(website(other), None, "{other}");
        }
    }
}
