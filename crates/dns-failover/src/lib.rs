//! twinsite: dns-failover.
