//! The outages of drills: those of the primary bucket, which any endpoint of S3 can be brought to, and those that only an embedded cloud can
//! bring about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use twinsite_core::{Invalid, Mode, Region};
use twinsite_s3_site::{BucketOutage, RestoreAction};

use super::timeline::{ByProtocol, FailoverPath, Promise};
use crate::config::Standby;
use crate::error::Error;
use crate::outage_injector::OutOfService;

/// What a drill takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// The website configuration of the primary is deleted: requests get 404.
    Website,
    /// The policy of the primary denies reads from outside the account: requests get 403.
    Policy,
    /// The failover switch object is put: the primary works, but its health check fails.
    Switch,
    /// Replication is disabled: the backup falls behind.
    Replication,
    /// Nothing in the primary region answers: connections are reset.
    Region,
    /// Nothing in the primary region answers: connections are accepted, and no response ever arrives.
    Silence,
    /// The edges of CloudFront do not answer.
    Cdn,
}

/// An outage that no API of AWS can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
#[non_exhaustive]
pub enum InjectedOutage {
    /// [`Outage::Region`].
    Region,
    /// [`Outage::Silence`].
    Silence,
    /// [`Outage::Cdn`].
    Cdn,
}

/// What causes an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// Changes of the site's buckets.
    Bucket(BucketOutage),
    /// The [`OutageInjector`](crate::drill::OutageInjector).
    Injected(InjectedOutage),
}

/// How an outage is undone. Its serialized form is stored in the journals of drills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Undo {
    Bucket(RestoreAction),
    Injected(InjectedOutage),
}

impl Undo {
    pub(super) fn outage(&self) -> Outage {
        match self {
            Self::Bucket(action) => action.outage().into(),
            Self::Injected(outage) => (*outage).into(),
        }
    }
}

impl InjectedOutage {
    pub(super) const ALL: [Self; 3] = [Self::Region, Self::Silence, Self::Cdn];

    /// What is out of service for a site with this primary region. The control planes of the global services are in us-east-1:
    /// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html>
    pub(super) fn out_of_service(self, primary: &Region) -> OutOfService {
        match self {
            Self::Region | Self::Silence => OutOfService {
                region: Some(primary.clone()),
                hangs: self == Self::Silence,
                control_planes: primary.as_str() == CONTROL_PLANES,
                cdn: false,
            },
            Self::Cdn => OutOfService { cdn: true, ..OutOfService::default() },
        }
    }
}

/// Where the control planes of global services are.
const CONTROL_PLANES: &str = "us-east-1";

impl Outage {
    /// All outages, in the order of the documentation.
    pub const ALL: [Self; 7] =
        [Self::Website, Self::Policy, Self::Switch, Self::Replication, Self::Region, Self::Silence, Self::Cdn];

    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self.means() {
            Means::Bucket(outage) => outage.as_str(),
            Means::Injected(InjectedOutage::Region) => "region",
            Means::Injected(InjectedOutage::Silence) => "silence",
            Means::Injected(InjectedOutage::Cdn) => "cdn",
        }
    }

    /// The default of a mode: an outage that its failover detects.
    pub fn default_for(mode: Mode) -> Self {
        BucketOutage::default_for(mode).into()
    }

    pub(super) fn means(self) -> Means {
        match self {
            Self::Website => Means::Bucket(BucketOutage::Website),
            Self::Policy => Means::Bucket(BucketOutage::Policy),
            Self::Switch => Means::Bucket(BucketOutage::Switch),
            Self::Replication => Means::Bucket(BucketOutage::Replication),
            Self::Region => Means::Injected(InjectedOutage::Region),
            Self::Silence => Means::Injected(InjectedOutage::Silence),
            Self::Cdn => Means::Injected(InjectedOutage::Cdn),
        }
    }

    /// What is broken, as the subject of a sentence.
    pub(super) fn broken(self) -> &'static str {
        match self {
            Self::Cdn => "CloudFront",
            Self::Region | Self::Silence => "the primary region",
            Self::Website | Self::Policy | Self::Switch | Self::Replication => "the primary",
        }
    }

    /// How visitors reach the backup in this outage.
    pub(super) fn path(self, mode: Mode) -> FailoverPath {
        match (self, mode) {
            (Self::Replication, _) => FailoverPath::None,
            (Self::Switch | Self::Cdn, _) | (_, Mode::Dns) => FailoverPath::Dns,
            (_, Mode::Origin | Mode::Layered) => FailoverPath::OriginGroup,
        }
    }

    /// What a mode promises to visitors in this outage. The website endpoint that DNS moves to speaks HTTP only, and API Gateway HTTPS only.
    pub fn promises(self, mode: Mode, standby: Standby) -> ByProtocol<Promise> {
        let both = |promise| ByProtocol { http: promise, https: promise };
        match (self, self.path(mode)) {
            (_, FailoverPath::OriginGroup | FailoverPath::None) => both(Promise::Uninterrupted),
            (_, FailoverPath::Dns) => {
                let promised = if self == Self::Switch { Promise::Uninterrupted } else { Promise::AfterFailover };
                match standby {
                    Standby::Http => ByProtocol { http: promised, https: Promise::None },
                    Standby::Https => ByProtocol { http: Promise::None, https: promised },
                }
            }
        }
    }

    /// Fails if this outage cannot be caused, or proves nothing in this mode.
    pub(super) fn check(self, mode: Mode, injectable: bool) -> Result<(), Error> {
        let default = Self::default_for(mode);
        match self.means() {
            Means::Bucket(outage) if !outage.is_effective_in(mode) => {
                let why = format!("`{self}` breaks nothing that mode `{mode}` depends on");
                Err(Error::usage(super::OPERATION, why).hint(format!("use --how {default}")))
            }
            Means::Injected(InjectedOutage::Cdn) if mode != Mode::Layered => {
                let why = match mode {
                    Mode::Dns => {
                        "in mode `dns`, the site is down without CloudFront: DNS follows the health of the primary bucket alone"
                    }
                    Mode::Origin | Mode::Layered => {
                        "in mode `origin`, the site is down without CloudFront: its buckets are private, so that nothing else serves it"
                    }
                };
                let hint = format!("mode `layered` survives it; what mode `{mode}` survives: --how {default}");
                Err(Error::usage(super::OPERATION, why).hint(hint))
            }
            Means::Injected(outage) if !injectable => {
                let (what, instead) = match outage {
                    InjectedOutage::Region => ("a region away", default),
                    InjectedOutage::Silence => ("the responses of a region away", default),
                    InjectedOutage::Cdn => ("CloudFront away", Self::Switch),
                };
                let why = format!("`{self}` is for the embedded cloud only: no API of AWS takes {what}");
                let effect = match outage {
                    InjectedOutage::Cdn => "moves DNS to the backup",
                    InjectedOutage::Region | InjectedOutage::Silence => "makes the primary bucket refuse every visitor",
                };
                let hint = format!("add --local, or use --how {instead}, which {effect}");
                Err(Error::usage(super::OPERATION, why).hint(hint))
            }
            Means::Bucket(_) | Means::Injected(_) => Ok(()),
        }
    }
}

impl From<BucketOutage> for Outage {
    fn from(outage: BucketOutage) -> Self {
        match outage {
            BucketOutage::Policy => Self::Policy,
            BucketOutage::Switch => Self::Switch,
            BucketOutage::Replication => Self::Replication,
            BucketOutage::Website => Self::Website,
        }
    }
}

impl From<InjectedOutage> for Outage {
    fn from(outage: InjectedOutage) -> Self {
        match outage {
            InjectedOutage::Region => Self::Region,
            InjectedOutage::Silence => Self::Silence,
            InjectedOutage::Cdn => Self::Cdn,
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outage {
    type Err = Invalid;

    /// Reads the word used on the command line, or the one that `switch` had at first.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let name = if text == "stop-object" { Self::Switch.as_str() } else { text };
        let found = Self::ALL.into_iter().find(|outage| outage.as_str() == name);
        found.ok_or_else(|| Invalid::unknown("outage", text, &Self::ALL.map(Self::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outage_is_read_by_its_name() {
        for outage in Outage::ALL {
            assert_eq!(outage.as_str().parse(), Ok(outage));
        }
        assert_eq!("stop-object".parse(), Ok(Outage::Switch));
        assert!("fire".parse::<Outage>().unwrap_err().to_string().contains("`cdn`"));
    }

    #[test]
    fn the_serialized_form_does_not_change() {
        for (undo, text) in [
            (Undo::Injected(InjectedOutage::Region), r#"{"how":"region"}"#),
            (Undo::Injected(InjectedOutage::Silence), r#"{"how":"silence"}"#),
            (Undo::Injected(InjectedOutage::Cdn), r#"{"how":"cdn"}"#),
            (Undo::Bucket(RestoreAction::Switch), r#"{"how":"stop-object"}"#),
        ] {
            assert_eq!(serde_json::to_string(&undo).unwrap(), text);
            assert_eq!(serde_json::from_str::<Undo>(text).unwrap(), undo);
        }
    }

    #[test]
    fn a_refusal_names_an_outage_that_works() {
        for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
            for outage in Outage::ALL {
                for injectable in [false, true] {
                    let Err(refused) = outage.check(mode, injectable) else { continue };
                    let hint = refused.hints.join(" ");
                    let instead: Outage = hint
                        .split_once("--how ")
                        .map(|(_, rest)| rest.split([',', ' ']).next().unwrap().parse().unwrap())
                        .unwrap();
                    assert!(instead.check(mode, false).is_ok(), "{outage} in {mode}: {hint}");
                }
            }
        }
    }
}
