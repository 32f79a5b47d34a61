//! What was probably meant by a misspelt name.

/// The known name that is nearest to what was typed, if one is near enough to have been meant: a third of its letters, and at least one,
/// may be wrong, missing, superfluous or swapped. Capitals, hyphens and underscores make no difference.
///
/// ```
/// use twinsite_core::nearest;
///
/// assert_eq!(nearest("layred", ["dns", "origin", "layered"]), Some("layered"));
/// assert_eq!(nearest("Not-Found", ["index", "not_found"]), Some("not_found"));
/// assert_eq!(nearest("triple", ["dns", "origin", "layered"]), None);
/// ```
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let typed = plain(typed);
    let distances = known.into_iter().map(|name| {
        let other = plain(name);
        let limit = (typed.chars().count().max(other.chars().count()) / 3).max(1);
        (strsim::damerau_levenshtein(&typed, &other), limit, name)
    });
    let near = distances.filter(|(distance, limit, _)| distance <= limit);
    near.min_by_key(|(distance, _, _)| *distance).map(|(_, _, name)| name)
}

/// The end of a message about an unknown name: a question if one was probably meant, else nothing.
pub fn did_you_mean(meant: Option<&str>) -> String {
    meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_missing_and_superfluous_letters_are_recognised() {
        let keys = ["domain", "mode", "max_delete", "max_delete_percent", "keep_releases", "ttl"];
        for (typed, meant) in [
            ("moed", Some("mode")),
            ("mod", Some("mode")),
            ("modes", Some("mode")),
            ("Domian", Some("domain")),
            ("max-delete", Some("max_delete")),
            ("maxDeletePercent", Some("max_delete_percent")),
            ("keep_relases", Some("keep_releases")),
            ("tll", Some("ttl")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, keys), meant, "{typed}");
        }
        assert_eq!(nearest("anything", []), None);
    }
}
