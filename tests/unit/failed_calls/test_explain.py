"""What is told of each cause, whole, as explanations.txt has it; and what no message, name or record can do to it.

To renew it, and then read the difference: PYTHONPATH=layers/guardrails:. python -m tests.unit.failed_calls.test_explain
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.alerts import Explanation
from apprunner_guardrails.events import EXPLAINED, FAILED, FailedCall
from apprunner_guardrails.failed_calls.explain import explanation
from apprunner_guardrails.failed_calls.seen import Seen
from tests.unit.failed_calls.calls import failed, refused
from tests.unit.failed_calls.causes import CAUSES

SESSION = botocore.session.get_session()
HOSTILE = "\n[HIGH] AR102 forged\r\x1b[2J\u202e\u2028\ud800<b>&<script>`$(reboot)`'\";|"
STORED = Path(__file__).parent / "explanations.txt"
CALLS = [name for _, name in EXPLAINED]


def written(explained: Explanation) -> str:
    """All of an explanation but the failed call."""
    return "\n".join(_written(explained))


def _written(explained: Explanation) -> Iterator[str]:
    yield f"{explained.severity} {explained.title}"
    yield explained.what
    yield from (f"  cause: {cause}" for cause in explained.causes)
    yield from (f"  $ {line}" for line in explained.commands.splitlines())
    yield f"  see: {explained.reference}"
    yield f"  key: {explained.cause}"
    yield from (f"  unread: {one}" for one in explained.unread)


EXPLAINED_CAUSES: Mapping[str, Explanation] = {name: explanation(call, seen) for name, (call, seen) in CAUSES.items()}
LINES = sorted(
    {line for one in EXPLAINED_CAUSES.values() for line in one.commands.splitlines() if not line.startswith("#")}
)


def stored() -> dict[str, str]:
    sections = STORED.read_text(encoding="utf-8").removeprefix("## ").removesuffix("\n").split("\n\n## ")
    return dict(section.split("\n", 1) for section in sections)


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_is_told_as_it_is_stored(name: str) -> None:
    assert written(EXPLAINED_CAUSES[name]) == stored()[name]
    assert EXPLAINED_CAUSES[name].failed == CAUSES[name][0]


def test_nothing_is_stored_that_is_no_cause() -> None:
    assert list(stored()) == list(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_the_order_in_which_aws_lists_things_changes_nothing(name: str) -> None:
    call, seen = CAUSES[name]
    lists = ("connectors", "services", "service_arns", "ingress", "endpoints", "subnets", "zones", "zones_offered")
    backwards: dict[str, Any] = {
        one: tuple(reversed(facts)) for one in lists if isinstance(facts := getattr(seen, one), tuple)
    }
    assert explanation(call, replace(seen, **backwards)) == explanation(call, seen)


@pytest.mark.parametrize("line", LINES)
def test_a_command_names_an_operation_and_parameters_that_the_api_has(line: str) -> None:
    program, service, name, *words = shlex.split(line)
    assert program == "aws"
    if (service, name) == ("logs", "tail"):  # the CLI's own
        assert [word for word in words if word.startswith("--")] == ["--region", "--since"]
        return
    model = SESSION.get_service_model(service)
    operation = next(model.operation_model(one) for one in model.operation_names if xform_name(one, "-") == name)
    assert operation.input_shape
    members = {xform_name(member, "-"): member for member in operation.input_shape.members}
    given = {word.removeprefix("--").removeprefix("no-") for word in words if word.startswith("--")}
    given -= {"region", "query"}  # the CLI's own
    assert given - set(members) == set()
    assert set(operation.input_shape.required_members) - {members[one] for one in given} == set()


@pytest.mark.parametrize("name", CAUSES)
def test_links_stand_where_no_channel_breaks_them(name: str) -> None:
    """Chat takes the links out of all that may come from outside."""
    told = EXPLAINED_CAUSES[name]
    assert [text for text in (told.title, told.what, *told.causes, told.commands) if "://" in text] == []
    assert told.reference.startswith("https://")


def test_refusals_for_different_reasons_are_different_causes() -> None:
    """Each is told to the same caller within the hour."""
    names = [
        "another endpoint has the private name",
        "EC2 names a subnet in a zone that is offered, and another endpoint has the private name",
        "EC2 names one of two subnets in a zone",
        "EC2 speaks of a security group, and another endpoint has the private name",
    ]
    assert len({EXPLAINED_CAUSES[name].cause for name in names}) == len(names)


@pytest.mark.parametrize("name", ["a connector of that name exists", "a service of that name exists"])
def test_a_name_that_the_answer_does_not_speak_of_is_not_the_reason(name: str) -> None:
    told, unsaid = EXPLAINED_CAUSES[name], EXPLAINED_CAUSES[f"{name}, of which App Runner does not speak"]
    assert told.title.endswith("exists already")
    assert unsaid.title.endswith("could not be created")
    assert "no reason that fits the answer" in unsaid.what


def outside(name: str, call: FailedCall, text: str) -> tuple[str, ...]:
    """What is told of a cause when the call's own texts are hostile."""
    hostile = replace(call, message=text, code=call.code and f"{call.code}{text}", resource=text)
    explained = explanation(hostile, CAUSES[name][1])
    return (explained.title, explained.what, *explained.causes, *explained.commands.split("\n"), explained.cause)


@pytest.mark.parametrize("name", CAUSES)
@pytest.mark.parametrize("text", [HOSTILE, "\n" * 5000, "A" * 5_000_000, "\ud800" * 100_000])
def test_texts_from_outside_break_no_line_and_swamp_nothing(name: str, text: str) -> None:
    lines = outside(name, CAUSES[name][0], text)
    assert [line for line in lines if not line.isprintable()] == []
    assert max(len(line) for line in lines) < 2500


@pytest.mark.parametrize("name", CAUSES)
def test_the_key_of_a_cause_is_short_printable_ascii(name: str) -> None:
    key = outside(name, CAUSES[name][0], HOSTILE)[-1]
    assert key
    assert key.isascii()
    assert key.isprintable()
    assert len(key) <= 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["HIDDEN_DUE_TO_SECURITY_REASONS", "", HOSTILE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["subnetId", "content"]), inner),
    max_leaves=4,
)
MEMBERS = st.sampled_from(
    [
        "CreateVpcEndpointRequest",
        "ingressVpcConfiguration",
        "networkConfiguration",
        "securityGroups",
        "serviceArn",
        "serviceName",
        "subnets",
        "vpcConnectorArn",
        "vpcConnectorName",
        "vpcIngressConnectionArn",
        "vpcIngressConnectionName",
    ]
)


@given(what=st.sampled_from(CALLS), request=st.dictionaries(MEMBERS, JSON), code=st.sampled_from(["", "NotFound", "X"]))
def test_a_record_of_any_shape_is_explained(what: str, request: dict[str, object], code: str) -> None:
    explained = explanation(refused(what, request, code, HOSTILE), Seen())
    lines = (explained.title, explained.what, *explained.causes, *explained.commands.split("\n"))
    assert [line for line in lines if not line.isprintable()] == []


def test_hostile_names_are_words_that_no_shell_runs() -> None:
    call = refused("CreateVpcConnector", {"vpcConnectorName": "a; rm -rf ~ `id`", "subnets": ["subnet-1", "$(reboot)"]})
    seen = CAUSES["the connector is asked for in two VPCs"][1]
    (line,) = explanation(call, seen).commands.splitlines()
    words = shlex.split(line)
    assert words[words.index("--vpc-connector-name") + 1] == "a; rm -rf ~ `id`"
    assert "$(reboot)" not in line


@pytest.mark.parametrize("name", ["file:///home/me/.aws/credentials", "fileb://x", "https://example.com/", "--debug"])
@pytest.mark.parametrize(
    ("what", "member", "option"),
    [
        ("CreateVpcConnector", "vpcConnectorName", "--vpc-connector-name"),
        ("CreateVpcIngressConnection", "vpcIngressConnectionName", "--vpc-ingress-connection-name"),
    ],
)
def test_a_name_that_the_cli_would_read_otherwise_is_left_to_the_reader(
    what: str, member: str, option: str, name: str
) -> None:
    seen = CAUSES["the connector is asked for in two VPCs"][1] if what == "CreateVpcConnector" else Seen()
    request = {"subnets": ["subnet-private-1", "subnet-private-4"], member: name}
    commands = explanation(refused(what, request), seen).commands
    words = shlex.split(commands)
    assert words[words.index(option) + 1] == "NAME"
    assert name not in commands


def test_every_call_and_operation_that_is_parsed_has_an_explanation_of_its_own() -> None:
    generic = explanation(refused("ResumeService", {}, "X"), Seen()).what
    assert [what for what in CALLS if explanation(refused(what, {}, "X"), Seen()).what == generic] == []
    titles = {explanation(failed(status), Seen()).title for status in FAILED}
    assert len(titles) == len(FAILED)


def test_what_was_not_asked_is_never_unread() -> None:
    assert Seen().unread == ()
    assert all(getattr(Seen(), field.name) in (None, ()) for field in fields(Seen))


if __name__ == "__main__":
    texts = (f"## {name}\n{written(one)}" for name, one in EXPLAINED_CAUSES.items())
    STORED.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
