//! How long changes take.

use std::time::Duration;

use super::{Delays, Random, Weather, WeatherSettings};

/// Draws the delays of one request after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DelayModel {
    weather: Weather,
    random: Random,
}

impl DelayModel {
    /// The model of a weather; `None` if it is calm.
    pub(crate) fn new(settings: WeatherSettings) -> Option<Self> {
        let WeatherSettings { weather, seed } = settings;
        (weather != Weather::Calm).then(|| Self { weather, random: Random::new(!seed) })
    }

    /// The delays of a request.
    pub(crate) fn next(&mut self) -> Delays {
        let (seconds, storm) = (Duration::from_secs, self.weather == Weather::Storm);
        let random = &mut self.random;
        Delays {
            // "Typically within five minutes"; it was 15 before 2020, and is on bad days.
            // <https://aws.amazon.com/blogs/networking-and-content-delivery/slashing-cloudfront-change-propagation-times-in-2020-recent-changes-and-looking-forward/>
            distribution: random.between(seconds(120), seconds(if storm { 1200 } else { 300 })),
            // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html>
            invalidation: random.between(seconds(5), seconds(if storm { 600 } else { 120 })),
            // "Changes generally propagate to all Route 53 name servers within 60 seconds."
            // <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
            records: random.between(seconds(10), seconds(if storm { 180 } else { 60 })),
            // "It can take several seconds before the information appears."
            // <https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html>
            certificate: random.between(seconds(1), seconds(if storm { 40 } else { 10 })),
            // "Up to several hours, usually minutes" <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>
            validation: random.between(seconds(20), seconds(if storm { 900 } else { 300 })),
            // Distributions and certificates are listed some seconds after their creation.
            listing: random.between(seconds(0), seconds(if storm { 40 } else { 5 })),
            // "Up to 60 seconds." <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-migrate.html>
            domain_name: random.between(seconds(2), seconds(if storm { 300 } else { 60 })),
            // Most objects replicate within 15 seconds, and 99.99 % within 15 minutes with Replication Time Control.
            // <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html>
            replication: if storm {
                random.around(seconds(30), seconds(300))
            } else {
                random.around(seconds(15), seconds(60))
            },
            // Seconds, and tens of seconds on bad days.
            // <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions.html>
            store: random.between(seconds(1), seconds(if storm { 25 } else { 8 })),
        }
    }
}
