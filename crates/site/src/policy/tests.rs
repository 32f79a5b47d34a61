use super::*;

fn config(domain: &str, mode: Mode) -> Config {
    let regions = Pair::new("ap-southeast-1".parse().unwrap(), "ap-southeast-2".parse().unwrap());
    Config { mode, ..Config::new(domain.parse().unwrap(), regions) }
}

#[test]
fn every_document_fits_into_a_managed_policy_also_for_the_longest_domain() {
    // A domain has at most 63 characters here, as many as the name of a bucket.
    let long = format!("{}.{}.com", "a".repeat(40), "b".repeat(18));
    assert_eq!(long.len(), 63);
    for mode in [Mode::Origin, Mode::Layered, Mode::Dns] {
        let domain = long.as_str();
        let kinds = [
            PolicyKind::Reader,
            PolicyKind::Publisher,
            PolicyKind::Applier,
            PolicyKind::Operator,
            PolicyKind::Boundary,
        ];
        for kind in kinds {
            let documents = policy(&config(domain, mode), "111122223333".parse().unwrap(), kind).unwrap();
            assert!(
                documents.len() == 1 || kind == PolicyKind::Applier,
                "{kind:?} in {mode}: {} documents",
                documents.len()
            );
            for PolicyDocument { name, characters, document } in documents {
                let counted = document.to_string().chars().filter(|c| !c.is_whitespace()).count();
                assert_eq!(counted, characters);
                assert!(characters <= 6_144 && name.len() <= 128, "{name}: {characters}");
            }
        }
    }
}
