//! The time that invalidation paths take to compute.

use divan::{Bencher, counter::ItemsCount};
use twinsite_cdn::InvalidationPaths;

fn main() {
    divan::main();
}

/// A hundred folders with index documents, below CloudFront's limit and far above it.
#[divan::bench(args = [1_000, 100_000, 1_000_000])]
fn collapse(bencher: Bencher, keys: usize) {
    let keys: Vec<String> = (0..keys).map(|n| format!("docs/{}/page-{n}/index.html", n % 100)).collect();
    bencher.counter(ItemsCount::new(keys.len())).bench(|| InvalidationPaths::for_keys(&keys, "index.html"));
}
