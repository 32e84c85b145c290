"""Whatever arrives, an event is understood, ignored with a reason, or refused by the field that cannot be read."""

import copy
import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.drift import Change, parse_change
from apprunner_guardrails.events import EXPLAINED, FAILED, BadEvent, FailedCall, Ignored, Trigger, concerns_rules, parse
from apprunner_guardrails.paths import triggers as paths
from apprunner_guardrails.paths.triggers import PathChange, parse_path_change
from tests.path_events import WATCHED, watched

SAMPLES = tuple(json.loads(path.read_text()) for path in sorted((Path(__file__).parents[2] / "events").glob("*.json")))

PATH_CALLS = tuple(watched(*call) for call in WATCHED)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
known_words = st.sampled_from(
    (
        *("aws.ec2", "ec2.amazonaws.com", "CreateVpcEndpoint", "TagResource", "apprunner-guardrails:exempt:AR101"),
        *("aws.apprunner", "apprunner.amazonaws.com", "CreateService", "UpdateServiceFailed", "AssumedRole", "Root"),
        *("aws.apigateway", "aws.elasticloadbalancing", "AddTags", "CreateDeployment", "ModifyListener", "***"),
        *("arn:aws:apigateway:us-east-1::/restapis/a1b2c3d4e5/stages/live", "vpce-1", "eni-1", "*", "$[({"),
        *("HIDDEN_DUE_TO_SECURITY_REASONS", "true", "", "arn:aws:apprunner:us-east-1:111122223333:service/a/b"),
    )
)
keys = st.sampled_from(
    (
        *("source", "detail-type", "detail", "eventName", "eventSource", "errorCode", "requestParameters"),
        *("responseElements", "service", "serviceArn", "userIdentity", "type", "arn", "resources", "operationStatus"),
        *(
            "tags",
            "tagKeys",
            "key",
            "resourceArn",
            "omitted",
            "networkConfiguration",
            "egressConfiguration",
            "egressType",
        ),
        *("items", "item", "content", "tagSet", "tagResourceInput", "listeners", "restApiId", "apiId", "dryRun"),
    )
)
values = st.recursive(
    scalars | known_words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=5), inner, max_size=6),
    max_leaves=12,
)


def _paths(value: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value, the whole first."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, one in inside for path in _paths(one, (*here, key)))]


@st.composite
def mutated(draw: st.DrawFn, samples: tuple[object, ...]) -> object:
    """A real-shaped event of which a few places are replaced, taken away or wrapped."""
    event: Any = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_paths(event)[1:] or [()]))
        if not path:
            return draw(values)
        parent = event
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.sampled_from(("replace", "take away", "wrap"))):
            case "replace":
                parent[path[-1]] = draw(values)
            case "take away":
                del parent[path[-1]]
            case _:
                parent[path[-1]] = [parent[path[-1]]]
    return event


def _is_understood_ignored_or_refused(event: object) -> None:
    try:
        parsed = parse(event)
    except BadEvent as bad:
        assert " should be " in str(bad)  # noqa: PT017 - that it is raised is allowed, not demanded
        return
    if isinstance(parsed, Ignored):
        assert parsed.why != ""
        return
    assert [text for text in (parsed.account, parsed.region, parsed.what) if not text] == []
    if isinstance(parsed, FailedCall):
        assert parsed.what in {*FAILED, *(name for _, name in EXPLAINED)}
    else:
        assert re.fullmatch(r"arn:aws[a-z-]*:apprunner:[a-z0-9-]+:[0-9]{12}:[a-z]+/\S+", parsed.resource)
        assert concerns_rules(parsed, ("*",))
        if parsed.egress is not None:
            assert parsed.egress.kind == ("VPC" if parsed.egress.connector_arn else "DEFAULT")


@given(event=values)
def test_any_json_is_understood_ignored_or_refused(event: object) -> None:
    _is_understood_ignored_or_refused(event)


@given(event=mutated(SAMPLES))
def test_any_change_to_a_real_event_is_understood_ignored_or_refused(event: object) -> None:
    _is_understood_ignored_or_refused(event)


def test_the_samples_are_events_of_which_some_are_understood() -> None:
    assert {type(parse(event)) for event in SAMPLES} == {Trigger, FailedCall, Ignored}


def _is_a_path_change_ignored_or_refused(event: object) -> None:
    try:
        parsed = parse_path_change(event)
    except BadEvent as bad:
        assert " should be " in str(bad)  # noqa: PT017 - that it is raised is allowed, not demanded
        return
    if isinstance(parsed, Ignored):
        assert parsed.why != ""
        return
    assert (parsed.names, len(parsed.names) > 0) == (tuple(sorted(set(parsed.names))), True)
    assert [name for name in parsed.names if not re.fullmatch(r"\S{4,400}", name)] == []
    assert [name for name in parsed.names if ":listener" in name or "/app/" in name] == []
    assert parsed.what in {name for _, name in (*paths.CALLS, *paths.TAGGING)}
    assert re.fullmatch(r"[0-9]{12}", parsed.account)


@given(event=values)
def test_any_json_is_a_path_change_ignored_or_refused(event: object) -> None:
    _is_a_path_change_ignored_or_refused(event)


@given(event=mutated((*SAMPLES, *PATH_CALLS)))
def test_any_change_to_a_real_event_is_a_path_change_ignored_or_refused(event: object) -> None:
    _is_a_path_change_ignored_or_refused(event)


@given(event=st.sampled_from((*SAMPLES, *PATH_CALLS)) | mutated((*SAMPLES, *PATH_CALLS)))
def test_no_event_is_understood_in_two_ways(event: object) -> None:
    """So the order in which they are tried decides nothing but why an event is ignored."""
    try:
        understood = [one(event) for one in (parse, parse_change, parse_path_change)]
    except BadEvent:
        return
    assert len([one for one in understood if isinstance(one, (Trigger, FailedCall, Change, PathChange))]) <= 1


def test_every_watched_call_of_paths_is_a_path_change() -> None:
    assert {type(parse_path_change(event)) for event in PATH_CALLS} == {PathChange}
