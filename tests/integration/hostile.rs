//! Models, judges and a service that speak to the runner and the terminal: nothing of it is obeyed,
//! whatever the command and the form.

use serde_json::json;

use crate::harness::House;
use crate::stub::{Act, Request, Stub};

/// One text of everything that a runner, a terminal or a page would act on.
const EVIL: &str = "::error::evil\n  ::add-mask::e\r::stop-commands::evil\u{b}##[error]evil\n\
                    \u{1b}]0;evil\u{7}\u{9b}31m \u{202e}</details>\n```\n# evil\n@octocat #1\u{0}";
/// The same in an id, which the client takes only without control characters.
const EVIL_ID: &str = "::error::evil ##[error]evil \u{202e}@octocat`";

fn service(request: &Request) -> Act {
    let path = request.path.as_str();
    let body = request.json();
    match path {
        "/api/v1/chat/completions" if body["model"] == "m" => Act::ok(json!({
            "model": EVIL, "choices": [{"message": {"content": EVIL}, "finish_reason": "stop"}]
        })),
        "/api/v1/chat/completions" => {
            let verdict = json!({"feedback": EVIL, "reasoning": EVIL, "score": 0.5});
            Act::ok(json!({"choices": [{"message": {"content": format!("{EVIL}\n{verdict}")}}]}))
        }
        "/api/v1/traces" if request.method == "GET" => Act::ok(json!({"results": [], "total": 0})),
        "/api/v1/traces" => Act::ok(json!({"id": format!("trace {EVIL_ID}")})),
        "/api/v1/public/snapshots/create" => Act::ok(json!({"snapshot_id": format!("snapshot {EVIL_ID}")})),
        "/api/v1/public/recommendations/generate" => Act::ok(json!({"snapshot_id": "s"})),
        "/api/v1/public/finetuning/create" => Act::ok(json!({"job_id": format!("job {EVIL_ID}")})),
        "/api/v1/models/running" => Act::ok(json!({"status": true})),
        _ if path.starts_with("/api/v1/public/recommendations/") => Act::ok(json!({
            "status": "completed",
            "recommended_experiments": [{"base_model_id": EVIL, "recommended": true}]
        })),
        _ if path.starts_with("/api/v1/public/projects/") => Act::ok(json!({"project": {
            "id": "p", "name": EVIL, "type": "project",
            "children": [{"id": EVIL_ID, "type": "dataset", "label": EVIL, "children": []}]
        }})),
        _ if path.ends_with("/addToDataset") => Act::ok(json!({"status": "added", "success": true})),
        _ => Act::json(404, json!({"error": EVIL})),
    }
}

const SUITE: &str = "version: 1\nname: s\nproject: p\nmodel: m\ncases:\n  - id: a\n    prompt: q\n    \
                     tags: ['::error::evil', '##[error]evil']\n\
                     gates:\n  - require: cases >= 1\ncycle:\n  poll: 20ms\n";

/// What the runner would obey: commands outside of what is switched off, but for our own folds.
fn obeyed(stream: &str) -> Vec<String> {
    let mut off: Option<String> = None;
    let mut found = Vec::new();
    for line in stream.split(['\n', '\r']) {
        let start = line.trim_start_matches(|c: char| !c.is_ascii_graphic());
        if let Some(end) = &off {
            if start == end {
                off = None;
            }
        } else if let Some(token) = start.strip_prefix("::stop-commands::") {
            off = Some(format!("::{token}::"));
        } else if (start.starts_with("::") || line.contains("##["))
            && !["::group::evaluate s", "::group::cycle", "::endgroup::"].contains(&line)
            // An annotation of ours at the suite's own line: what it says of an answer is its message, in one line.
            && (!line.starts_with("::warning file=s.yaml,line=") || line.contains("##["))
        {
            found.push(line.to_owned());
        }
    }
    found.extend(off.map(|end| format!("never switched on again: {end}")));
    found
}

/// Characters that a terminal acts on.
fn steering(stream: &str) -> Vec<char> {
    let steers = |c: &char| (c.is_control() && !"\n\t".contains(*c)) || matches!(c, '\u{202a}'..='\u{202e}');
    stream.chars().filter(steers).collect()
}

#[tokio::test]
async fn nothing_that_a_model_or_the_service_says_is_obeyed() {
    let stub = Stub::serve(service).await;
    let house = House::new();
    house.write("s.yaml", SUITE);
    let results = ".tunegate/s/results.json";
    for arguments in [
        &["run", "s.yaml"][..],
        &["run", "s.yaml", "--format", "json"],
        &["run", "s.yaml", "--dry-run", "--verbose"],
        &["eval", "s.yaml", "--quiet"],
        &["run", "s.yaml", "--dataset", "elsewhere"],
        &["run", "s.yaml"],
        &["report", results],
        &["report", results, "--format", "markdown"],
        &["report", results, "--format", "json"],
    ] {
        let mut command = house.command();
        command.args(arguments).envs([
            ("GITHUB_ACTIONS", "true"),
            ("PREMAI_API_KEY", "k"),
            ("TUNEGATE_BASE_URL", &stub.url),
        ]);
        let ended: crate::harness::Ended =
            tokio::task::spawn_blocking(move || command.output().unwrap().into())
                .await
                .unwrap();
        let as_asked = if arguments.contains(&"elsewhere") { 4 } else { 0 };
        assert_eq!(ended.code, as_asked, "{arguments:?}: {ended:?}");
        for stream in [&ended.stdout, &ended.stderr] {
            assert_eq!(obeyed(stream), [""; 0], "{arguments:?}");
            assert_eq!(steering(stream), [' '; 0], "{arguments:?}: {stream}");
        }
        if arguments.contains(&"json") {
            let shown: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
            assert_eq!(shown, house.json(results), "escaped, and of the same value");
        }
    }
}
