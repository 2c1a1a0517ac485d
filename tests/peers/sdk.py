#!/usr/bin/env python3
"""Prem's official SDK through the whole cycle, against any service that speaks the API.

Needs `pip install premai` (written for 0.18). The SDK has no traces; those go over plain HTTP in the walkthrough's
form. It checks every reply against the SDK's own types (strictly: a missing or wrong field is an error).

    PREMAI_API_KEY=k python3 tests/peers/sdk.py --base-url http://127.0.0.1:4010
"""

import argparse
import json
import time

import httpx
from premai import NotFoundError, PremAI

PROMPT = "Invoice 17 from ACME. Net 10.00 EUR, VAT 2.00 EUR, total 12.00 EUR. What is the total?"
WANTED = "12.00 EUR"


def until(fetch, done, seconds=30.0):
    end = time.monotonic() + seconds
    while True:
        answer = fetch()
        if done(answer):
            return answer
        if time.monotonic() > end:
            raise SystemExit(f"never got there: {answer}")
        time.sleep(0.05)


def experiments_of(recommendations):
    chosen = [one for one in recommendations.recommended_experiments or [] if one.recommended]
    own = {"recommended", "reason_for_recommendation"}
    return [{name: value for name, value in one.to_dict().items() if name not in own} for one in chosen]


def launch(client, dataset):
    snapshot = client.snapshots.create(dataset_id=dataset, split_percentage=80).snapshot_id
    assert client.recommendations.generate(snapshot_id=snapshot).snapshot_id == snapshot
    recommendations = until(
        lambda: client.recommendations.get(snapshot), lambda answer: answer.status != "processing"
    )
    assert recommendations.status == "completed", recommendations
    assert recommendations.recommended_models
    job = client.finetuning.create(
        snapshot_id=snapshot, name="SDK", experiments=experiments_of(recommendations)
    ).job_id
    return until(lambda: client.finetuning.get(job), lambda answer: answer.status != "processing")


def own_project(client):
    """A project from nothing: upload, train, ask the model that came out."""
    project = client.projects.create(name="From the SDK", goal="totals of invoices").project_id
    assert project in [one.id for one in client.projects.list().projects]
    row = {"messages": [{"role": "user", "content": PROMPT}, {"role": "assistant", "content": WANTED}]}
    dataset = client.datasets.create_from_jsonl(
        project_id=project, name="totals", file=("rows.jsonl", (json.dumps(row) + "\n").encode())
    ).dataset_id
    held = until(lambda: client.datasets.get(dataset), lambda answer: answer.status != "processing")
    assert (held.status, held.datapoints_count, held.project_id) == ("completed", 1, project), held
    more = [{"role": "user", "content": "What is VAT?"}, {"role": "assistant", "content": "value added tax"}]
    assert client.datasets.add_datapoint(dataset, messages=more, bucket="training").id

    job = launch(client, dataset)
    assert job.status == "completed", job
    model = job.experiments[0].api_model_id
    assert model and job.experiments[0].status == "succeeded", job
    assert model in [one.id for one in client.models.list().data]
    assert client.models.load(model=model).message
    until(lambda: client.models.check_status(model=model), lambda answer: answer.status)
    answer = client.chat.completions(model=model, messages=[{"role": "user", "content": PROMPT}], temperature=0)
    assert answer.choices[0].message.content == WANTED, answer
    assert answer.usage and answer.usage.total_tokens > 0
    tree = client.projects.get_tree(project).project
    job_node = tree.children[0].children[0].children[0]
    assert job_node.metadata.id == job.id and job_node.children[0].metadata.api_model_id == model, tree
    assert client.models.unload(model=model).message


def known_project(client, http, project, model):
    """The cycle on a project that is there: answer, trace, row, job, better answer."""
    tree = client.projects.get_tree(project).project
    dataset = tree.children[0].id
    ask = {"model": model, "messages": [{"role": "user", "content": PROMPT}], "extra_body": {"project_id": project}}
    first = client.chat.completions(**ask).choices[0].message.content
    trace = {
        "project_id": project,
        "model_id": model,
        "input": PROMPT,
        "output": first,
        "score": 0.4,
        "feedback": f"Too much of it. The answer should be: {WANTED}\n\nReasoning: exact values only",
    }
    reply = http.post("/api/v1/traces", json=trace)
    reply.raise_for_status()
    trace_id = reply.json()["id"]
    added = http.post(f"/api/v1/traces/{trace_id}/addToDataset")
    added.raise_for_status()
    until(
        lambda: http.get(f"/api/v1/traces/{trace_id}").json(),
        lambda answer: answer["processingStatus"] != "processing",
    )
    assert launch(client, dataset).status == "completed"
    second = client.chat.completions(**ask).choices[0].message.content
    assert second == WANTED, (first, second)
    print(f"before: {first!r}, after: {second!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--project-id", default="3c90c3cc-0d44-4b50-8888-8dd25736052a")
    parser.add_argument("--model-alias", default="invoice-extractor")
    arguments = parser.parse_args()
    with PremAI(base_url=arguments.base_url, _strict_response_validation=True) as client:
        headers = {"Authorization": f"Bearer {client.api_key}"}
        with httpx.Client(base_url=arguments.base_url, headers=headers) as http:
            own_project(client)
            known_project(client, http, arguments.project_id, arguments.model_alias)
        try:
            client.projects.get_tree("nowhere")
        except NotFoundError as error:
            assert error.status_code == 404
        else:
            raise SystemExit("an unknown project was found")
    print("the SDK's cycle is complete")


if __name__ == "__main__":
    main()
