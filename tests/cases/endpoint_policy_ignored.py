import json

from tests.cases import PASS, Case, fail, unknown
from tests.cases._healthy import unread
from tests.cases._healthy_path import ENDPOINT_ID, set_the_endpoint

_FULL = {"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}
_MESSAGE = (
    f"endpoint {ENDPOINT_ID} has a policy of its own, and com.amazonaws.us-east-1.apprunner.requests heeds none: it has"
    " no effect"
)
_FAIL = fail(
    _MESSAGE, command=f"aws ec2 modify-vpc-endpoint --region us-east-1 --vpc-endpoint-id {ENDPOINT_ID} --reset-policy"
)
_DEFAULTS = {
    "AWS's default policy": {"Statement": [_FULL]},
    "the default policy with a version and an id": {"Version": "2008-10-17", "Id": "default", "Statement": [_FULL]},
    "the default policy in another order": {"Statement": [dict(reversed(_FULL.items()))], "Version": "2012-10-17"},
    "the default policy with lists of one, and without a list": {
        "Statement": {**_FULL, "Sid": "all", "Action": ["*"], "Resource": ["*"], "Principal": {"AWS": ["*"]}}
    },
}
_OWN = {
    "a policy for one principal": {"Statement": [{**_FULL, "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}]},
    "a policy that denies": {"Statement": [{**_FULL, "Effect": "Deny"}]},
    "a policy with a condition": {"Statement": [{**_FULL, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]},
    "a policy for two actions": {"Statement": [{**_FULL, "Action": ["apprunner:*", "*"]}]},
    "a policy for services": {"Statement": [{**_FULL, "Principal": {"Service": "*"}}]},
    "a policy for principals of two kinds": {"Statement": [{**_FULL, "Principal": {"AWS": "*", "Service": "*"}}]},
    "two statements": {"Statement": [_FULL, {**_FULL, "Effect": "Deny"}]},
    "no statement": {"Statement": []},
    "a document without statements": {"Version": "2012-10-17"},
    "a document with a key of its own": {"Statement": [_FULL], "Comment": "x"},
    "a document that is a list": [_FULL],
    "a statement that is a text": {"Statement": ["*"]},
    "a document that is null": None,
}

CASES = (
    Case(name="pass: there is no policy", expect=PASS),
    *(
        Case(name=f"pass: {name}", changes=(set_the_endpoint(policy=json.dumps(policy)),), expect=PASS)
        for name, policy in _DEFAULTS.items()
    ),
    *(
        Case(name=f"fail: {name}", changes=(set_the_endpoint(policy=json.dumps(policy)),), expect=_FAIL)
        for name, policy in _OWN.items()
    ),
    Case(name="fail: what is no JSON", changes=(set_the_endpoint(policy="{'Statement': []}"),), expect=_FAIL),
    Case(
        name="pass: a policy on the control plane's endpoint, where it counts",
        changes=(set_the_endpoint(policy=json.dumps({"Statement": []}), service="com.amazonaws.us-east-1.apprunner"),),
        expect=PASS,
    ),
    Case(
        name="unknown: the endpoint cannot be read",
        changes=(unread("ingress_endpoints"),),
        expect=unknown("ec2:DescribeVpcEndpoints failed (UnauthorizedOperation)"),
    ),
)
