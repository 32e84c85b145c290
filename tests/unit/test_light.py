"""Light dataclasses do what the standard library's do, for whatever fields they have."""

import copy
import dataclasses
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails import light

NAMES = ("a", "b", "c", "d")
VALUES = st.sampled_from(["x", 1, None, (), ("y",)])


def made(decorate: Any, names: tuple[str, ...], defaults: Mapping[str, object], *, kw_only: bool) -> Any:
    """A class with these fields, the last of which may have defaults."""
    body = {"__annotations__": dict.fromkeys(names, object), "__qualname__": "Record", "__doc__": "It.", **defaults}
    cls = type("Record", (), {**body, "first": property(lambda self: getattr(self, names[0]))})
    return decorate(frozen=True, kw_only=kw_only, slots=True)(cls)


@st.composite
def both(draw: st.DrawFn) -> tuple[Any, Any, tuple[str, ...]]:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    with_default = names[draw(st.integers(0, len(names))) :]
    defaults = {name: draw(VALUES) for name in with_default}
    kw_only = draw(st.booleans())
    mine, theirs = (made(one, names, defaults, kw_only=kw_only) for one in (light.dataclass, dataclasses.dataclass))
    return mine, theirs, names


@given(both(), st.dictionaries(st.sampled_from((*NAMES, "other")), VALUES), st.lists(VALUES, max_size=5))
def test_it_is_made_of_the_same_and_refuses_the_same(
    classes: tuple[Any, Any, tuple[str, ...]], named: dict[str, object], ordered: list[object]
) -> None:
    mine, theirs, names = classes
    try:
        expected = theirs(*ordered, **named)
    except TypeError:
        with pytest.raises(TypeError):
            mine(*ordered, **named)
        return
    record = mine(*ordered, **named)
    assert dataclasses.asdict(record) == dataclasses.asdict(expected)
    assert repr(record) == repr(expected)
    assert hash(record) == hash(expected)
    assert record.first == expected.first
    assert light.names(record) == tuple(one.name for one in dataclasses.fields(record)) == names
    assert mine.__match_args__ == theirs.__match_args__


@given(both(), st.dictionaries(st.sampled_from(NAMES), VALUES), st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_it_compares_and_is_replaced_as_theirs(
    classes: tuple[Any, Any, tuple[str, ...]], one: dict[str, object], other: dict[str, object]
) -> None:
    mine, theirs, names = classes
    full = dict.fromkeys(names, "full")
    one, other = ({name: value for name, value in each.items() if name in names} for each in (one, other))
    my, your = mine(**full | one), theirs(**full | one)
    assert (my == mine(**full | other)) == (your == theirs(**full | other))
    assert my != your
    assert dataclasses.asdict(light.replace(my, **other)) == dataclasses.asdict(dataclasses.replace(your, **other))
    assert dataclasses.replace(my, **other) == copy.replace(my, **other) == light.replace(my, **other)
    with pytest.raises(TypeError):
        light.replace(my, none=1)
    assert copy.deepcopy(my) == copy.copy(my) == my


@light.dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """At the top of a module, so that it can be pickled; what is made for each is nobody else's."""

    name: str
    secret: str = dataclasses.field(default="", repr=False)
    found: dict[str, int] = dataclasses.field(default_factory=dict)


def test_fields_of_the_library_count() -> None:
    one, other = Kept(name="x", secret="s"), Kept(name="y")
    assert repr(one) == "Kept(name='x', found={})"
    one.found["a"] = 1
    assert (other.found, other.secret) == ({}, "")
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  # our own
    assert dataclasses.is_dataclass(Kept)


def test_it_is_frozen_and_takes_nothing_more() -> None:
    record: Any = Kept(name="x")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        record.name = "y"
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'name'"):
        del record.name
    assert not hasattr(record, "__dict__")


def test_what_is_wrong_is_named() -> None:
    kept: Any = Kept
    with pytest.raises(TypeError, match="Kept needs name and has no nme"):
        kept(nme="x")
    with pytest.raises(TypeError, match="Kept takes each field once, by name"):
        kept("x")
    with pytest.raises(TypeError, match="are frozen and have slots"):
        light.dataclass(frozen=False, kw_only=True, slots=True)(type("Other", (), {"__annotations__": {}}))
