"""What README.md and docs/ tell people to do can be done, and what they show is what a replay shows."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from samcli.cli.types import CfnParameterOverridesType  # type: ignore[import-untyped]  # SAM ships no types

from emulator import emulate
from emulator.worlds import WORLDS, alert_topic, build, happen, sdk_client
from replay.loop import Invocation, Loop, play_world
from replay.template import load

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("alerts.md", "architecture.md", "events.md", "paths.md")),
)
SHOWN = ("nat-gone", "mended", "connector-in-use")  # the worlds that docs/alerts.md takes its alerts from
SCHEMAS = {
    "Guardrail Finding Transition": "docs/schemas/finding-transition-1.json",
    "Guardrail Failed Call": "docs/schemas/failed-call-1.json",
}

stack = cache(load)


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [body for kind, body in found if kind == language]


def commands(program: str) -> Iterator[list[str]]:
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.replace("\\\n", "").splitlines():
                words = shlex.split(line, comments=True)
                if words[: len(program.split())] == program.split():
                    yield words


@pytest.mark.parametrize("words", [*commands("sam deploy")], ids=" ".join)
def test_parameters_of_a_deployment_get_through_sam_and_the_template(words: list[str]) -> None:
    given = words[words.index("--parameter-overrides") + 1 :]
    parsed: dict[str, str] = CfnParameterOverridesType().convert(tuple(given), None, None)
    assert len(parsed) == len(given)
    for name, value in parsed.items():
        allowed = stack().parameters[name].get("AllowedPattern", ".*")
        assert re.fullmatch(allowed, value), f"{name}={value}"


def test_the_documented_deployment_is_found() -> None:
    """The twin of the test above, which would hold for no command at all."""
    assert [words[-1].partition("=")[0] for words in commands("sam deploy")] == ["AlertEmail", "RuleOverrides"]


@pytest.mark.parametrize("words", [*commands("make replay")], ids=" ".join)
def test_a_documented_replay_names_what_there_is(words: list[str]) -> None:
    asked = dict(word.split("=") for word in words[2:])
    assert asked.keys() <= {"WORLD", "EVENT", "FORMAT", "REPORT"}
    assert asked.get("WORLD", "healthy") in WORLDS
    assert (ROOT / asked.get("EVENT", "README.md")).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        file, _, anchor = target.partition("#")
        path = page.parent / file if file else page
        assert path.exists(), target
        headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


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
    shown = [block.splitlines() for block in blocks(ROOT / "docs/alerts.md", "") if block.startswith("Subject: ")]
    assert len(shown) == 4
    for subject, *body in shown:
        lines = published[subject.removeprefix("Subject: ")]
        assert [line for line in body if line not in lines] == []


def test_a_subscription_with_the_documented_filter_gets_what_is_urgent_only() -> None:
    [words] = commands("aws sns subscribe")
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
