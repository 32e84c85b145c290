"""No event is lost on target sync: whatever a watched call looks like, it asks for something or says why not."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.targets.triggers import CALLS, TARGET_GROUP, Asked, folded, message, parse

FUNCTION = "guardrails-SyncTargets"

regions = st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True)
arns = st.builds(
    "arn:{}:elasticloadbalancing:{}:{}:targetgroup/{}/{}".format,
    st.sampled_from(("aws", "aws-cn", "aws-us-gov")),
    regions,
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9-]{1,32}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{16}", fullmatch=True),
)
few_arns = st.integers(0, 9).map("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/{:016}".format)
few_endpoints = st.integers(0, 9).map("vpce-{:017}".format)


@given(st.lists(arns, min_size=1, max_size=20))
def test_a_message_is_parsed_back_to_the_groups_that_it_was_made_of(groups: list[str]) -> None:
    parsed = parse(json.loads(message(groups, "event-1")), FUNCTION)
    assert isinstance(parsed, Asked)
    assert parsed.target_groups == tuple(sorted(set(groups)))
    assert (parsed.endpoints, parsed.everything) == ((), False)


words = st.sampled_from(
    (
        *("HIDDEN_DUE_TO_SECURITY_REASONS", "", "true", "vpce-1", "come back", "custom resource", "AssumedRole"),
        *("com.amazonaws.us-east-1.apprunner.requests", "com.amazonaws.us-east-1.s3", "apprunner-guardrails:endpoint"),
        *("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/0123456789abcdef", FUNCTION),
    )
)
keys = st.sampled_from(
    (
        *("item", "items", "content", "tag", "omitted", "vpcEndpoint", "vpcEndpointId", "VpcEndpointId", "serviceName"),
        *("ingressVpcConfiguration", "vpcIngressConnection", "targetGroups", "targetGroupArn", "resourceArns", "tags"),
        *("key", "tagKeys", "CreateVpcEndpointRequest", "CreateVpcEndpointResponse", "DeleteVpcEndpointsRequest"),
    )
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)
envelopes = st.fixed_dictionaries(
    {
        "detail-type": st.just("AWS API Call via CloudTrail"),
        "account": st.just("123456789012"),
        "region": st.just("us-east-1"),
        "detail": st.sampled_from(sorted(CALLS)).flatmap(
            lambda call: st.fixed_dictionaries(
                {"eventSource": st.just(call[0]), "eventName": st.just(call[1])},
                optional={
                    "requestParameters": values,
                    "responseElements": values,
                    "errorCode": values,
                    "userIdentity": values,
                    "eventID": values,
                    "eventTime": values,
                },
            )
        ),
    }
)


@given(envelopes)
def test_a_watched_call_asks_for_something_or_says_why_not(event: dict[str, object]) -> None:
    parsed = parse(event, FUNCTION)
    if isinstance(parsed, Ignored):
        why = "failed with|made an endpoint of|names no tag|none of which is a target group|was made by"
        assert re.search(why, parsed.why)
        return
    assert bool(parsed.target_groups or parsed.endpoints) is not parsed.everything
    assert [arn for arn in parsed.target_groups if not TARGET_GROUP.fullmatch(arn)] == []
    assert [name for name in parsed.endpoints if not name.startswith("vpce-")] == []


@given(values | st.dictionaries(st.just("apprunner-guardrails") | keys | st.just("detail-type"), values, max_size=4))
def test_whatever_else_arrives_is_ignored_or_refused(event: object) -> None:
    try:
        parsed = parse(event, FUNCTION)
    except BadEvent as bad:
        assert " should be " in str(bad)  # noqa: PT017 - that it is raised is allowed, not demanded
        return
    assert isinstance(parsed, Ignored)
    assert parsed.why != ""


asked = st.builds(
    Asked,
    id=st.sampled_from(("event-1", "event-2")),
    what=st.sampled_from(("RegisterTargets", "ModifyVpcEndpoint", "Follow-up", "Scheduled Event")),
    time=st.sampled_from(("", "2026-11-21T09:00:00Z", "2026-11-21T09:00:01Z")),
    caller=st.builds(Caller, name=st.just("alice")),
    target_groups=st.lists(few_arns, max_size=2).map(tuple),
    endpoints=st.lists(few_endpoints, max_size=2).map(tuple),
    everything=st.booleans(),
)


@given(st.lists(asked, min_size=1, max_size=5))
def test_a_batch_asks_for_no_less_and_no_more_than_what_is_in_it(batch: list[Asked]) -> None:
    one = folded(batch)
    assert set(one.target_groups) == {arn for each in batch for arn in each.target_groups}
    assert set(one.endpoints) == {name for each in batch for name in each.endpoints}
    assert one.everything == any(each.everything for each in batch)


@given(st.lists(asked, min_size=1, max_size=5).flatmap(lambda batch: st.tuples(st.just(batch), st.permutations(batch))))
def test_a_batch_comes_to_the_same_in_any_order_and_with_any_of_it_twice(both: tuple[list[Asked], list[Asked]]) -> None:
    batch, shuffled = both
    assert folded(batch) == folded([*shuffled, shuffled[0]])
