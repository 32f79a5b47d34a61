//! twinsite: s3-site.
