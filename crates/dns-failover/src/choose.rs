//! Which hosted zone a name belongs to.

use twinsite_core::Domain;

/// A hosted zone as Route 53 lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name, with or without the trailing dot.
    pub name: String,
    /// True when only VPCs see it.
    pub private: bool,
}

/// Why no zone was chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoZone {
    /// No public zone holds the name.
    #[error("no public hosted zone of this account holds `{0}`")]
    None(Domain),
    /// Several zones of the same name do; only one of them is the one the registrar points to.
    #[error("`{domain}` is in several hosted zones: {}", .ids.join(", "))]
    Several {
        /// The name.
        domain: Domain,
        /// The zones' ids.
        ids: Vec<String>,
    },
}

/// The public zone with the longest name that holds the domain.
pub fn choose_zone<'a>(domain: &Domain, zones: &'a [HostedZone]) -> Result<&'a HostedZone, NoZone> {
    let name = |zone: &HostedZone| zone.name.trim_end_matches('.').to_ascii_lowercase();
    let holds = |zone: &&HostedZone| {
        let zone = name(zone);
        domain.as_str() == zone || domain.as_str().ends_with(&format!(".{zone}"))
    };
    let holding: Vec<&HostedZone> = zones.iter().filter(|zone| !zone.private).filter(holds).collect();
    let longest = holding.iter().map(|zone| name(zone).len()).max();
    let best: Vec<&HostedZone> = holding.into_iter().filter(|zone| Some(name(zone).len()) == longest).collect();
    match best[..] {
        [] => Err(NoZone::None(domain.clone())),
        [one] => Ok(one),
        _ => Err(NoZone::Several { domain: domain.clone(), ids: best.iter().map(|zone| zone.id.clone()).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(id: &str, name: &str, private: bool) -> HostedZone {
        HostedZone { id: id.to_owned(), name: name.to_owned(), private }
    }

    #[test]
    fn the_longest_public_suffix_is_chosen() {
        let zones =
            [zone("Z1", "example.com.", false), zone("Z2", "docs.example.com.", false), zone("Z3", "ample.com", false)];
        let chosen = |domain: &str| choose_zone(&domain.parse().unwrap(), &zones).map(|zone| zone.id.as_str());
        assert_eq!(chosen("www.docs.example.com"), Ok("Z2"));
        assert_eq!(chosen("www.example.com"), Ok("Z1"));
        assert_eq!(chosen("example.com"), Ok("Z1"));
        assert!(matches!(chosen("example.org"), Err(NoZone::None(_))));
    }

    #[test]
    fn private_zones_do_not_count_and_twins_are_named() {
        let zones =
            [zone("Z1", "example.com", true), zone("Z2", "example.com", false), zone("Z3", "example.com", false)];
        let domain = "www.example.com".parse().unwrap();
        let error = choose_zone(&domain, &zones).unwrap_err();
        assert_eq!(error.to_string(), "`www.example.com` is in several hosted zones: Z2, Z3");
        assert_eq!(choose_zone(&domain, &zones[..2]).unwrap().id, "Z2");
    }
}
