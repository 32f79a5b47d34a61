//! How long the paths of an invalidation take to find.

use divan::{Bencher, counter::ItemsCount};
use twinsite_cdn::invalidation;

fn main() {
    divan::main();
}

/// A hundred folders with index documents, below the limit of CloudFront and far above it.
#[divan::bench(args = [1_000, 100_000, 1_000_000])]
fn collapse(bencher: Bencher, keys: usize) {
    let keys: Vec<String> = (0..keys).map(|n| format!("docs/{}/page-{n}/index.html", n % 100)).collect();
    bencher.counter(ItemsCount::new(keys.len())).bench(|| invalidation(&keys, "index.html"));
}
