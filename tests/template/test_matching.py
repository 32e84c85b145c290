"""replay.template.matches answers as EventBridge does, for the parts of its pattern language that templates use.

The language: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.
"""

import pytest

from replay.template import Pattern, matches

EVENT = {
    "source": "aws.apprunner",
    "resources": ["arn:one", "arn:two"],
    "detail": {
        "eventName": "CreateService",
        "errorCode": None,
        "request": {"name": "web", "tags": [{"key": "team", "value": "a"}, {"key": "Stage", "value": "b"}]},
        "readOnly": False,
        "none": [],
    },
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
    "prefix of any case": ({"detail": {"eventName": [{"prefix": {"equals-ignore-case": "create"}}]}}, True),
    "suffix": ({"detail": {"eventName": [{"suffix": "Service"}]}}, True),
    "another suffix": ({"detail": {"eventName": [{"suffix": ".Service"}]}}, False),
    "one of a list of objects": ({"detail": {"request": {"tags": {"key": ["Stage"]}}}}, True),
    "none of a list of objects": ({"detail": {"request": {"tags": {"key": ["stage"]}}}}, False),
    "prefix in one of a list of objects": ({"detail": {"request": {"tags": {"key": [{"prefix": "te"}]}}}}, True),
    "two things of one object": ({"detail": {"request": {"tags": {"key": ["team"], "value": ["a"]}}}}, True),
    "two things of two objects": ({"detail": {"request": {"tags": {"key": ["team"], "value": ["b"]}}}}, False),
    "an empty list of objects": ({"detail": {"none": {"key": [{"prefix": ""}]}}}, False),
    "a list of objects in a branch": (
        {"detail": {"$or": [{"eventName": ["Other"]}, {"request": {"tags": {"value": ["b"]}}}]}},
        True,
    ),
    "a branch beside one with an empty list": (
        {"detail": {"$or": [{"none": {"key": ["x"]}}, {"request": {"tags": {"value": ["b"]}}}]}},
        True,
    ),
    "$or in a branch": (
        {
            "detail": {
                "$or": [
                    {"eventName": ["Other"]},
                    {"readOnly": [False], "$or": [{"none": ["x"]}, {"request": {"name": ["web"]}}]},
                ]
            }
        },
        True,
    ),
    "$or in a branch, no branch of it": (
        {
            "detail": {
                "$or": [
                    {"eventName": ["Other"]},
                    {"readOnly": [False], "$or": [{"none": ["x"]}, {"request": {"name": ["api"]}}]},
                ]
            }
        },
        False,
    ),
    "$or in a branch, and its neighbours": (
        {
            "detail": {
                "$or": [
                    {"eventName": ["Other"]},
                    {"readOnly": [True], "$or": [{"none": ["x"]}, {"request": {"name": ["web"]}}]},
                ]
            }
        },
        False,
    ),
    "a list of objects in a branch of a branch": (
        {
            "detail": {
                "$or": [{"eventName": ["Other"]}, {"$or": [{"none": ["x"]}, {"request": {"tags": {"value": ["b"]}}}]}]
            }
        },
        True,
    ),
    "$or at the top": ({"$or": [{"source": ["aws.ec2"]}, {"detail": {"readOnly": [False]}}]}, True),
}


@pytest.mark.parametrize(("pattern", "expected"), CASES.values(), ids=CASES)
def test_a_pattern_admits_what_eventbridge_admits(pattern: Pattern, expected: bool) -> None:
    assert matches(pattern, EVENT) is expected
