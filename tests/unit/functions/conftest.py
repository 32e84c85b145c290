import io
import json
from typing import Any

import pytest

from apprunner_guardrails import observe


def lines(logged: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged.getvalue().splitlines()]


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The objects of the embedded metric format that the function printed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


def counted(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """What one invocation counted: it says so once, or not at all if that is nothing."""
    numbers: dict[str, float] = {}
    objects = emitted(capsys)
    assert len(objects) <= 1
    for one in objects:
        (described,) = one["_aws"]["CloudWatchMetrics"]
        assert (described["Namespace"], described["Dimensions"]) == (observe.NAMESPACE, [["service"]])
        for metric in described["Metrics"]:
            assert metric["Unit"] == "Count"
            (numbers[metric["Name"]],) = one[metric["Name"]]
    return numbers
