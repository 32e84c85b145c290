"""What README.md and docs/ show is what a replay shows. Their commands and links are tested in tests/docs/."""

import json
from collections.abc import Mapping
from functools import cache

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from emulator import emulate
from emulator.worlds import WORLDS, alert_topic, build, happen, sdk_client
from replay.__main__ import main
from replay.loop import Invocation, Loop, play_world
from replay.template import load
from tests.docs.command_lines import commands
from tests.docs.pages import ROOT, blocks

SHOWN = ("one-zone", "nat-gone", "mended", "connector-in-use")  # the worlds that the pages take their alerts from
SCHEMAS = {
    "Guardrail Finding Transition": "docs/schemas/finding-transition-1.json",
    "Guardrail Failed Call": "docs/schemas/failed-call-1.json",
}

stack = cache(load)


@cache
def invocations() -> tuple[Invocation, ...]:
    """What the worlds lead to that the documentation shows, and one whose connector is exempted."""
    steps = [step for world in (*SHOWN, "exempted") for step in play_world(WORLDS[world], stack())]
    return tuple(one for step in steps for one in step.invocations)


def test_what_functions_put_on_the_event_bus_is_of_the_documented_schemas() -> None:
    put = [event for one in invocations() for event in one.put]
    told = {(str(event["detail-type"]), detail(event).get("transition")) for event in put}
    assert told == {
        *(("Guardrail Finding Transition", kind) for kind in ("opened", "resolved", "exempted")),
        ("Guardrail Failed Call", None),
    }
    for event in put:
        schema = json.loads((ROOT / SCHEMAS[str(event["detail-type"])]).read_text())
        assert [error.message for error in Draft202012Validator(schema).iter_errors(event)] == []


def detail(event: Mapping[str, object]) -> Mapping[str, object]:
    found = event["detail"]
    assert isinstance(found, Mapping)
    return found


def test_an_alert_that_is_shown_is_one_that_a_replay_publishes() -> None:
    alerts = [alert for one in invocations() for alert in one.alerts]
    published = {str(alert["subject"]): str(alert["body"]).splitlines() for alert in alerts}
    pages = (ROOT / "README.md", ROOT / "docs/alerts.md")
    bodies = [block.body for page in pages for block in blocks(page, "") if block.body.startswith("Subject: ")]
    shown = [body.splitlines() for body in bodies]
    assert len(shown) == 5
    for subject, *body in shown:
        lines = published[subject.removeprefix("Subject: ")]
        assert [line for line in body if line not in lines] == []


def test_a_replay_that_is_shown_is_one_that_a_replay_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line as far as it goes: … is where it was cut. What stands between the lines that are shown is left out."""
    [shown] = (block.body.splitlines() for block in blocks(ROOT / "docs/local.md", ""))
    monkeypatch.setattr("replay.__main__.WORLDS", {"mended": WORLDS["mended"]})  # of all worlds this one alone
    assert main([]) == 0
    printed = iter(" ".join(line.split()) for line in capsys.readouterr().out.splitlines())
    for line in shown:
        start = " ".join(line.split()).partition("…")[0].strip()
        assert any(one.startswith(start) for one in printed), f"not printed, or not there: {line}"


def test_a_subscription_with_the_documented_filter_gets_what_is_urgent_only() -> None:
    [words] = (one.words for one in commands() if one.where.startswith("docs/alerts.md") and "subscribe" in one.words)
    attributes = json.loads(words[words.index("--attributes") + 1])
    assert heard("one-zone", attributes) == []
    assert heard("nat-gone", attributes) == [
        "[HIGH] AR108 blackhole route: VPC connector nat-gone in 123456789012 us-east-1"
    ]


def heard(name: str, attributes: dict[str, str]) -> list[str]:
    """The subjects that a subscription with these attributes gets of what happens in a world."""
    with emulate() as aws:
        build(WORLDS[name], sdk_client)
        loop = Loop(stack(), aws, sdk_client)
        sqs, sns = sdk_client("sqs"), sdk_client("sns")
        url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = alert_topic(sdk_client)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        happen(WORLDS[name], sdk_client)
        told = [alert["subject"] for step in loop.settle() for one in step.invocations for alert in one.alerts]
        assert told
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["Subject"] for message in received]
