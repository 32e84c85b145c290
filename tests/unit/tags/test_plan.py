"""Who, when and with what → the tags that are missing, in what every service takes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.callers import Who, tool
from apprunner_guardrails.settings import KEY_LENGTH
from apprunner_guardrails.tags.created import Created, Kind
from apprunner_guardrails.tags.plan import MOST, VALUE_LENGTH, cleaned, keys, plan, wanted
from tests.samples import SERVICE, SETTINGS

CREATED = Created(
    id="event-1",
    what="CreateService",
    kind=Kind.APP_RUNNER,
    arn=SERVICE,
    given={},
    by=Who(kind="AssumedRole", name="Admin", session="dana.ortiz@example.com"),
    tool="AWS CLI",
    time="2026-11-21T09:00:01Z",
)
TAGS = {"created-by": "Admin/dana.ortiz", "created-at": "2026-11-21T09:00:01Z", "created-with": "CLI"}
NOBODY = replace(CREATED, by=Who(kind="Unknown"), tool="", time="")
TEAM = {"team": "shop", "cost-center": "4711"}


def in_order(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(tags.items())


# What something should have -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "settings", "expected"),
    [
        pytest.param(CREATED, SETTINGS, TAGS, id="who, when and with what"),
        pytest.param(
            CREATED,
            replace(SETTINGS, emails_in_tags=True),
            {**TAGS, "created-by": "Admin/dana.ortiz@example.com"},
            id="with addresses",
        ),
        pytest.param(
            CREATED,
            replace(SETTINGS, default_tags=TEAM),
            {**TAGS, "cost-center": "4711", "team": "shop"},
            id="and the defaults, by their keys",
        ),
        pytest.param(
            CREATED,
            replace(SETTINGS, created_by_tag="owner", created_at_tag="", created_with_tag="Tool"),
            {"owner": "Admin/dana.ortiz", "Tool": "CLI"},
            id="by other names, and one switched off",
        ),
        pytest.param(
            CREATED, replace(SETTINGS, created_by_tag="", created_at_tag="", created_with_tag=""), {}, id="none"
        ),
        pytest.param(NOBODY, SETTINGS, {}, id="of nothing that is known"),
        pytest.param(
            NOBODY,
            replace(SETTINGS, default_tags={"created-by": "unknown", "note": ""}),
            {"created-by": "unknown", "note": ""},
            id="a default where nothing is known, and an empty one",
        ),
        pytest.param(
            CREATED,
            replace(SETTINGS, default_tags={"created-by": "unknown", "team": "shop"}),
            {**TAGS, "team": "shop"},
            id="no default where something is known",
        ),
        pytest.param(
            CREATED,
            replace(SETTINGS, created_by_tag="made", created_at_tag="made", created_with_tag="made"),
            {"made": "Admin/dana.ortiz"},
            id="of three with one key the first",
        ),
        pytest.param(
            NOBODY,
            replace(SETTINGS, created_by_tag="made", created_at_tag="made", default_tags={"": "x", "made": "y"}),
            {"made": "y"},
            id="of those with one key the first that is known, and no default without a key",
        ),
    ],
)
def test_what_is_made_should_have_its_tags_in_order(created: Created, settings: Any, expected: dict[str, str]) -> None:
    assert in_order(wanted(created, settings)) == in_order(expected)


# What the five words of the documentation stand for; whatever else there is has its own name.
@pytest.mark.parametrize(
    ("record", "word"),
    [
        ({"userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "sessionCredentialFromConsole": "true"}, "console"),
        ({"userAgent": "aws-cli/2.31.0 md/awscrt#0.28.2"}, "CLI"),
        ({"userAgent": "aws-cli/2.31.0 exec-env/CloudShell", "sessionCredentialFromConsole": "true"}, "CLI"),
        ({"userAgent": "Boto3/1.40.0 md/Botocore#1.40.0"}, "SDK"),
        ({"userAgent": "aws-sdk-go-v2/1.36.0 os/linux"}, "SDK"),
        (
            {"userIdentity": {"invokedBy": "cloudformation.amazonaws.com"}, "sessionCredentialFromConsole": "true"},
            "CloudFormation",
        ),
        ({"userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 terraform-provider-aws/6.1.0"}, "Terraform"),
        ({"userAgent": "APN/1.0 HashiCorp/1.0 OpenTofu/1.10.2 terraform-provider-aws/6.1.0"}, "OpenTofu"),
        ({"userAgent": "APN/1.0 Pulumi/1.0 PulumiAWS/7.0"}, "Pulumi"),
        ({"userIdentity": {"invokedBy": "cloudcontrolapi.amazonaws.com"}}, "cloudcontrolapi.amazonaws.com"),
        ({"userAgent": "curl/8.9.1"}, "curl"),
    ],
)
def test_the_tag_has_one_word_for_each_kind_of_tool(record: Mapping[str, object], word: str) -> None:
    assert wanted(replace(CREATED, tool=tool(record)), SETTINGS) == {**TAGS, "created-with": word}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (SETTINGS, {"created-by", "created-at", "created-with"}),
        (replace(SETTINGS, default_tags=TEAM), {"created-by", "created-at", "created-with", "team", "cost-center"}),
        (replace(SETTINGS, created_by_tag="", created_at_tag="owner", created_with_tag="owner"), {"owner"}),
        (
            replace(SETTINGS, created_by_tag="", created_at_tag="", default_tags={"aws:x": "y", "a(b)": "c"}),
            {"created-with", "a-b-"},
        ),
    ],
)
def test_the_keys_are_known_before_anything_is_made(settings: Any, expected: set[str]) -> None:
    assert keys(settings) == expected


# What is missing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "existing", "expected"),
    [
        pytest.param(TAGS, (), TAGS, id="all"),
        pytest.param(TAGS, TAGS, {}, id="nothing"),
        pytest.param(
            TAGS, ("created-at", "team"), {key: TAGS[key] for key in ("created-by", "created-with")}, id="two"
        ),
        pytest.param({"team": "shop"}, ("Team",), {"team": "shop"}, id="the same key in other letters is another"),
        pytest.param({"a(b)": "x"}, ("a(b)",), {}, id="a key that is there as it was asked for"),
        pytest.param({"a(b)": "x"}, ("a-b-",), {}, id="a key that is there as it would be put"),
        pytest.param({"a(b)": "x", "a-b-": "y"}, (), {"a-b-": "x"}, id="of two that become one the first"),
        pytest.param({"": "x", " ": "y", "\u200b": "z"}, (), {}, id="keys of nothing"),
        pytest.param({"team": ""}, (), {"team": ""}, id="an empty value"),
    ],
)
def test_what_is_not_there_is_added(tags: dict[str, str], existing: Any, expected: dict[str, str]) -> None:
    assert in_order(plan(tags, existing)) == in_order(expected)


@pytest.mark.parametrize(
    "key",
    [
        *("aws:x", "AWS:x", "Aws:", " aws:x", "\u200baws:x", "a\u00adws:x", "aw\u017f:x"),
        *("apprunner-guardrails:endpoint", "AppRunner-Guardrails:exempt:AR101", "\tapprunner-guardrails:x"),
    ],
)
def test_keys_that_are_not_ours_to_put_are_left_out(key: str) -> None:
    assert plan({key: "x", "team": "shop"}, ()) == {"team": "shop"}


@pytest.mark.parametrize("key", ["aws", "awsome:x", "my-aws:x", "apprunner-guardrails", "apprunner:x"])
def test_keys_that_only_look_so_are_put(key: str) -> None:
    assert plan({key: "x"}, ()) == {key: "x"}


@pytest.mark.parametrize(
    ("value", "put"),
    [
        ("aws:ec2-instance", "aws-ec2-instance"),
        ("AWS:x:y", "AWS-x:y"),
        (" aws:", "aws-"),
        ("a\u200bws:x", "aws-x"),
        ("aws", "aws"),
        ("Admin/aws:x", "Admin/aws:x"),
    ],
)
def test_no_value_begins_as_keys_of_aws_do(value: str, put: str) -> None:
    assert plan({"created-by": value}, ()) == {"created-by": put}


@pytest.mark.parametrize(
    ("existing", "added"), [(0, 3), (46, 3), (47, 3), (48, 2), (49, 1), (50, 0), (51, 0), (90, 0)], ids=str
)
def test_there_are_never_more_than_fifty_and_the_first_come_first(existing: int, added: int) -> None:
    there = [f"key-{number}" for number in range(existing)]
    assert in_order(plan(TAGS, there)) == in_order(TAGS)[:added]


def test_tags_of_aws_count_among_the_fifty() -> None:
    there = ["aws:cloudformation:stack-name", *(f"key-{number}" for number in range(MOST - 2))]
    assert in_order(plan(TAGS, there)) == in_order(TAGS)[:1]


# Characters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("Az09 _.:/=+-@", "Az09 _.:/=+-@", id="what every service takes"),
        pytest.param("weber,jonas", "weber-jonas", id="a comma, which names of sessions may have"),
        pytest.param("a'b(c)d*e#f&g|h\\i~j", "a-b-c-d-e-f-g-h-i-j", id="other signs"),
        pytest.param("  x  ", "x", id="spaces around"),
        pytest.param("a\tb\nc\r\nd\x1fe", "a b c  d e", id="what breaks lines, and the like"),
        pytest.param("a\u00a0b\u2003c\u2028d\u2029e\u3000f", "a b c d e f", id="other spaces"),
        pytest.param("jose\u0301", "jos\u00e9", id="a letter in two characters"),
        pytest.param("x\u0303", "x-", id="a mark that is part of no letter"),
        pytest.param("\u043c\u0430\u0440\u0438\u044f", "\u043c\u0430\u0440\u0438\u044f", id="another script"),
        pytest.param("\u05d3\u05e0\u05d4\u200f \u202eabc\u202c", "\u05d3\u05e0\u05d4 abc", id="from right to left"),
        pytest.param("\u0967\u00b2\u2167", "\u0967\u00b2\u2167", id="numbers of all kinds"),
        pytest.param("al\u200bi\u2060ce\ufeff\u00ad", "alice", id="what is invisible"),
        pytest.param("\U0001f469\u200d\U0001f4bb!", "---", id="emoji"),
        pytest.param("\ud83d\ude00\udcff", "---", id="halves of characters"),
        pytest.param("\u1100\u200b\u1161", "\uac00", id="a letter whose parts something invisible kept apart"),
        pytest.param("\x00\x7f\ue000\u0378", "----", id="what is no character"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_other_characters_are_replaced(said: str, expected: str) -> None:
    assert cleaned(said, 255) == expected


@pytest.mark.parametrize(
    ("said", "length", "expected"),
    [
        pytest.param("x" * 127, 127, "x" * 127, id="as long as may be"),
        pytest.param("x" * 128, 127, "x" * 127, id="longer by one"),
        pytest.param(" " + "x" * 5, 3, "xxx", id="spaces around do not count"),
        pytest.param("xx x", 3, "xx", id="no space at the cut"),
        pytest.param("\U00020000" * 3, 4, "\U00020000" * 2, id="a letter that counts twice"),
        pytest.param("\U00020000" * 3, 5, "\U00020000" * 2, id="no half of such a letter"),
    ],
)
def test_what_is_too_long_is_cut(said: str, length: int, expected: str) -> None:
    assert cleaned(said, length) == expected


def test_keys_and_values_are_cut_to_the_shortest_that_a_service_documents() -> None:
    assert plan({"k" * 300: "v" * 300}, ()) == {"k" * KEY_LENGTH: "v" * VALUE_LENGTH}
    assert (KEY_LENGTH, VALUE_LENGTH, MOST) == (127, 255, 50)
