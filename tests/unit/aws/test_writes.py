"""A call that changes something: whatever goes wrong is told as a value, and nothing else is swallowed."""

from collections.abc import Mapping

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from apprunner_guardrails.aws.writes import tried
from apprunner_guardrails.facts import Unread

FAILURES: Mapping[str, tuple[Exception, str]] = {
    "a refusal": (ClientError({"Error": {"Code": "TooManyTags", "Message": "no"}}, "AddTags"), "TooManyTags"),
    "a refusal without a code": (ClientError({}, "AddTags"), "no error code"),
    "no answer": (ReadTimeoutError(endpoint_url="https://aws.test"), "ReadTimeoutError"),
    "no credentials": (NoCredentialsError(), "NoCredentialsError"),
    "what cannot be asked": (ParamValidationError(report="too odd"), "ParamValidationError"),
    "an answer that is none": (ResponseParserError("<html>"), "ResponseParserError"),
}


def failing(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(("error", "code"), FAILURES.values(), ids=FAILURES)
def test_what_went_wrong_is_told_by_the_action_and_the_code(error: Exception, code: str) -> None:
    told = tried("elbv2", "AddTags", lambda: failing(error))
    assert told == Unread(call="elasticloadbalancing:AddTags", code=code)


def test_a_call_that_goes_through_is_made_once_and_leaves_nothing_to_tell() -> None:
    made: list[str] = []
    assert tried("apprunner", "TagResource", lambda: made.append("call")) is None
    assert made == ["call"]


@pytest.mark.parametrize("error", [KeyError("Tags"), KeyboardInterrupt()], ids=repr)
def test_a_fault_of_our_own_is_no_answer_of_aws(error: BaseException) -> None:
    with pytest.raises(type(error)):
        tried("ec2", "CreateTags", lambda: failing(error))
