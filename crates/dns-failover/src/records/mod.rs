//! Record sets: where the name leads.

mod calls;
mod diff;
mod protection;
mod wanted;
mod wire;

pub(crate) use calls::Calls;
pub(crate) use diff::{destroy, steps};
pub use protection::Protection;
pub(crate) use protection::hindrances;
pub use wanted::{Answer, Failover, Target, Wanted};

use std::collections::BTreeMap;

/// The step that changes where the name leads.
pub const STEP: &str = "dns/records";
/// The step that proves the name to ACM.
pub const PROOF: &str = "dns/certificate-record";

/// The hosted zone, and what it says about the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name, without the trailing dot.
    pub name: String,
    /// The record sets of the name.
    pub sets: Vec<Set>,
    /// What the record that proves the name leads to now, by the record's name.
    pub proofs: BTreeMap<String, String>,
    /// Record sets of these names that may not be changed.
    pub protections: Vec<Protection>,
}

/// A record set that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// `A`, `AAAA`, `CNAME`, `TXT`…
    pub r#type: String,
    /// Tells apart the sets of one name and type.
    pub identifier: Option<String>,
    /// How Route 53 chooses among them.
    pub routing: Routing,
    /// Everything it says, in words.
    pub words: String,
}

/// How Route 53 chooses among the record sets of a name and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// There is only one.
    Simple,
    /// By health.
    Failover,
    /// By weight, latency, place or chance.
    Other,
}
