"""Every rendering as a whole, beside what is stored in snapshots/.

To renew them, and then read the difference: PYTHONPATH=layers/guardrails:. python -m tests.unit.alerts.test_snapshots
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from apprunner_guardrails import __version__
from apprunner_guardrails.alerts import asff, chat, digest, event, text
from apprunner_guardrails.alerts.text import Message
from apprunner_guardrails.ledger import Channel
from tests.unit.alerts.examples import ALERTS, DIGEST, EXPLANATION, MANY, QUIET, UNEXPLAINED

FOLDER = Path(__file__).parent / "snapshots"


def shown(message: Message) -> str:
    attributes = "".join(f"{name}: {kind} {value}\n" for name, (kind, value) in message.attributes.items())
    return f"Subject: {message.subject}\n{attributes}\n{message.body}\n"


def as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def chat_shown(message: Message) -> str:
    return as_json(json.loads(message.body))


def renderings() -> Iterator[tuple[str, str]]:
    for name, alert in ALERTS.items():
        yield f"text/{name}.txt", shown(text.render(alert))
        told = {channel: alert.on(channel).transitions for channel in Channel}
        messages = [chat.render(alert, one) for one in told[Channel.CHAT]]
        yield f"chat/{name}.json", as_json([json.loads(one.body) for one in messages])
        entries = [event.entry(alert, one) for one in told[Channel.EVENTS]]
        yield f"event/{name}.json", as_json([{**one, "Detail": json.loads(one["Detail"])} for one in entries])
        yield f"asff/{name}.json", as_json([asff.finding(alert, one) for one in told[Channel.SECURITY_HUB]])
    yield "text/many.txt", shown(text.render_many(MANY))
    for name, explanation in {"explanation": EXPLANATION, "unexplained": UNEXPLAINED}.items():
        yield f"text/{name}.txt", shown(text.render_explanation(explanation))
        yield f"chat/{name}.json", chat_shown(chat.render_explanation(explanation))
        entry = event.explanation_entry(explanation)
        yield f"event/{name}.json", as_json({**entry, "Detail": json.loads(entry["Detail"])})
    for name, one in {"digest": DIGEST, "digest-quiet": QUIET}.items():
        yield f"text/{name}.txt", shown(digest.render(one))
        yield f"chat/{name}.json", chat_shown(chat.render_digest(one))


# A release is not to change every snapshot; that the version is in each is tested where it is shown.
RENDERINGS: Mapping[str, str] = {name: one.replace(__version__, "VERSION") for name, one in renderings()}


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_rendering_is_what_is_stored(name: str) -> None:
    assert RENDERINGS[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_nothing_else_is_stored() -> None:
    stored = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert stored == set(RENDERINGS)


def renew() -> None:
    for path in [path for path in FOLDER.rglob("*") if path.is_file()]:
        path.unlink()
    for name, rendering in RENDERINGS.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendering, encoding="utf-8")


if __name__ == "__main__":
    renew()
