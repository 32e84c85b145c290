"""replay.template.matches answers as EventBridge does, for the parts of its pattern language that templates use.

The language: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
"""

import pytest

from replay.template import Pattern, matches

EVENT = {
    "source": "aws.apprunner",
    "resources": ["arn:one", "arn:two"],
    "detail": {"eventName": "CreateService", "errorCode": None, "request": {"name": "web"}, "readOnly": False},
}

CASES: dict[str, tuple[Pattern, bool]] = {
    "a value of the list": ({"source": ["aws.ec2", "aws.apprunner"]}, True),
    "no value of the list": ({"source": ["aws.ec2"]}, False),
    "every named field has to match": ({"source": ["aws.apprunner"], "detail": {"eventName": ["Other"]}}, False),
    "case counts": ({"source": ["AWS.AppRunner"]}, False),
    "a field that is not there": ({"detail-type": ["x"]}, False),
    "a truth value": ({"detail": {"readOnly": [False]}}, True),
    "null": ({"detail": {"errorCode": [None]}}, True),
    "null is not a field that is missing": ({"detail": {"errorMessage": [None]}}, False),
    "one item of a list of texts": ({"resources": ["arn:two"]}, True),
    "exists": ({"detail": {"eventName": [{"exists": True}]}}, True),
    "exists counts null as there": ({"detail": {"errorCode": [{"exists": True}]}}, True),
    "exists looks at leaves only": ({"detail": {"request": [{"exists": True}]}}, False),
    "exists, of a field that is missing": ({"detail": {"errorMessage": [{"exists": True}]}}, False),
    "not exists": ({"detail": {"errorMessage": [{"exists": False}]}}, True),
    "not exists, of a field that is there": ({"detail": {"eventName": [{"exists": False}]}}, False),
    "not exists, below a field that is missing": ({"detail": {"response": {"name": [{"exists": False}]}}}, True),
    "prefix": ({"detail": {"eventName": [{"prefix": "Create"}]}}, True),
    "another prefix": ({"detail": {"eventName": [{"prefix": "Update"}]}}, False),
    "prefix of an item of a list": ({"resources": [{"prefix": "arn:t"}]}, True),
    "anything-but": ({"detail": {"eventName": [{"anything-but": "DeleteService"}]}}, True),
    "anything-but the value": ({"detail": {"eventName": [{"anything-but": "CreateService"}]}}, False),
    "anything-but a list": ({"detail": {"eventName": [{"anything-but": ["DeleteService", "CreateService"]}]}}, False),
    "anything-but a prefix": ({"detail": {"eventName": [{"anything-but": {"prefix": "Create"}}]}}, False),
    "anything-but wants the field": ({"detail": {"errorMessage": [{"anything-but": "x"}]}}, False),
    "an operator beside a value": ({"detail": {"eventName": ["Other", {"prefix": "Create"}]}}, True),
    "$or, one branch": ({"detail": {"$or": [{"eventName": ["Other"]}, {"request": {"name": ["web"]}}]}}, True),
    "$or, no branch": ({"detail": {"$or": [{"eventName": ["Other"]}, {"request": {"name": ["api"]}}]}}, False),
    "$or, half a branch": ({"detail": {"$or": [{"eventName": ["CreateService"], "readOnly": [True]}]}}, False),
    "$or and its neighbours": ({"detail": {"eventName": ["Other"], "$or": [{"readOnly": [False]}]}}, False),
    "$or at the top": ({"$or": [{"source": ["aws.ec2"]}, {"detail": {"readOnly": [False]}}]}, True),
}


@pytest.mark.parametrize(("pattern", "expected"), CASES.values(), ids=CASES)
def test_a_pattern_admits_what_eventbridge_admits(pattern: Pattern, expected: bool) -> None:
    assert matches(pattern, EVENT) is expected
