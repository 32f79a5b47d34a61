//! Prints the bounds of the failover time for common settings. Calls no AWS service.

use std::time::Duration;

use twinsite_dns_failover::FailoverTiming;

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("interval  threshold  TTL   unhealthy after   records changed for everybody after");
    for (interval, threshold, ttl) in [(30, 3, 60), (30, 1, 60), (10, 3, 60), (10, 2, 30), (10, 1, 10)] {
        let (interval, ttl) = (Duration::from_secs(interval), Duration::from_secs(ttl));
        let bound = FailoverTiming { interval, threshold, ttl }.failover_bound();
        let detection = format!("{} to {} s", bound.min_detection.as_secs(), bound.max_detection.as_secs());
        let (interval, ttl, total) = (interval.as_secs(), ttl.as_secs(), bound.max_total.as_secs());
        println!("{interval:>6} s  {threshold:>9}  {ttl:>2} s  {detection:>16}   {total} s at most");
    }
}
