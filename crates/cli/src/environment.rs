//! Opens a site on AWS, on another endpoint, or in the embedded cloud.

use std::collections::BTreeMap;

use twinsite_aws::read_retries;
use twinsite_site::{Access, Config, Environment, Error, Run, SiteContext, Standby};

use crate::args::Global;

#[cfg(feature = "local")]
use crate::local::Embedded;

/// Whether a command probes the site as a visitor, and so needs the embedded cloud's data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataPlane {
    NotNeeded,
    /// The clock runs this many times faster than real time.
    AtSpeed(u32),
}

impl DataPlane {
    /// What `apply` needs: it proves an HTTPS standby by visits.
    pub(crate) fn to_apply(config: &Config) -> Self {
        if config.standby == Some(Standby::Https) { Self::AtSpeed(1) } else { Self::NotNeeded }
    }
}

/// A site and the embedded cloud it lives in, if it does.
pub(crate) struct OpenSite {
    pub(crate) site: SiteContext,
    pub(crate) cloud: CloudHandle,
}

/// The embedded cloud of this process, or none.
pub(crate) struct CloudHandle {
    #[cfg(feature = "local")]
    pub(crate) embedded: Option<Embedded>,
}

/// The environment of a command.
pub(crate) struct OpenEnvironment {
    pub(crate) environment: Environment,
    pub(crate) cloud: CloudHandle,
}

/// Opens the environment. No request is sent to AWS.
pub(crate) async fn open_environment(
    global: &Global,
    data_plane: DataPlane,
    run: &Run,
) -> Result<OpenEnvironment, Error> {
    if global.local {
        let mut opened = open_embedded(global, data_plane).await?;
        opened.environment.access.run = Some(run.clone());
        return Ok(opened);
    }
    if global.weather.is_some() || global.weather_seed.is_some() {
        let why = "--weather and --weather-seed are for the embedded cloud only";
        return Err(Error::usage("read the options", why).hint("add --local"));
    }
    let (profile, endpoint) = (global.profile.clone(), global.endpoint_url.clone());
    let access = Access { profile, endpoint, run: Some(run.clone()), ..Access::default() };
    Ok(OpenEnvironment { environment: Environment { access, ..Environment::default() }, cloud: CloudHandle::none() })
}

#[cfg(feature = "local")]
async fn open_embedded(global: &Global, data_plane: DataPlane) -> Result<OpenEnvironment, Error> {
    let mut embedded = Embedded::open(&global.state).await?;
    embedded.set_weather(global).await?;
    if let DataPlane::AtSpeed(speed) = data_plane {
        embedded.open_data_plane(&global.state, speed).await?;
    }
    let environment = embedded.environment().await?;
    Ok(OpenEnvironment { environment, cloud: CloudHandle { embedded: Some(embedded) } })
}

#[cfg(not(feature = "local"))]
#[expect(clippy::unused_async, reason = "has the signature of its counterpart")]
async fn open_embedded(_: &Global, _: DataPlane) -> Result<OpenEnvironment, Error> {
    Err(Error::usage("open the embedded cloud", "this build of twinsite does not contain it")
        .hint("install with default features: `cargo install --path crates/cli`"))
}

/// Opens the site for a command that only reads, and warns if a drill was interrupted. An outage is reported within seconds.
pub(crate) async fn open_site_to_read(global: &Global, config: Config, run: &Run) -> Result<OpenSite, Error> {
    let mut opened = open_environment(global, DataPlane::NotNeeded, run).await?;
    opened.environment.access.default_retry = Some(read_retries());
    let opened = Box::pin(open_site_in(opened, config)).await?;
    opened.cloud.tell_weather(run).await;
    opened.site.warn_if_drill_interrupted(run).await;
    Ok(opened)
}

/// Opens the site, and warns if a drill was interrupted.
pub(crate) async fn open_site(
    global: &Global,
    config: Config,
    data_plane: DataPlane,
    run: &Run,
) -> Result<OpenSite, Error> {
    let opened = open_site_without_warning(global, config, data_plane, run).await?;
    opened.cloud.tell_weather(run).await;
    opened.site.warn_if_drill_interrupted(run).await;
    Ok(opened)
}

/// Opens the site.
pub(crate) async fn open_site_without_warning(
    global: &Global,
    config: Config,
    data_plane: DataPlane,
    run: &Run,
) -> Result<OpenSite, Error> {
    Box::pin(open_site_in(open_environment(global, data_plane, run).await?, config)).await
}

async fn open_site_in(opened: OpenEnvironment, config: Config) -> Result<OpenSite, Error> {
    let OpenEnvironment { environment, cloud } = opened;
    cloud.create_hosted_zone(&config).await?;
    let site = Box::pin(SiteContext::open(config, environment)).await?;
    Ok(OpenSite { site, cloud })
}

impl CloudHandle {
    fn none() -> Self {
        Self {
            #[cfg(feature = "local")]
            embedded: None,
        }
    }

    /// In the embedded cloud: a hosted zone for the domain, as a registrar would have created it.
    pub(crate) async fn create_hosted_zone(&self, config: &Config) -> Result<(), Error> {
        #[cfg(feature = "local")]
        if let Some(embedded) = &self.embedded {
            return embedded.create_hosted_zone(config).await;
        }
        let _ = config;
        Ok(())
    }

    /// Says in which weather the embedded cloud is, if it is not calm.
    pub(crate) async fn tell_weather(&self, run: &Run) {
        #[cfg(feature = "local")]
        if let Some(embedded) = &self.embedded {
            embedded.tell_weather(run).await;
        }
        let _ = run;
    }

    /// Stops the data plane and makes the embedded cloud's state durable.
    pub(crate) async fn close(self) -> Result<(), Error> {
        #[cfg(feature = "local")]
        if let Some(embedded) = self.embedded {
            return embedded.close().await;
        }
        Ok(())
    }

    /// The number of requests by operation since [`Self::reset_requests`], where they can be counted.
    pub(crate) async fn requests(&self) -> Option<BTreeMap<String, u64>> {
        #[cfg(feature = "local")]
        if let Some(embedded) = &self.embedded {
            return embedded.requests().await;
        }
        None
    }

    /// Starts counting requests anew.
    pub(crate) async fn reset_requests(&self) {
        #[cfg(feature = "local")]
        if let Some(embedded) = &self.embedded {
            embedded.reset_requests().await;
        }
    }
}
