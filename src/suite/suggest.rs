//! A word that nobody knows → the known one that was probably meant.

/// The closest of `known` to `word`, for a "did you mean": only when it is close enough to be a slip
/// (a third of the letters at most, upper and lower case alike), or when `word` is its beginning.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 200;
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    let allowed = (length / 3).max(1);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in known {
        if candidate.len() > LONGEST * 4 {
            continue;
        }
        let other = candidate.to_lowercase();
        let begins = length >= 3 && other.starts_with(&lower);
        if !begins && other.chars().count().abs_diff(length) > allowed {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&lower, &other);
        let distance = if begins { distance.min(allowed) } else { distance };
        // A word of two letters is one slip away from far too much.
        let slip = distance <= allowed && (distance < length.min(other.chars().count()));
        if slip && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["prompt", "temperature", "tags", "holdout", "id"];
        assert_eq!(suggest("promt", known), Some("prompt"));
        assert_eq!(suggest("Prompt", known), Some("prompt"));
        assert_eq!(suggest("temperatrue", known), Some("temperature"));
        assert_eq!(suggest("temp", known), Some("temperature"));
        assert_eq!(suggest("tag", known), Some("tags"));
        assert_eq!(suggest("hold_out", known), Some("holdout"));
        assert_eq!(suggest("frobnicate", known), None);
        assert_eq!(suggest("", known), None);
        assert_eq!(suggest("x", known), None);
        assert_eq!(suggest(&"x".repeat(100_000), known), None);
    }

    #[test]
    fn the_nearest_wins() {
        assert_eq!(
            suggest("totals-eu", ["totals-us", "totals-eur", "total"]),
            Some("totals-eur")
        );
    }
}
