"""What audits of members and at home, and target sync, take of our functions: `python -m benchmarks.members`.

Each function runs in a process of its own, as in benchmarks.measure, with the same event again and again. An audit of a
member makes clients and connections of its own, as it does for every member. tools/cost.py has what came out.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from apprunner_guardrails.aws import findings_table
from apprunner_guardrails.ledger import Record, remembered
from benchmarks.measure import ACCOUNT, Bench, Program, bench
from emulator import Emulator, emulate, worlds
from emulator.worlds import ALERT_TOPIC, FINDINGS_TABLE, REGION, SYNC_QUEUE, sdk_client, stack_resources
from replay import template

ROLE = "guardrails-member"
AGAIN = 5  # warm invocations of a process
PROCESSES = 3
DELAY = 0.02  # seconds an answer
# Connectors and services of the member, and what is recorded of others, which should make no difference.
SIZES: Sequence[tuple[int, int]] = ((0, 0), (1, 0), (10, 0), (0, 4000))
AT_HOME: Sequence[int] = (0, 4000)  # what is recorded, all of which is read
_NOW = 1_795_244_400  # 2026-11-21T07:00:00Z
_TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"},
}
_TEXT = 197  # characters of a message: with it an item has the size of a finding in tools/cost.py
_DUE = {
    "id": "5b2f7c1e-94d3-4f0a-8f57-2c9d6b1e7a40",
    "detail-type": "Audit Due",
    "source": "apprunner-guardrails.member",
    "account": ACCOUNT,
    "region": "eu-west-1",  # not the deployment's own, so that a role is assumed; what answers is the same
    "time": "2026-11-21T07:00:00Z",
    "detail": {},
}
_TICK = {
    "id": "5b2f7c1e-94d3-4f0a-8f57-2c9d6b1e7a41",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": ACCOUNT,
    "region": REGION,
    "time": "2026-11-21T07:00:00Z",
    "detail": {},
}


@dataclass(frozen=True, kw_only=True)
class Took:
    """Milliseconds of CPU until a process had done it once, and of each time after; of those the whole time; the most
    memory that the process held, in MB. All are medians."""

    cold_cpu: float
    cpu: float
    elapsed: float
    peak: float


def audit(place: Bench, connectors: int, items: int) -> Took:
    """Of a member with so many connectors and services, with so many items of others in the findings table."""
    with emulate() as aws:
        stack_resources(sdk_client)
        sdk_client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))
        if connectors:
            worlds.region(sdk_client, connectors=connectors, services=connectors, vpcs=1)
        findings_table.remember(sdk_client, FINDINGS_TABLE, map(_record, range(items)))
        batch = {"Records": [{"messageId": "1", "body": json.dumps(_DUE)}]}
        return _took(place, aws, "AuditRegionFunction", batch, {"MEMBER_ROLE_NAME": ROLE})


def audit_at_home(place: Bench, items: int) -> Took:
    """Where nothing is of App Runner, and so many items are in the findings table."""
    with emulate() as aws:
        stack_resources(sdk_client)
        findings_table.remember(sdk_client, FINDINGS_TABLE, map(_record, range(items)))
        return _took(place, aws, "AuditRegionFunction", _TICK, {})


def tick(place: Bench) -> Took:
    """Of target sync, where no target group is bound."""
    with emulate() as aws:
        stack_resources(sdk_client)
        return _took(place, aws, "SyncTargetsFunction", _TICK, {})


def _took(
    place: Bench, aws: Emulator, function: str, event: Mapping[str, object], environment: Mapping[str, str]
) -> Took:
    path = place.folder / "event.json"
    path.write_text(json.dumps(event))
    ours = template.load().functions[function]
    refs = {
        ALERT_TOPIC: f"arn:aws:sns:{REGION}:{ACCOUNT}:{ALERT_TOPIC}",
        SYNC_QUEUE: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{SYNC_QUEUE}",
    }
    program = Program(
        name=function,
        file=ours.code / f"{ours.handler.partition('.')[0]}.py",
        environment={**ours.environment({}, refs), **environment},
    )
    told = [place.play(aws, program, path, times=1 + AGAIN, delay=DELAY) for _ in range(PROCESSES)]
    again = [one for run in told for one in run["events"][1:]]
    return Took(
        cold_cpu=median((run["import_cpu_seconds"] + run["events"][0]["cpu_seconds"]) * 1000 for run in told),
        cpu=median(one["cpu_seconds"] * 1000 for one in again),
        elapsed=median((one["ended"] - one["began"]) * 1000 for one in again),
        peak=median(run["peak_bytes"] / 1e6 for run in told),
    )


def _record(number: int) -> Record:
    return remembered(
        f"arn:aws:apprunner:{REGION}:345678901234:vpcconnector/c{number:05}/1/0123456789abcdef0123456789abcdef",
        "AR102",
        ("x" * _TEXT,),
        None,
        first_seen=_NOW,
        last_seen=_NOW,
    )


def measured(place: Bench, *, say: Callable[[str], None]) -> Iterator[tuple[str, Took]]:
    """All of it, by name."""
    todo: list[tuple[str, Callable[[], Took]]] = [
        ("target sync with nothing bound", partial(tick, place)),
        *(
            (
                f"audit of a member, {connectors} connectors, {items} items of others",
                partial(audit, place, connectors, items),
            )
            for connectors, items in SIZES
        ),
        *((f"audit at home, {items} items", partial(audit_at_home, place, items)) for items in AT_HOME),
    ]
    for name, take in todo:
        say(name)
        yield name, take()


def main() -> int:
    with bench(built=True) as place:
        for name, took in measured(place, say=lambda _: None):
            _show(name, took)
    return 0


def _show(name: str, took: Took) -> None:
    print(
        f"{name}: CPU {took.cpu:.0f} ms, {took.cold_cpu:.0f} ms cold; {took.elapsed:.0f} ms; {took.peak:.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
