//! The hosted zone ids of alias targets.

use std::collections::BTreeMap;

use twinsite_core::Region;

use super::zone::ZoneId;

/// Of all CloudFront distributions in commercial AWS.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>
const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";

/// Of the S3 website endpoints, by region.
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints>
const WEBSITES: [(&str, &str); 32] = [
    ("af-south-1", "Z83WF9RJE8B12"),
    ("ap-east-1", "ZNB98KWMFR0R6"),
    ("ap-east-2", "Z064739330DAH7WJVOO93"),
    ("ap-northeast-1", "Z2M4EHUR26P7ZW"),
    ("ap-northeast-2", "Z3W03O7B5YMIYP"),
    ("ap-northeast-3", "Z2YQB5RD63NC85"),
    ("ap-south-1", "Z11RGJOFQNVJUP"),
    ("ap-south-2", "Z02976202B4EZMXIPMXF7"),
    ("ap-southeast-1", "Z3O0J2DXBE1FTB"),
    ("ap-southeast-2", "Z1WCIGYICN2BYD"),
    ("ap-southeast-3", "Z01846753K324LI26A3VV"),
    ("ap-southeast-4", "Z0312387243XT5FE14WFO"),
    ("ap-southeast-5", "Z08660063OXLMA7F1FJHU"),
    ("ap-southeast-7", "Z0031014GXUMRZG6I14G"),
    ("ca-central-1", "Z1QDHH18159H29"),
    ("ca-west-1", "Z03565811Z33SLEZTHOUL"),
    ("eu-central-1", "Z21DNDUVLTQW6Q"),
    ("eu-central-2", "Z030506016YDQGETNASS"),
    ("eu-north-1", "Z3BAZG2TWCNX0D"),
    ("eu-south-1", "Z30OZKI7KPW7MI"),
    ("eu-south-2", "Z0081959F7139GRJC19J"),
    ("eu-west-1", "Z1BKCTXD74EZPE"),
    ("eu-west-2", "Z3GKZC51ZF0DB4"),
    ("eu-west-3", "Z3R1K369G5AVDG"),
    ("il-central-1", "Z09640613K4A3MN55U7GU"),
    ("me-central-1", "Z06143092I8HRXZRUZROF"),
    ("me-south-1", "Z1MPMWCPA7YB62"),
    ("sa-east-1", "Z7KQH4QJS55SO"),
    ("us-east-1", "Z3AQBSTGFYJSTF"),
    ("us-east-2", "Z2O1EMRO9K5GLX"),
    ("us-west-1", "Z2F56UZL2M1ACD"),
    ("us-west-2", "Z3BJ6K6RIION7M"),
];

/// The hosted zone id of a region's S3 website endpoints is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hosted zone id of the S3 website endpoints in {0} is not known to this version")]
pub struct UnknownWebsiteZone(
    /// The region.
    pub Region,
);

/// The hosted zone id of a region's S3 website endpoints. `overrides` has precedence, for regions that were added after this
/// release.
pub fn website_alias_zone(region: &Region, overrides: &BTreeMap<Region, ZoneId>) -> Result<ZoneId, UnknownWebsiteZone> {
    if let Some(zone) = overrides.get(region) {
        return Ok(zone.clone());
    }
    let known = WEBSITES.iter().find(|(name, _)| *name == region.as_str());
    known.map(|(_, zone)| ZoneId::from_table(zone)).ok_or_else(|| UnknownWebsiteZone(region.clone()))
}

/// The hosted zone id of all CloudFront distributions.
pub fn cloudfront_alias_zone() -> ZoneId {
    ZoneId::from_table(CLOUDFRONT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_regions_have_zones_and_overrides_have_precedence() {
        let zone = |region: &str| website_alias_zone(&region.parse().unwrap(), &BTreeMap::new());
        assert_eq!(zone("us-west-2").unwrap().as_str(), "Z3BJ6K6RIION7M");
        assert_eq!(zone("eu-south-1").unwrap().as_str(), "Z30OZKI7KPW7MI");
        assert!(zone("mx-central-1").is_err());
        let mexico: Region = "mx-central-1".parse().unwrap();
        let overrides = BTreeMap::from([(mexico.clone(), "ZMEXICO".parse().unwrap())]);
        assert_eq!(website_alias_zone(&mexico, &overrides).unwrap().as_str(), "ZMEXICO");
    }

    #[test]
    fn every_row_is_a_region_once() {
        let names: std::collections::BTreeSet<_> = WEBSITES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), WEBSITES.len());
        assert!(names.iter().all(|name| name.parse::<Region>().is_ok()));
        assert!(
            WEBSITES.iter().all(|(_, zone)| zone.parse::<ZoneId>().is_ok()) && CLOUDFRONT.parse::<ZoneId>().is_ok()
        );
    }
}
