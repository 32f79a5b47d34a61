//! twinsite: local.
