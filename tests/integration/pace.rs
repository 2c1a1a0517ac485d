//! How fast the service was asked, and where that settled, stands in the record and in the report.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use tunegate::emulator::{self, Capacity, Rate, RetryAfter};

use crate::harness::{EASY, House, options, suite};

const MODEL: &str = "invoice-extractor";
const JUDGE: &str = "claude-4.5-sonnet";

fn pace(house: &House) -> Value {
    house.json(".tunegate/s/results.json")["run"]["pace"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_and_what_became_of_it_is_told_and_nothing_where_nothing_was_asked() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 12, EASY));
    let emulator = emulator::start(options()).await.unwrap();
    let eval = [
        "eval",
        "s.yaml",
        "--cache",
        "replies",
        "--concurrency",
        "3",
        "--rpm",
        "60000",
    ];
    let ended = house.against(&emulator, &eval).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let given = pace(&house);
    assert_eq!(
        (&given["concurrency"], &given["rpm"]),
        (&json!(3), &json!(60_000))
    );
    assert_eq!((given.get("tpm"), given.get("learned_per_minute")), (None, None));
    assert_eq!(given["models"].as_object().unwrap().len(), 2, "{given}");
    for model in [MODEL, JUDGE] {
        let of = &given["models"][model];
        let most = of["most_at_once"].as_u64().unwrap();
        assert!((1..=3).contains(&most), "{given}");
        assert_eq!(
            (of.get("limit"), &of["refused"], &of["closed_ms"]),
            (None, &json!(0), &json!(0))
        );
    }
    let told = "at once, 3 were given; at most 60,000 requests a minute, as given";
    for text in [&ended.stdout, &house.read(".tunegate/s/summary.md")] {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(plain.matches(told).count(), 2, "{text}");
    }

    let cached = house.against(&emulator, &eval).await;
    assert_eq!(cached.code, 0, "{cached:?}");
    assert_eq!(pace(&house), Value::Null);
    assert!(!cached.stdout.contains("at once"), "{}", cached.stdout);
    assert!(!house.read(".tunegate/s/summary.md").contains("at once"));
    emulator.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_nobody_told_is_told_in_the_report() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 12, EASY));
    let rate = Rate {
        per_second: NonZeroU32::new(40).unwrap(),
        burst: NonZeroU32::new(4).unwrap(),
        retry_after: RetryAfter::None,
    };
    let emulator = emulator::start(emulator::Options {
        capacity: Capacity {
            rate: Some(rate),
            ..Capacity::default()
        },
        ..options()
    })
    .await
    .unwrap();
    let ended = house.against(&emulator, &["eval", "s.yaml"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let found = pace(&house);
    assert_eq!(found.get("concurrency"), None);
    assert!(found["learned_per_minute"].as_u64().unwrap() > 0, "{found}");
    let models: Vec<&Value> = found["models"].as_object().unwrap().values().collect();
    assert_eq!(models.len(), 2, "{found}");
    assert!(
        models.iter().all(|model| model["limit"].as_u64().unwrap() > 0),
        "{found}"
    );
    let sum = |field: &str| {
        models
            .iter()
            .map(|model| model[field].as_u64().unwrap())
            .sum::<u64>()
    };
    assert!(sum("refused") > 0 && sum("closed_ms") > 0, "{found}");
    let summary = house.read(".tunegate/s/summary.md");
    assert!(summary.contains(&format!("- `{MODEL}`: ")), "{summary}");
    assert!(
        summary.contains(" at once, ") && summary.contains(" refused, closed for "),
        "{summary}"
    );
    emulator.stop().await.unwrap();
}
