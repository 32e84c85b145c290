"""ministack, with what it lacks, as a program of its own environment: nothing of ours can be imported here.

    .tools/ministack/bin/python -P local_stack/cloud.py NUMBER

serves AWS at the listening socket with that number until its standard input ends, as it does when its parent is gone.

More like AWS than ministack is by itself:

- A rule invokes its function asynchronously: with retries, and an on-failure destination.
- A function makes no log group by writing to it, as the roles of ours may not: none comes back when it was deleted.
- AWS::Events::EventBusPolicy, which ministack does not know, puts its statement into the policy of the bus.

Less like AWS:

- PutEvents takes events of AWS's services (`aws.apprunner`) from anybody: somebody has to send them.
- Alarms on expressions, which ministack refuses, are not made there: the template leaves them out.
"""

import asyncio
import json
import sys
from functools import partial
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.services import cloudwatch_logs, eventbridge, lambda_svc
from ministack.services.cloudformation import provisioners

type Properties = dict[str, Any]  # of a resource, as ministack hands them on: every !Ref is resolved


def main(socket: str) -> None:
    eventbridge._put_events = partial(eventbridge._put_events, allow_aws_source=True)
    eventbridge._dispatch_to_lambda = invoke
    lambda_svc._emit_lambda_logs = partial(log, lambda_svc._emit_lambda_logs)
    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBusPolicy"] = {
        "create": create_bus_policy,
        "update": update_bus_policy,
        "delete": delete_bus_policy,
    }
    config = Config()
    config.bind = [f"fd://{socket}"]
    config.loglevel = "WARNING"
    asyncio.run(serve(app, config, shutdown_trigger=end_of_input))


async def end_of_input() -> None:
    await asyncio.to_thread(sys.stdin.read)


def invoke(function: str, event: str) -> None:
    known, config, _ = lambda_svc._get_func_record_for_ref(function)
    if known and config:
        lambda_svc.invoke_async_with_retry({**known, "config": config}, json.loads(event))


def log(known: Any, function: Properties, *written: Any, **how: Any) -> None:
    if function["config"]["LoggingConfig"]["LogGroup"] in cloudwatch_logs._log_groups:
        known(function, *written, **how)


def create_bus_policy(_logical_id: str, properties: Properties, _stack: str) -> tuple[str, Properties]:
    """The physical id is `bus|statement`."""
    bus, sid = properties.get("EventBusName", "default"), properties["StatementId"]
    policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
    policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != sid]
    policy["Statement"].append({**properties["Statement"], "Sid": sid})
    return f"{bus}|{sid}", {}


def update_bus_policy(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
    delete_bus_policy(physical_id, old)
    return create_bus_policy("", new, stack)


def delete_bus_policy(physical_id: str, _properties: Properties) -> None:
    bus, _, sid = physical_id.rpartition("|")
    eventbridge._remove_permission({"EventBusName": bus, "StatementId": sid})


if __name__ == "__main__":
    main(sys.argv[1])
