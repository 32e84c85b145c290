"""The forms that a CloudTrail record may have, whatever its service: how to get at what it says. Pure.

Every key is in lower camel case (docs.aws.amazon.com/apprunner/latest/dg/monitor-ct.html); newer calls of EC2 keep the
API's names inside of a wrapper: {"CreateNatGatewayRequest": {"SubnetId": …}}. What is hidden is a text in the place of
whatever was there, what is too long is left out.
"""

from collections.abc import Iterator, Mapping, Sequence

type Json = Mapping[str, object]

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_ID_LENGTH = 100  # ids have 36 characters; what may come from anywhere is no longer than that in logs and alerts
_LISTS = ("items", "item", "content")  # what EC2's records put in the place of a list, and around each entry of one


def event_id(event: object) -> str:
    """What ties together all that follows from an event: CloudTrail's id of the call, which the call's record has
    wherever it turns up, else EventBridge's id. Empty where there is none."""
    return (text(at(event, "detail.eventID")) or text(at(event, "id")))[:_ID_LENGTH]


def at(record: object, path: str) -> object:
    value: object = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def texts_at(detail: Json, path: str) -> Iterator[str]:
    """The texts at a path of a CloudTrail record, in the lower camel case of older calls, whatever its form."""
    part, *steps = path.split(".")
    return _texts_in(body(detail, part), steps)


def body(detail: Json, part: str) -> object:
    """A part of the record without the wrapper that newer calls have: {"CreateNatGatewayRequest": {…}}."""
    wrapper = f"{text(detail.get('eventName'))}{'Request' if part == 'requestParameters' else 'Response'}"
    value = detail.get(part)
    return member(value, wrapper) or value


def _texts_in(value: object, steps: Sequence[str]) -> Iterator[str]:
    """The texts that the steps lead to, through whatever stands for a list on the way: in EC2's records that is a list,
    {"items": […]}, {"item": […]}, or one entry by itself; and an entry may be {"tag": 1, "content": …}."""
    if isinstance(value, str) and not steps:
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _texts_in(entry, steps)
    elif isinstance(value, Mapping):
        for inner in _LISTS:
            yield from _texts_in(value.get(inner), steps)
        if steps:
            yield from _texts_in(member(value, steps[0]), steps[1:])


def entries_at(detail: Json, path: str) -> Iterator[Json]:
    """The objects at a path of a CloudTrail record, such as tags, through whatever stands for a list on the way."""
    part, *steps = path.split(".")
    found: list[object] = [body(detail, part)]
    for step in steps:
        found = [entry for one in found for entry in _entries(member(one, step))]
    yield from (one for one in found if isinstance(one, Mapping))


def _entries(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for one in value:
            yield from _entries(one)
    elif isinstance(value, Mapping) and any(inner in value for inner in _LISTS):
        for inner in _LISTS:
            yield from _entries(value.get(inner))
    elif value is not None:
        yield value


def member(value: object, name: str) -> object:
    """By its name in lower camel case, or in newer calls with the first letter as a capital."""
    if not isinstance(value, Mapping):
        return None
    return value.get(name, value.get(name[:1].upper() + name[1:]))


def shown(value: object) -> str:
    return "missing" if value is None else repr(value)[:200]
