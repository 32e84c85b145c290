import io
from collections.abc import Iterator

import pytest

from apprunner_guardrails import observe


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the function logs, a JSON object a line; also where a replay before has made the logger quiet."""
    stream, logger = io.StringIO(), observe.logger()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    level = logger.log_level
    logger.setLevel("INFO")
    yield stream
    logger.setLevel(level)
