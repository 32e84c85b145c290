"""Dataclasses that cost little to define.

The standard library writes and compiles the methods of every dataclass when it is defined: a millisecond each, in every
process that starts, which came to a quarter of what importing this package took (docs/performance.md). Here the methods
are the same few for all, which makes a record take as long to make, to compare and to hash as it did.

What is made is the standard library's in all that the types say and in what shows: `fields`, `asdict` and `replace` of
dataclasses take it, it is frozen, has slots, and names what it holds. There is no __post_init__ and no inheritance of
fields.
"""

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from dataclasses import dataclass as dataclass  # noqa: PLC0414  # passed on
    from dataclasses import replace as replace  # noqa: PLC0414

    type _Puts = Sequence[tuple[str, Callable[[object, object], None]]]  # what sets each field
else:

    def dataclass(*, frozen, kw_only=False, slots):
        """As dataclasses.dataclass with frozen=True and slots=True, which are named for the reader and the checker."""
        if not (frozen and slots):
            raise TypeError("light dataclasses are frozen and have slots")
        return lambda cls: _made(cls, in_order=not kw_only)

    def replace(record, /, **changes):
        """A record with other values in these fields. Raises TypeError for a field that it does not have."""
        return record.__replace__(**changes)


def names(record: object) -> tuple[str, ...]:
    """The fields of a record, or of its class."""
    return record.__slots__  # type: ignore[attr-defined,no-any-return]  # every record has them


def _made(cls: type, *, in_order: bool) -> type:
    names = tuple(cls.__annotations__)
    given = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    body = {name: value for name, value in cls.__dict__.items() if name not in (*names, "__dict__", "__weakref__")}
    body |= {"__slots__": names, "__qualname__": cls.__qualname__, "__match_args__": names if in_order else ()}
    body |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    body["__dataclass_fields__"] = _AsTheLibraryMakesThem(given, in_order=in_order)
    made = type(cls)(cls.__name__, cls.__bases__, body)
    puts = [(name, made.__dict__[name].__set__) for name in names]  # past __setattr__, which refuses
    shown = [name for name in names if not isinstance(one := given.get(name), Field) or one.repr]
    methods = dict(_as_values(puts))
    methods |= {"__init__": _init(made, puts, given, in_order=in_order), "__repr__": _repr(shown)}
    for name, method in methods.items():
        if name not in body:
            setattr(made, name, method)
    return made


def _init(cls: type, puts: "_Puts", given: "Mapping[str, Any]", *, in_order: bool) -> "Callable[..., None]":
    names, count = [name for name, _ in puts], len(puts)
    defaults, factories = _defaults(given)

    def init(self: object, /, *ordered: object, **values: object) -> None:
        if ordered:
            if not in_order or len(ordered) > count or not values.keys().isdisjoint(names[: len(ordered)]):
                raise TypeError(f"{cls.__name__} takes each field once" + (", by name" if not in_order else ""))
            values |= zip(names, ordered, strict=False)
        if len(values) != count:
            made = {name: make() for name, make in factories if name not in values}
            values = {**defaults, **made, **values}
        try:
            for name, put in puts:
                put(self, values[name])
        except KeyError:
            raise _wrong(cls, names, values) from None
        if len(values) != count:
            raise _wrong(cls, names, values)

    return init


def _as_values(puts: "_Puts") -> "Mapping[str, Callable[..., Any]]":
    """What makes a record as good as the values that it holds."""
    names = [name for name, _ in puts]
    values_of = _values_of(names)

    def eq(self: object, other: object) -> bool:
        return values_of(self) == values_of(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_of(self: object) -> int:
        return hash(values_of(self))

    def replaced(self: object, /, **changes: object) -> object:
        return self.__class__(**(dict(zip(names, values_of(self), strict=True)) | changes))

    def state_of(self: object) -> "Sequence[object]":
        return values_of(self)

    def put_state(self: object, state: "Sequence[object]") -> None:
        for (_, put), value in zip(puts, state, strict=True):
            put(self, value)

    return {
        "__eq__": eq,
        "__hash__": hash_of,
        "__replace__": replaced,
        "__getstate__": state_of,
        "__setstate__": put_state,
    }


def _repr(names: "Sequence[str]") -> "Callable[[object], str]":
    def told(self: object) -> str:
        return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return told


def _refuse_to_set(_: object, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _values_of(names: "Sequence[str]") -> "Callable[[object], tuple[object, ...]]":
    match names:
        case []:
            return lambda _: ()
        case [name]:
            return lambda record: (getattr(record, name),)
    return attrgetter(*names)


def _defaults(
    given: "Mapping[str, Any]",
) -> "tuple[Mapping[str, object], Sequence[tuple[str, Callable[[], object]]]]":
    """By name: those that are values, and those that are made anew."""
    fields = {name: one for name, one in given.items() if isinstance(one, Field)}
    values = {name: one for name, one in given.items() if name not in fields}
    values |= {name: one.default for name, one in fields.items() if one.default is not MISSING}
    factories = [(name, one.default_factory) for name, one in fields.items() if one.default_factory is not MISSING]
    return values, factories


def _wrong(cls: type, names: "Sequence[str]", values: "Mapping[str, object]") -> TypeError:
    missing, unknown = [name for name in names if name not in values], [name for name in values if name not in names]
    wrong = [f"needs {', '.join(missing)}"] * bool(missing) + [f"has no {', '.join(unknown)}"] * bool(unknown)
    return TypeError(f"{cls.__name__} {' and '.join(wrong)}")


class _AsTheLibraryMakesThem:
    """`__dataclass_fields__` of a record: the library's own description of its fields, made when somebody asks."""

    def __init__(self, given: "Mapping[str, Any]", *, in_order: bool) -> None:
        self._given, self._in_order = given, in_order
        self._made: dict[str, Field[Any]] = {}

    def __get__(self, _: object, cls: type) -> object:
        if not self._made:
            body = {"__annotations__": cls.__annotations__, **self._given}
            made: Any = dataclasses.dataclass(kw_only=not self._in_order)(type(cls.__name__, (), body))
            self._made |= made.__dataclass_fields__
        return self._made
