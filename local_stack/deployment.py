"""The stack in the AWS of this machine: built and deployed by SAM, looked at and listened to by the SDK."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

from local_stack.servers import ROOT, Aws, Unusable, environment

STACK = "apprunner-guardrails"  # in samconfig.toml
ARTIFACTS = "aws-sam-cli-managed-default"  # the stack that SAM makes for itself, with the bucket of what it uploads
_SAM_SECONDS = 300
_ENTRIES = 10  # that PutEvents takes at once
_LONGEST_POLL = 5
# Kind of what may be left behind → service, operation that lists it, where the answer has it, and its name there.
_KINDS = {
    "functions": ("lambda", "list_functions", "Functions", "FunctionName"),
    "layers": ("lambda", "list_layers", "Layers", "LayerName"),
    "event source mappings": ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "topics": ("sns", "list_topics", "Topics", "TopicArn"),
    "subscriptions": ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "roles": ("iam", "list_roles", "Roles", "RoleName"),
    "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "key aliases": ("kms", "list_aliases", "Aliases", "AliasName"),
    "buckets": ("s3", "list_buckets", "Buckets", "Name"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbox:
    """A queue that is subscribed to a topic of the stack."""

    aws: Aws
    url: str
    subscription: str

    def next(self, seconds: float) -> Mapping[str, Any] | None:
        """The next notification of SNS that comes within so many seconds, as SQS gets it: Subject, Message and more."""
        sqs, ends = self.aws.client("sqs"), time.monotonic() + seconds
        while True:
            wait = max(0, min(_LONGEST_POLL, math.ceil(ends - time.monotonic())))
            for message in sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=wait).get("Messages", []):
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                notification: Mapping[str, Any] = json.loads(message["Body"])
                return notification
            if time.monotonic() >= ends:
                return None

    def close(self) -> None:
        self.aws.client("sns").unsubscribe(SubscriptionArn=self.subscription)
        self.aws.client("sqs").delete_queue(QueueUrl=self.url)


def open_inbox(aws: Aws, topic: str, name: str) -> Inbox:
    """Subscribe a new queue to a topic."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscribed = aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    return Inbox(aws=aws, url=url, subscription=subscribed["SubscriptionArn"])


def build() -> None:
    """`sam build`. Raises Unusable, with SAM's own words, if it fails; so do the others."""
    _sam(environment(), "build")


def deploy(aws: Aws, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """`sam deploy` of a new stack; its outputs. Parameters that are not given have their defaults."""
    return update(aws, {"AwsEndpointUrl": aws.others, "GuardedEndpointUrl": aws.guarded, **parameters})


def update(aws: Aws, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """`sam deploy` over the stack that there is; its outputs. Parameters that are not given stay as they are."""
    chosen = [f"ParameterKey={name},ParameterValue={json.dumps(value)}" for name, value in parameters.items()]
    _sam(deploying(aws), "deploy", "--no-confirm-changeset", "--parameter-overrides", *chosen)
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def delete(aws: Aws) -> None:
    """`sam delete`, and then what SAM had made for itself: the bucket of its artifacts."""
    _sam(deploying(aws), "delete", "--stack-name", STACK, "--no-prompts")
    cloudformation, s3 = aws.client("cloudformation"), aws.client("s3")
    for one in cloudformation.list_stack_resources(StackName=ARTIFACTS)["StackResourceSummaries"]:
        if one["ResourceType"] == "AWS::S3::Bucket":
            _empty(s3, one["PhysicalResourceId"])
    cloudformation.delete_stack(StackName=ARTIFACTS)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=ARTIFACTS, WaiterConfig={"Delay": 1})


def deploying(aws: Aws) -> dict[str, str]:
    """The environment in which SAM deploys to this machine."""
    return {**environment(), "AWS_ENDPOINT_URL": aws.others, "SAM_CLI_POLL_DELAY": "0.5"}


def put(aws: Aws, events: Iterable[Mapping[str, Any]]) -> None:
    """Give events to the default event bus, as AWS's services do; it gives them an id and a time of its own."""
    entries = [
        {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": event["resources"],
        }
        for event in events
    ]
    for some in batched(entries, _ENTRIES, strict=False):
        answer = aws.client("events").put_events(Entries=[*some])
        if answer["FailedEntryCount"]:
            raise Unusable(f"events were not taken: {answer['Entries']}")


def inventory(aws: Aws) -> Mapping[str, list[str]]:
    """What there is in the account, by kind, sorted. Keys that wait for their deletion are as good as gone."""
    return {kind: sorted(names) for kind, names in _inventory(aws.client)}


def _inventory(client: Callable[[str], Any]) -> Iterator[tuple[str, list[str]]]:
    for kind, (service, operation, member, name) in _KINDS.items():
        yield kind, [one[name] for one in _listed(client(service), operation, member)]
    stacks = _listed(client("cloudformation"), "list_stacks", "StackSummaries")
    yield "stacks", [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    events = client("events")
    buses = [one["Name"] for one in _listed(events, "list_event_buses", "EventBuses")]
    yield "event buses", buses
    rules = ((bus, one) for bus in buses for one in _listed(events, "list_rules", "Rules", EventBusName=bus))
    yield "rules", [f"{bus}/{one['Name']}" for bus, one in rules]
    kms = client("kms")
    keys = (kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in _listed(kms, "list_keys", "Keys"))
    yield "keys", [one["KeyId"] for one in keys if one["KeyState"] != "PendingDeletion"]
    yield "queues", _listed(client("sqs"), "list_queues", "QueueUrls")
    yield "tables", _listed(client("dynamodb"), "list_tables", "TableNames")


def _listed(client: Any, operation: str, member: str, **asked: str) -> list[Any]:  # any service's
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**asked)
        return [one for page in pages for one in page.get(member, [])]
    return list(getattr(client, operation)(**asked).get(member, []))


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])


def _sam(environment: Mapping[str, str], *arguments: str) -> None:
    """A command of SAM, in a session of its own: Ctrl-C is for whoever called it, who then ends it."""
    tools = os.pathsep.join(str(ROOT / part) for part in (".venv/bin", ".tools/uv/bin"))
    done = subprocess.run(
        [str(Path(sys.executable).parent / "sam"), *arguments],
        cwd=ROOT,
        env={**environment, "PATH": os.pathsep.join((tools, environment.get("PATH", os.defpath)))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SAM_SECONDS,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        raise Unusable(f"sam {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
