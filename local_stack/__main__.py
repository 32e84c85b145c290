"""`make deploy-local`: the stack deployed on this machine, woken by a faulty VPC connector, until Ctrl-C deletes it."""

import argparse
import os
import signal
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from local_stack import deployment
from local_stack.deployment import Inbox
from local_stack.servers import Aws, Unusable, running

WORLD = "public-subnets"
_ALERT_SECONDS = 60
_HIGHEST_PORT = 65535
_FAILED, _UNUSABLE, _INTERRUPTED = 1, 2, 130
_HELP = """\
SAM builds template.yaml and deploys it as it is, to two servers on the loopback that stand for AWS: our emulator for
App Runner and its network, ministack for all else. No account and no Docker are needed, and nothing leaves this
machine. Permissions, encryption and alarms are deployed there too, but nothing is refused, encrypted or measured.
"""
_NEXT = """
It runs until Ctrl-C, which deletes the stack. What to try in another terminal, in this folder:

  # Somebody deletes a NAT gateway, and the alert appears here. So do those of isolated, fleet, service-broken …
  curl -X POST {guarded}/emulator/worlds/nat-gone

  # Any call of an AWS CLI or SDK. What it changes in App Runner or its network reaches the stack's rules.
  export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1
  aws --endpoint-url {guarded} apprunner list-vpc-connectors
  aws --endpoint-url {others} dynamodb scan --table-name {table}
  aws --endpoint-url {others} logs tail /aws/lambda/{stack}-ValidateNetwork

  # An update: what is checked from then on has to have a tag.
  AWS_ENDPOINT_URL={others} .venv/bin/sam deploy --no-confirm-changeset --parameter-overrides RequiredTags=team
"""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return _deploy_local(asked)
    except Unusable as error:
        print(f"deploy-local: {error}", file=sys.stderr)
        return _UNUSABLE
    except KeyboardInterrupt:
        print("\ndeploy-local: interrupted; nothing runs any more", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return _FAILED


def _deploy_local(asked: argparse.Namespace) -> int:
    _say("Starting what stands for AWS …")
    with running(guarded_port=asked.port, others_port=asked.aws_port) as aws:
        _say(f"  {aws.guarded}  App Runner, EC2, Elastic Load Balancing, API Gateway (our emulator)")
        _say(f"  {aws.others}  CloudFormation, Lambda, EventBridge, SNS, SQS, DynamoDB … (ministack)")
        before = deployment.inventory(aws)
        with _step("Building the stack (sam build)"):
            deployment.build()
        with _step(f"Deploying {deployment.STACK} (sam deploy)"):
            outputs = deployment.deploy(aws, {})
        try:
            _show(aws, outputs, once=asked.once)
        except KeyboardInterrupt:
            _say("\nCtrl-C: the stack is deleted; once more ends at once.")
        with _step("Deleting the stack (sam delete)"):
            deployment.delete(aws)
        left = _left(before, deployment.inventory(aws))
        _say(f"Left behind: {left}" if left else "Nothing is left behind.")
    return _FAILED if left else 0


def _show(aws: Aws, outputs: Mapping[str, str], *, once: bool) -> None:
    inboxes = []
    for topic, name in (("AlertTopicArn", "alerts"), ("OpsTopicArn", "alarms")):
        _say(f"Subscribing the queue {name} to {outputs[topic]}")
        inboxes.append(deployment.open_inbox(aws, outputs[topic], name))
    try:
        _wake(aws, inboxes[0])
        if not once:
            _say(
                _NEXT.format(
                    guarded=aws.guarded, others=aws.others, table=outputs["FindingsTableName"], stack=deployment.STACK
                )
            )
            _follow(aws, inboxes)
    finally:
        for inbox in inboxes:
            inbox.close()


def _wake(aws: Aws, alerts: Inbox) -> None:
    """Let a faulty connector be created, its event through the deployed rule, and wait for the alert."""
    aws.build(WORLD)
    created = [event for event in aws.happened(0) if event["detail"].get("eventName") == "CreateVpcConnector"]
    for event in created:
        _say(f"CreateVpcConnector {event['detail']['requestParameters']['vpcConnectorName']} → EventBridge → …")
    started = time.monotonic()
    deployment.put(aws, created)
    alert = alerts.next(_ALERT_SECONDS)
    if alert is None:
        raise Unusable(f"no alert came within {_ALERT_SECONDS} s; ministack says:\n{aws.log.read_text()}")
    _say(f"… → AlertTopic → the queue alerts, after {time.monotonic() - started:.1f} s:\n")
    _tell(alert)


def _follow(aws: Aws, inboxes: Sequence[Inbox]) -> None:
    """Hand on what happens in the guarded services to the event bus, and show what the topics send, until Ctrl-C."""
    seen = len(aws.happened(0))
    while True:
        events = aws.happened(seen)
        deployment.put(aws, events)
        seen += len(events)
        for inbox in inboxes:
            while notification := inbox.next(1):
                _tell(notification)


def _tell(notification: Mapping[str, Any]) -> None:
    _say(textwrap.indent(f"{notification['Subject']}\n\n{notification['Message']}\n", "  | ", lambda _: True))


def _left(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> str:
    """What there is that was not there, as a text; empty if nothing is."""
    new = {kind: sorted(set(names) - set(before[kind])) for kind, names in after.items()}
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in new.items() if names)


@contextmanager
def _step(what: str) -> Iterator[None]:
    print(f"{what} …", end=" ", flush=True)
    started = time.monotonic()
    try:
        yield
    finally:
        _say(f"{time.monotonic() - started:.0f} s")


def _say(text: str) -> None:
    print(text, flush=True)  # at once, also where a pipe takes it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make deploy-local",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="make deploy-local [PORT=5000] [AWS_PORT=4566] [ONCE=1]",
    )
    parser.add_argument(
        "--port", type=_port, default=5000, help="PORT: where the guarded services listen; 0 takes a free port"
    )
    parser.add_argument(
        "--aws-port", type=_port, default=4566, help="AWS_PORT: where all else of AWS listens; likewise"
    )
    parser.add_argument("--once", choices=["1"], help="ONCE=1: end after the first alert")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: they go from 0 to {_HIGHEST_PORT}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
