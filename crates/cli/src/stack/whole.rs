//! The whole site as one plan: what each service needs of the others, and in which order nothing is missed by visitors.

use std::collections::BTreeSet;
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use twinsite_aws::AwsError;
use twinsite_cdn as cdn;
use twinsite_core::{Action, Arn, Deferred, Event, Mode, Plan, Reason, ResourceId, Run, Side, Step};
use twinsite_dns_failover::{self as dns, notice};
use twinsite_s3_site::{self as s3_site, Adopt};

use super::Stack;
use super::change::SiteChange;
use crate::error::Failure;

/// What is there, of every service, and what should be.
pub(crate) struct Whole {
    pub(crate) s3: (s3_site::Desired, s3_site::Observed),
    pub(crate) cdn: (cdn::Desired, cdn::Observed),
    pub(crate) dns: (dns::Desired, dns::Observed),
    pub(crate) notice: (notice::Desired, notice::Observed),
}

impl Stack {
    /// What the front door should be like.
    fn desired_cdn(&self, apex: bool) -> cdn::Desired {
        let mut want = cdn::Desired::new(self.site.clone());
        let config = &self.config;
        want.index.clone_from(&config.index);
        want.not_found.clone_from(&config.not_found);
        want.certificate.clone_from(&config.cdn.certificate);
        want.price_class = config.cdn.price_class;
        want.redirect_to_https = config.cdn.redirect_to_https.unwrap_or(want.redirect_to_https);
        want.security_headers = config.cdn.security_headers.unwrap_or(want.security_headers);
        want.accept_http_standby = config.cdn.accept_http_standby;
        want.apex = apex;
        want
    }

    /// What DNS should say, behind a front door that may not be there yet.
    fn desired_dns(&self, front: Option<&cdn::Planned>) -> dns::Desired {
        let host = front.map_or_else(|| Deferred::After(cdn::STEP.into()), |front| front.host.clone());
        let mut want = dns::Desired::new(self.site.clone(), host);
        want.proof = front.and_then(|front| front.proof.clone());
        want.zone.clone_from(&self.config.dns.zone_id);
        want.health = self.config.dns.health;
        want.website_zones.clone_from(&self.config.dns.website_zones);
        want
    }

    /// The distribution before the site; `None` when there is none.
    pub(crate) async fn distribution(&self) -> Result<Option<ResourceId>, AwsError> {
        self.services.cdn.distribution(&self.desired_cdn(false)).await
    }

    /// Has CloudFront forget what a publish has changed; tells how many paths were named. Without a change nothing is asked.
    #[expect(clippy::disallowed_methods, reason = "two publishes that change the same are two invalidations")]
    pub(crate) async fn invalidate(
        &self,
        distribution: ResourceId,
        keys: &BTreeSet<String>,
        wait: bool,
        run: &Run,
    ) -> Result<Option<usize>, AwsError> {
        let paths = cdn::invalidation(keys, &self.config.index);
        let digest = hex::encode(&Sha256::digest(paths.as_slice().join(" "))[..8]);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let reference = format!("twinsite-{}-{digest}", now.as_millis());
        let cdn = &self.services.cdn;
        let accepted = Box::pin(cdn.invalidate(distribution, &paths, &reference, run)).await?;
        if let (Some(accepted), true) = (&accepted, wait) {
            cdn.await_invalidation(accepted, run).await?;
        }
        Ok(accepted.map(|accepted| accepted.paths))
    }

    /// Hands a certificate to ACM, in the place of one that was handed over for this site before.
    pub(crate) async fn import_certificate(
        &self,
        certificate: Vec<u8>,
        chain: Option<Vec<u8>>,
        key: Vec<u8>,
    ) -> Result<Arn, AwsError> {
        Box::pin(self.services.cdn.import_certificate(&self.desired_cdn(false), certificate, chain, key)).await
    }

    /// Looks at everything. Reads only.
    pub(crate) async fn observe(&self, adopt: Adopt, what: &str) -> Result<Whole, Failure> {
        let aws = |error: AwsError| Failure::aws(what, &error);
        self.mind_the_drill().await;
        let mut want_dns = self.desired_dns(None);
        let zone = self.services.dns.zone(&want_dns).await.map_err(aws)?;
        let zone = zone.map_err(|problem| Failure::new(what, &problem).hint(problem.hint()))?;
        let apex = zone.name.trim_end_matches('.') == self.site.domain.as_str();
        let want_cdn = self.desired_cdn(apex);
        let have_cdn = Box::pin(self.services.cdn.observe(&want_cdn)).await.map_err(aws)?;
        // What stands in the way of the front door is said when it is planned; here only what DNS needs of it.
        let mut certificate = Deferred::After("certificate/issued".into());
        if let Ok(front) = cdn::steps(&want_cdn, &have_cdn) {
            want_dns = self.desired_dns(Some(&front));
            certificate = front.certificate;
        }
        let mut want_s3 = self.desired(adopt);
        if self.site.mode == Mode::Origin {
            let there = have_cdn.front.distribution.as_ref();
            let arn =
                there.map_or_else(|| Deferred::After(cdn::STEP.into()), |there| Deferred::Known(there.arn.clone()));
            want_s3.reader = Some(arn);
        }
        let have_dns = Box::pin(self.services.dns.observe(&want_dns, &zone)).await.map_err(aws)?;
        let have_s3 = Box::pin(self.services.s3.observe(&want_s3)).await.map_err(aws)?;
        let want_notice = notice::Desired {
            site: self.site.clone(),
            emails: self.config.emails.clone(),
            checks: dns::check_ids(&want_dns, &have_dns),
            certificate,
        };
        let have_notice = Box::pin(self.services.notices.observe(&want_notice)).await.map_err(aws)?;
        Ok(Whole {
            s3: (want_s3, have_s3),
            cdn: (want_cdn, have_cdn),
            dns: (want_dns, have_dns),
            notice: (want_notice, have_notice),
        })
    }

    /// The plan that brings everything into the wanted state.
    pub(crate) async fn plan(&self, adopt: Adopt) -> Result<Plan<SiteChange>, Failure> {
        const WHAT: &str = "plan the site";
        let whole = self.observe(adopt, WHAT).await?;
        whole.name_former(&self.run);
        whole.steps().and_then(|steps| Plan::new(steps).map_err(|error| Failure::new(WHAT, error)))
    }

    /// The plan that takes away what a change of mode has left behind, and nothing else.
    pub(crate) async fn destruction_of_former(&self) -> Result<Plan<SiteChange>, Failure> {
        const WHAT: &str = "look for buckets that another mode has left behind";
        let want = self.desired(Adopt::Refuse);
        let have = Box::pin(self.services.s3.observe(&want)).await.map_err(|error| Failure::aws(WHAT, &error))?;
        let contents = Box::pin(self.services.s3.contents(&want, &have)).await;
        let contents = contents.map_err(|error| Failure::aws(WHAT, &error))?;
        let steps = s3_site::destroy_former(&have, &contents).into_iter();
        Plan::new(steps.map(|step| step.map(SiteChange::S3)).collect()).map_err(|error| Failure::new(WHAT, error))
    }

    /// The plan that takes everything away that was made.
    pub(crate) async fn destruction(&self) -> Result<Plan<SiteChange>, Failure> {
        const WHAT: &str = "plan the destruction of the site";
        let whole = self.observe(Adopt::Refuse, WHAT).await?;
        let (want, have) = &whole.s3;
        let contents = Box::pin(self.services.s3.contents(want, have)).await;
        let contents = contents.map_err(|error| Failure::aws(WHAT, &error))?;
        let steps = whole.destruction(&contents).map_err(|unfit| problems_of(WHAT, &unfit))?;
        Plan::new(steps).map_err(|error| Failure::new(WHAT, error))
    }
}

fn problems_of(what: &str, unfit: &dns::Unfit) -> Failure {
    Failure::problems(what, unfit, unfit.0.iter().map(dns::Problem::hint))
}

impl Whole {
    /// Everything that stands in the way is said at once.
    pub(crate) fn steps(&self) -> Result<Vec<Step<SiteChange>>, Failure> {
        const WHAT: &str = "plan the site";
        let s3 = s3_site::steps(&self.s3.0, &self.s3.1).map_err(|unfit| Failure::unfit(WHAT, &unfit));
        let cdn = cdn::steps(&self.cdn.0, &self.cdn.1)
            .map_err(|unfit| Failure::problems(WHAT, &unfit, unfit.0.iter().map(cdn::Problem::hint)));
        let dns = dns::steps(&self.dns.0, &self.dns.1).map_err(|unfit| problems_of(WHAT, &unfit));
        let notice = notice::steps(&self.notice.0, &self.notice.1).map_err(|problems| {
            let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::problems(WHAT, why.join("\n"), problems.iter().map(notice::Problem::hint))
        });
        let (s3, cdn, dns, notice) = match (s3, cdn, dns, notice) {
            (Ok(s3), Ok(cdn), Ok(dns), Ok(notice)) => (s3, cdn, dns, notice),
            (s3, cdn, dns, notice) => return Err(Failure::all([s3.err(), cdn.err(), dns.err(), notice.err()])),
        };
        let mut steps: Vec<Step<SiteChange>> = s3.into_iter().map(|step| self.bucket_step(step)).collect();
        let before: Vec<_> = steps.iter().map(|step| step.id.clone()).collect();
        steps.extend(cdn.steps.into_iter().map(|step| self.front_step(step)));
        // Visitors are led to a front door with something behind it: DNS changes last.
        steps.extend(dns.into_iter().map(|step| {
            let step = step.map(SiteChange::Dns);
            if step.id.as_str() == dns::STEP { before.iter().fold(step, Step::follows) } else { step }
        }));
        // Alarms come when there is something to watch, or everybody would be woken by the making of the site.
        steps.extend(notice.into_iter().map(|step| {
            let step = step.map(SiteChange::Notice);
            if step.action == Action::Create { step.follows(dns::STEP) } else { step }
        }));
        Ok(steps)
    }

    /// A bucket that becomes private does so once the distribution asks for objects in its own name: until then visitors
    /// are served by what is public.
    fn bucket_step(&self, step: Step<s3_site::Change>) -> Step<SiteChange> {
        let step = step.map(SiteChange::S3);
        let closes = ["/policy", "/access-block"].iter().any(|end| step.id.as_str().ends_with(end));
        if self.is_private() && closes && step.reason == Reason::Drifted {
            return step.follows(cdn::DEPLOYED);
        }
        step
    }

    /// A distribution that asks website endpoints does so once those may be read.
    fn front_step(&self, step: Step<cdn::Change>) -> Step<SiteChange> {
        let step = step.map(SiteChange::Cdn);
        if self.is_private() || step.id.as_str() != cdn::STEP {
            return step;
        }
        let opens = Side::BOTH.map(|side| [format!("{side}/policy"), format!("{side}/website")]).concat();
        opens.into_iter().fold(step, Step::follows)
    }

    /// Names the buckets that a change of mode has left behind.
    pub(crate) fn name_former(&self, run: &Run) {
        for (side, bucket) in &self.s3.1.former {
            let region = self.s3.0.site.regions.get(*side);
            let text =
                format!("the bucket `{bucket}` in {region} was this site's in another mode, and is not used any more");
            let hint = Some("`twinsite destroy --former` deletes it and everything in it, and nothing else".to_owned());
            run.emit(&Event::Warning { text, hint });
        }
    }

    fn is_private(&self) -> bool {
        self.s3.0.site.mode == Mode::Origin
    }

    /// DNS first, so that nobody is led to what is about to go; buckets last, because their names can be taken by others.
    fn destruction(&self, contents: &s3_site::Contents) -> Result<Vec<Step<SiteChange>>, dns::Unfit> {
        let (want_dns, have_dns) = &self.dns;
        let dns = dns::destroy_steps(want_dns, have_dns, self.proof_is_needed())?;
        let cdn = cdn::destroy_steps(&self.cdn.0, &self.cdn.1, &[dns::STEP]);
        let s3 = s3_site::destroy_steps(&self.s3.0, &self.s3.1, contents);
        let mut steps: Vec<Step<SiteChange>> = dns.into_iter().map(|step| step.map(SiteChange::Dns)).collect();
        steps.extend(cdn.into_iter().map(|step| step.map(SiteChange::Cdn)));
        // Whoever hears of alarms need not hear of this.
        let notice = notice::destroy_steps(&self.notice.0, &self.notice.1);
        let quiet: Vec<_> = notice.iter().map(|step| step.id.clone()).collect();
        steps = steps.into_iter().map(|step| quiet.iter().fold(step, Step::follows)).collect();
        steps.extend(notice.into_iter().map(|step| step.map(SiteChange::Notice)));
        let first = [dns::STEP, cdn::STEP];
        let ends = ["bucket", "release", "former-bucket"];
        let sides = Side::BOTH.map(|side| ends.map(|end| format!("{side}/{end}"))).concat();
        steps.extend(s3.into_iter().map(|step| {
            let step = step.map(SiteChange::S3);
            if sides.iter().any(|id| id == step.id.as_str()) {
                first.into_iter().fold(step, Step::follows)
            } else {
                step
            }
        }));
        Ok(steps)
    }

    /// True when another certificate, which stays, is renewed by the same record.
    fn proof_is_needed(&self) -> bool {
        let (want, have) = &self.cdn;
        let owner = twinsite_aws::Owner::new(want.site.domain.clone());
        let Some(Deferred::Known(proof)) = &self.dns.0.proof else { return false };
        let others = have.certificates.covering.iter().filter(|certificate| !owner.created_by(&certificate.tags));
        others.into_iter().any(|certificate| certificate.proof.as_ref() == Some(proof))
    }
}
