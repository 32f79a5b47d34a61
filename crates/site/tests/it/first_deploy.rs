//! A deploy to a site that was not applied to its end.

use std::sync::{Arc, Mutex};

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Event, Watch};
use twinsite_local::{Cloud, Delays, InjectedFault};
use twinsite_site::{AdoptBuckets, DeployRequest, DeployResult, Mode, Run, SourceDirectory, apply, deploy, plan};

use crate::site::{OPTIONS, TestSite};
use crate::write;

#[derive(Debug, Default)]
struct Warnings(Mutex<Vec<String>>);

impl Watch for Warnings {
    fn event(&self, event: &Event) {
        if let Event::Warning { text, hint } = event {
            self.0.lock().unwrap().push(format!("{text}; {}", hint.as_deref().unwrap_or_default()));
        }
    }
}

#[tokio::test]
async fn a_deploy_without_a_distribution_says_that_visitors_cannot_see_it_and_what_to_run() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        let cloud = Cloud::memory();
        cloud.world().set_delays(Delays::NONE);
        let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
        let route53 = Session::open(access).await.unwrap().route53();
        route53.create_hosted_zone().name("example.com").caller_reference("zone").send().await.unwrap();
        let site = TestSite::open(cloud, |config| config.mode = mode).await;
        site.cloud.inject_faults(|request| {
            if request.operation.starts_with("CreateDistribution") {
                InjectedFault::Refuse
            } else {
                InjectedFault::None
            }
        });
        let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
        Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap_err();
        site.cloud.inject_faults(|_| InjectedFault::None);

        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "index.html", "hello");
        let warnings = Arc::new(Warnings::default());
        let run = Run::new(Arc::<Warnings>::clone(&warnings));
        let source = SourceDirectory::read(site.context.config(), dir.path(), None, None).await.unwrap();
        let request = DeployRequest { options: OPTIONS, ..DeployRequest::default() };
        let deployed = Box::pin(deploy(&site.context, source, &request, &run)).await;
        let Ok(DeployResult::Published(published)) = deployed else { panic!("{mode}: {deployed:?}") };
        assert_eq!(published.has_distribution, Some(false), "{mode}");
        let said = warnings.0.lock().unwrap().join(" ");
        assert!(said.contains("cannot see what was published") && said.contains("twinsite apply"), "{mode}: {said}");

        let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
        Box::pin(apply(&site.context, planned, &Run::silent())).await.unwrap();
        write(dir.path(), "index.html", "hello again");
        let Ok(DeployResult::Published(published)) = site.deploy(dir.path()).await else { panic!("{mode}") };
        assert_eq!(published.has_distribution, Some(true), "{mode}");
    }
}
