//! What all services share: clock, outages, errors, tags, the account's id and the database.

mod clock;
mod delays;
mod disk;
mod endpoints;
mod error;
mod execute_api;
mod outages;
mod random;
mod weather_settings;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

pub use clock::{Clock, Delays, Now};
pub(crate) use delays::DelayModel;
pub(crate) use disk::{Disk, DiskError, insert, rows};
pub use endpoints::{Endpoints, Ports};
pub use error::ServiceError;
pub(crate) use execute_api::{execute_api_host, hosted_zone};
pub use outages::{OutageSymptom, Outages};
pub(crate) use random::Random;
pub use weather_settings::{Weather, WeatherSettings};

/// The account that owns everything in the embedded cloud, unless a test says otherwise.
pub const ACCOUNT: &str = "000000000000";

/// The tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// Removes some tags, then adds or replaces others.
pub(crate) fn change_tags(tags: &mut Tags, added: impl IntoIterator<Item = (String, String)>, removed: &[String]) {
    tags.retain(|key, _| !removed.contains(key));
    tags.extend(added);
}

/// An id that cannot be guessed: random per process and counted within it.
pub fn random_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let word = |salt: u64| RandomState::new().hash_one((salt, count));
    let mut bytes = [0; 24];
    for (index, chunk) in bytes.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&word(index as u64).to_be_bytes());
    }
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
}
