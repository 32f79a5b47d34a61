//! twinsite: cli.
