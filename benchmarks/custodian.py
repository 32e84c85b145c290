"""Cloud Custodian on one CloudTrail event, as the Lambda function that it deploys for a policy would be run.

The policy has one value filter and one notification to SNS. Custodian knows nothing of App Runner, so it is of a subnet
that was made: whether it gives out public addresses. `custodian run` deploys the package, the policy as config.json and
a file with a handler; here they are laid out in the same way.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import ACCOUNT, Bench, Program, Subject
from emulator import emulate
from emulator.worlds import ALERT_TOPIC, REGION, sdk_client, stack_resources

PINNED = Path(__file__).parent.parent / "tools" / "c7n-requirements.txt"
NAME = "Cloud Custodian"
_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:{ALERT_TOPIC}"
_HANDLER = "from c7n.handler import dispatch_event as handler\n"
_POLICY: Mapping[str, Any] = {
    "name": "subnet-with-public-addresses",
    "resource": "aws.subnet",
    "mode": {
        "type": "cloudtrail",
        "events": [{"source": "ec2.amazonaws.com", "event": "CreateSubnet", "ids": "responseElements.subnet.subnetId"}],
    },
    "filters": [{"type": "value", "key": "MapPublicIpOnLaunch", "value": True}],
    "actions": [
        {
            "type": "notify",
            "to": ["operations@example.com"],
            "subject": "A subnet gives out public addresses",
            "transport": {"type": "sns", "topic": _TOPIC},
        }
    ],
}
# What `custodian run` writes beside the policy; with the account it need not ask STS for it.
_OPTIONS = {"account_id": ACCOUNT, "tracer": "default", "log_group": None, "output_dir": "", "metrics_enabled": None}


def custodian(place: Bench) -> Subject:
    """Lay the function out and record what it asks. Raises Unmeasurable."""
    folder = place.folder / "custodian"
    folder.mkdir()
    handler, event = folder / "custodian_policy.py", folder / "event.json"
    handler.write_text(_HANDLER)
    (folder / "config.json").write_text(json.dumps({"execution-options": _OPTIONS, "policies": [_POLICY]}))
    program = Program(name=NAME, file=handler, environment={}, packages="c7n")
    with emulate() as aws:
        stack_resources(sdk_client)
        event.write_text(json.dumps(_event(_subnet())))
        recording = place.record_in(aws, program, event, times=2)
    return Subject(program=program, event=event, recording=recording)


def version() -> str:
    """Of the package, as it is pinned."""
    pinned = (line for line in PINNED.read_text().splitlines() if line.startswith("c7n=="))
    return next(pinned).partition("==")[2].split()[0]


def _subnet() -> str:
    ec2 = sdk_client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = str(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"])
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    return subnet


def _event(subnet: str) -> dict[str, object]:
    """As EventBridge hands it on, with the fields that Custodian looks at and those that every such event has."""
    return {
        "version": "0",
        "id": "5b2f7c1e-94d3-4f0a-8f57-2c9d6b1e7a42",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-21T07:00:00Z",
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT},
            "eventTime": "2026-11-21T07:00:00Z",
            "eventSource": "ec2.amazonaws.com",
            "eventName": "CreateSubnet",
            "awsRegion": REGION,
            "responseElements": {"subnet": {"subnetId": subnet}},
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
        },
    }
