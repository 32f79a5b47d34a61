//! twinsite: cdn.
