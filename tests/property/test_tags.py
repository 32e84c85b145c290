"""Ownership tags, whatever was created, by whomever, and whatever is there: they only add, once, what AWS takes, never
too many, and no address unless they may."""

import copy
import itertools
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from apprunner_guardrails.callers import caller, who
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import CALLS, Created, parse
from apprunner_guardrails.tags.people import person
from apprunner_guardrails.tags.plan import cleaned, keys, plan, wanted
from tests.creations import MADE, creation
from tests.samples import SETTINGS

MOST, KEY_LENGTH, VALUE_LENGTH = 50, 127, 255
OWN = ("created-by", "created-at", "created-with")

# Characters that go wrong: composed and not, marks, halves of surrogates, invisible ones, right to left, line breaks,
# digits of other scripts, letters beyond 16 bits, and those that become others in lower case.
_ODD = (
    "\u00e9e\u0301\u0301\u0327\u1100\u1161\u11a8\uac00\ud83d\ude00\udcff\U0001f600\U0001f469\u200d\ufe0f\u200b\ufeff"
    "\u202e\u05d0\u0627\u00ad\n\r\t\x00\x1f\x85\u2028\u2029\u00a0\u3000\u0967\u00b2\u2167\U00020000\U0001d400\u017f"
    "\u212a\u0130\u00df\ufb01\uff20\uff1a\u0378\ue000\u0903\u0e33"
)
characters = st.sampled_from(_ODD) | st.sampled_from("aZ09 _.:/=+-@,'()*#&") | st.characters(codec=None)
# Those that become one, or may not.
together = st.sampled_from(("e\u0301", "\u1100\u1161", "\u1100\u200b\u1161", "e\u200b\u0301", "-\u0338", " \u0301"))
short = st.lists(characters | together, max_size=20).map("".join)
texts = short | st.builds(lambda part, times: (part * times)[:300], short, st.integers(1, 300))
REAL_KEYS = (
    *("created-by", "Created-By", "team", "Name", "cost-center", "", " ", "aws:", "AWS:x", " aws:cloudformation:stack"),
    *("a\u200bws:x", "aw\u017f:x", "apprunner-guardrails:endpoint", "AppRunner-Guardrails:exempt:AR101", "\ufeffaws:x"),
    *("apprunner-guardrails\u200b:endpoint", "\tapprunner-guardrails:reaches", "k" * 127, "k" * 128, "k" * 126 + " k"),
)
tag_keys = st.sampled_from(REAL_KEYS) | texts
tag_values = st.sampled_from(("", "aws:x", " AWS:y", "aw\u017f:z", "aws\u200b:q", "aws", "shop")) | texts
tags = st.dictionaries(tag_keys, tag_values, max_size=6)
# What a resource has, mostly little, at times nearly all that it can have.
existing = st.builds(
    lambda some, count: frozenset(some) | {f"key-{number}" for number in range(count)},
    st.lists(tag_keys, max_size=6),
    st.just(0) | st.integers(44, 55),
)


def _is_in_the_set(character: str) -> bool:
    r"""[\p{L}\p{Z}\p{N}_.:/=+\-@], of separators the space alone: App Runner takes no line breaks."""
    return unicodedata.category(character)[0] in "LN" or character in " _.:/=+-@"


def _what_is_wrong(said: str, most: int) -> list[str]:
    """Why AWS might refuse a key or a value: by the narrowest of the three services, and however it counts."""
    return [
        *(f"{character!r} in it" for character in said if not _is_in_the_set(character)),
        *(["too long"] if max(len(said), len(said.encode("utf-16-le", "surrogatepass")) // 2) > most else []),
        *(["a space at an end"] if said != said.strip() else []),
        *(["not composed"] if said != unicodedata.normalize("NFC", said) else []),
        *(["AWS's"] if any(one.startswith("aws:") for one in (said.lower(), said.casefold())) else []),
    ]


def _is_for_the_guardrails(key: str) -> bool:
    return any(one.startswith("apprunner-guardrails:") for one in (key.lower(), key.casefold()))


# The plan -------------------------------------------------------------------------------------------------------------


@given(asked=tags, there=existing)
@example(asked={f"tag-{number}": "x" for number in range(60)}, there=frozenset())
@example(asked={"a(b)": "x", "a-b-": "y", "a)b(": "z"}, there=frozenset())
def test_a_plan_only_adds_what_is_not_there_as_far_as_there_is_room(
    asked: dict[str, str], there: frozenset[str]
) -> None:
    added = plan(asked, there)
    assert there.isdisjoint(added)
    assert not added or len(there) + len(added) <= MOST
    assert [key for key in added if not key or _is_for_the_guardrails(key)] == []
    assert {key: wrong for key in added if (wrong := _what_is_wrong(key, KEY_LENGTH))} == {}
    assert {value: wrong for value in added.values() if (wrong := _what_is_wrong(value, VALUE_LENGTH))} == {}


@given(asked=tags, there=existing)
@example(asked={"team": "shop", "Team": "shop"}, there=frozenset({"TEAM"}))
def test_nothing_that_could_be_added_is_forgotten(asked: dict[str, str], there: frozenset[str]) -> None:
    """Each key that AWS takes as it is comes, unless it is there, or there is no room for it."""
    added = plan(asked, there)
    plain = [key for key in asked if key and not _what_is_wrong(key, KEY_LENGTH) and not _is_for_the_guardrails(key)]
    missing = [key for key in plain if key not in there and key not in added]
    assert missing == [] or len(there) + len(added) >= MOST


@given(asked=tags, there=existing)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(asked: dict[str, str], there: frozenset[str]) -> None:
    added = plan(asked, there)
    assert plan(asked, there | added.keys()) == {}
    assert plan(added, there) == added


@given(asked=tags, there=existing, some=st.data())
def test_what_somebody_adds_meanwhile_takes_only_that_from_a_plan(
    asked: dict[str, str], there: frozenset[str], some: st.DataObject
) -> None:
    added = plan(asked, there)
    assume(added and len(there) + len(added) < MOST)
    taken = some.draw(st.sets(st.sampled_from(sorted(added)), min_size=1))
    rest = {key: value for key, value in added.items() if key not in taken}
    assert plan(asked, there | taken) == rest


@given(asked=tags, there=existing)
@example(asked={"a(b)": "x", "a-b-": "y", "a)b(": "z"}, there=frozenset())
@example(asked={"a(b)": "x", "a-b-": "y", "a)b(": "z"}, there=frozenset({"a(b)"}))
def test_a_plan_is_in_the_order_of_what_is_asked_for_and_the_same_each_time(
    asked: dict[str, str], there: frozenset[str]
) -> None:
    added = list(plan(asked, there).items())
    first: dict[str, str] = {}  # by the key that it becomes: the first that is asked for, in the order of asking
    for one in asked:
        if one not in there:
            first.setdefault(cleaned(one, KEY_LENGTH), one)
    assert [key for key, _ in added] == [key for key in first if key in dict(added)]
    assert [plan({first[key]: asked[first[key]]}, ()) for key, _ in added] == [{key: value} for key, value in added]
    assert list(plan(dict(asked), frozenset(sorted(there, reverse=True))).items()) == added
    assert list(plan(asked, dict.fromkeys(sorted(there), "")).items()) == added


@given(asked=tags, count=st.integers(0, 50))
def test_the_first_come_first_where_there_is_no_room_for_all(asked: dict[str, str], count: int) -> None:
    there = [f"key-{number}" for number in range(count)]
    assume(not any(key.startswith("key-") for key in asked))
    everything = list(plan(asked, ()).items())
    assert list(plan(asked, there).items()) == everything[: MOST - count]


@given(said=texts, length=st.integers(0, 300))
def test_what_is_clean_stays_as_it_is(said: str, length: int) -> None:
    clean = cleaned(said, length)
    assert cleaned(clean, length) == clean
    if not _what_is_wrong(said, length):
        assert clean == said


# Whoever calls --------------------------------------------------------------------------------------------------------

ADDRESSES = ("dana.ortiz@mail.invalid", "DANA@mail.invalid", "x@y@mail.invalid", "Dana <dana@mail.invalid>")
names = st.sampled_from(
    (
        *ADDRESSES,
        *(f"AROAEXAMPLE:{one}" for one in ADDRESSES),
        *(f"arn:aws:sts::123456789012:assumed-role/Deployer/{one}" for one in ADDRESSES),
        *(f"arn:aws:iam::123456789012:user/{one}/{one}" for one in ADDRESSES),
        *("HIDDEN_DUE_TO_SECURITY_REASONS", "", "alice", "i-0c51d7e2a94b6f380", "123456789012", "AWS Internal", "true"),
        *("arn:aws:sts::123456789012:federated-user/Bob", "aws:ec2-instance", "cloudformation.amazonaws.com", "/", "@"),
        *("Boto3/1.43.106 md/Botocore#1.43.106", "aws-cli/2.31.0", "Mozilla/5.0 (X11)", "2026-11-21T09:00:01Z"),
    )
)
kinds = st.sampled_from(
    (
        *("AWSAccount", "AWSService", "AssumedRole", "Directory", "FederatedUser", "IAMUser", "IdentityCenterUser"),
        *("Role", "Root", "SAMLUser", "Unknown", "WebIdentityUser", ""),
    )
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(characters, max_size=30)
members = st.sampled_from(
    (
        *("type", "userName", "arn", "principalId", "accountId", "invokedBy", "onBehalfOf", "userId", "inScopeOf"),
        *("sessionContext", "sessionIssuer", "sourceIdentity", "ec2RoleDelivery", "items", "item", "content", "tag"),
    )
)
values = st.recursive(
    scalars | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members | st.text(max_size=3), inner, max_size=5),
    max_leaves=10,
)
said = names | st.text(characters, max_size=300) | values
identities = values | st.fixed_dictionaries(
    {"type": kinds | values},
    optional={
        **dict.fromkeys(("userName", "arn", "principalId", "accountId", "invokedBy"), said),
        "onBehalfOf": values | st.fixed_dictionaries({"userId": said}),
        "inScopeOf": values,
        "sessionContext": values
        | st.fixed_dictionaries(
            {},
            optional={
                "sessionIssuer": values | st.fixed_dictionaries({}, optional={"userName": said, "arn": said}),
                "sourceIdentity": said,
                "ec2RoleDelivery": said,
            },
        ),
    },
)
EVENTS = tuple(creation(name, {"team": "shop"} if odd else None) for name, odd in itertools.product(MADE, (0, 1)))
SAMPLES = tuple(json.loads(path.read_text()) for path in sorted((Path(__file__).parents[2] / "events").glob("*.json")))


def _check_tags(created: Created, settings: Settings) -> None:
    tags_of = wanted(created, settings)
    added = plan(tags_of, ())
    assert set(added) <= keys(settings) <= {*OWN, *settings.default_tags}
    assert {value: wrong for value in added.values() if (wrong := _what_is_wrong(value, VALUE_LENGTH))} == {}
    assert [value for value in added.values() if "HIDDEN_DUE_TO" in value] == []
    if not settings.emails_in_tags:
        own = [added[key] for key in OWN if key in added]
        assert [value for value in own if "@" in value or "mail.invalid" in value] == []


@given(identity=identities, agent=said, emails=st.booleans())
def test_whoever_calls_is_told_in_what_aws_takes_and_without_addresses(
    identity: object, agent: object, emails: bool
) -> None:
    event = _with(EVENTS[0], userIdentity=identity, userAgent=agent)
    created = parse(event)
    assert isinstance(created, Created)
    _check_tags(created, replace(SETTINGS, emails_in_tags=emails))
    assert caller(event["detail"]).tool == created.tool


def _with(event: Mapping[str, Any], **detail: object) -> dict[str, Any]:
    return {**event, "detail": {**event["detail"], **detail}}


@given(identity=identities)
def test_without_addresses_all_else_is_told(identity: object) -> None:
    one = who({"userIdentity": identity})
    whole, cut = person(one, emails=True), person(one, emails=False)
    assert cut == re.sub(r"@[^/]*", "", whole).strip("/")


def _places(value: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value, the whole first."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, one in inside for place in _places(one, (*here, key)))]


@st.composite
def changed(draw: st.DrawFn) -> object:
    """The event of a call that creates something, or a sample, of which some places hold something else."""
    event: Any = copy.deepcopy(draw(st.sampled_from(EVENTS) | st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(event)[1:]
        told = [place for place in places if "responseElements" in place[:-1]]  # where it says what was made
        *way, last = draw(st.sampled_from(told or places) | st.sampled_from(places))
        parent = event
        for step in way:
            parent = parent[step]
        if draw(st.booleans()):
            parent[last] = draw(said)
        else:
            parent[last] = [parent[last]]
    return event


@given(event=values | changed())
def test_any_event_is_understood_ignored_or_refused(event: object) -> None:
    try:
        parsed = parse(event)
    except BadEvent as bad:
        assert re.fullmatch(r".{1,120} should .{1,300}", str(bad))  # noqa: PT017 - raising is allowed, not demanded
        return
    if isinstance(parsed, Ignored):
        assert parsed.why != ""
        return
    assert parsed.what in {name for _, name in CALLS}
    assert re.fullmatch(r"arn:aws[a-z-]*:[a-z0-9]+:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9/_-]+", parsed.arn)
    assert [key for key in parsed.given if key in ("", "HIDDEN_DUE_TO_SECURITY_REASONS")] == []
    assert (parsed.time == "") or parsed.time.endswith("Z")
    _check_tags(parsed, SETTINGS)
    assert plan(wanted(parsed, SETTINGS), {*OWN, *parsed.given}) == {}


def test_the_events_of_calls_are_understood() -> None:
    assert {type(parse(event)) for event in EVENTS} == {Created}


# Settings -------------------------------------------------------------------------------------------------------------


@given(
    own=st.lists(st.sampled_from(("", "created-by", "owner", "a\u0301", "x" * 128)), min_size=3, max_size=3),
    defaults=st.dictionaries(tag_keys, tag_values, max_size=60),
    there=existing,
)
def test_whatever_they_are_called_the_more_important_tag_of_a_key_counts(
    own: list[str], defaults: dict[str, str], there: frozenset[str]
) -> None:
    created = parse(EVENTS[0])
    assert isinstance(created, Created)
    by, at, tool = own
    settings = replace(SETTINGS, created_by_tag=by, created_at_tag=at, created_with_tag=tool, default_tags=defaults)
    told = [(by, "bob"), (at, "2026-11-21T09:00:01Z"), (tool, "CLI"), *sorted(defaults.items())]
    first = {key: value for key, value in reversed(told) if key}
    tags_of = wanted(created, settings)
    assert dict(tags_of) == first
    assert list(tags_of) == list(dict.fromkeys(key for key, _ in told if key))
    assert set(plan(tags_of, ())) == keys(settings)
    assert there.isdisjoint(plan(tags_of, there))
