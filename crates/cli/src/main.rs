//! The `twinsite` command.

fn main() {}
