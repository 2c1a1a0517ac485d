//! What of a run is from the cache → the sentence that says so, in our own words, but for the day.

use crate::report::numbers::count;
use crate::report::text::plural;
use crate::results::CachedReplies;

/// `198 of 200 answers and 197 of 200 judgements are from the cache, the oldest of 2026-11-20: …`
pub(super) fn told(cached: &CachedReplies) -> String {
    let of = |some: u64, all: u64, what: &str| match some {
        0 => None,
        some => Some(format!("{} of {} {what}", count(some), count(all))),
    };
    let beside = (cached.beside > 0).then(|| {
        let judgements = plural(cached.beside, "judgement", "judgements");
        format!("{judgements} of anchors or of the baseline")
    });
    let parts = [
        of(cached.answers, cached.of_answers, "answers"),
        of(cached.judgements, cached.of_judgements, "judgements"),
        beside,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let what = match parts.as_slice() {
        [first, middle, last] => format!("{first}, {middle} and {last}"),
        parts => parts.join(" and "),
    };
    let all = cached.answers.saturating_add(cached.judgements);
    let one = all.saturating_add(cached.beside) == 1;
    let (are, oldest) = match one {
        true => ("is", ""),
        false => ("are", "the oldest "),
    };
    // A day is what matters, and all that is shown of a text that may be anybody's.
    let day: String = cached.oldest.chars().take(10).collect();
    format!("{what} {are} from the cache, {oldest}of {day}: not asked for by this run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_day_is_told_with_the_oldest_day() {
        let mut replies = CachedReplies {
            answers: 198,
            of_answers: 200,
            judgements: 1_197,
            of_judgements: 1_200,
            beside: 0,
            oldest: "2026-11-20T03:04:05Z".to_owned(),
        };
        assert_eq!(
            told(&replies),
            "198 of 200 answers and 1,197 of 1,200 judgements are from the cache, the oldest of 2026-11-20: not \
             asked for by this run"
        );
        replies.beside = 2;
        assert!(told(&replies).contains("answers, 1,197 of 1,200 judgements and 2 judgements of anchors or"));
        (replies.answers, replies.beside) = (0, 0);
        assert!(told(&replies).starts_with("1,197 of 1,200 judgements are from the cache"));
        (replies.answers, replies.beside) = (u64::MAX, u64::MAX);
        assert!(
            told(&replies).contains(" are from the cache"),
            "numbers that anybody wrote"
        );
        (replies.answers, replies.beside) = (0, 0);
        replies.judgements = 1;
        assert!(told(&replies).starts_with("1 of 1,200 judgements is from the cache, of 2026-11-20:"));
    }
}
