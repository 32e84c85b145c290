"""Makes calls with the SDK that is on the path, whichever that is, and tells what it sent and understood.

python -S -P sdk_calls.py < CALLS   each with an answer that is given in place of AWS's

It imports the SDK alone, so that it runs where nothing else is installed.
"""

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

OF_THE_MOMENT = {"authorization", "x-amz-date", "amz-sdk-invocation-id"}


class Body:
    """What an answer's text is read from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def calls_made(calls: list[Mapping[str, Any]]) -> Iterator[Mapping[str, object]]:
    session, clients = Session(), {}
    for call in calls:
        service, region = call["service"], call["region"]
        if (service, region) not in clients:
            clients[service, region] = session.create_client(
                service,
                region_name=region,
                aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}),
            )
        yield made(clients[service, region], call)


def made(client: Any, call: Mapping[str, Any]) -> Mapping[str, object]:
    """The request, and the answer as the SDK understood it. Both as text that tells kinds of values apart."""
    told: dict[str, object] = {}

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OF_THE_MOMENT}
        told["request"] = repr((request.method, request.url, headers, request.body))
        given = call["answer"]
        return AWSResponse(request.url, given["status"], given["headers"], Body(given["body"].encode()))

    client.meta.events.register_first("before-send", answer, unique_id="answer")
    try:
        told["answer"] = repr(getattr(client, xform_name(call["operation"]))(**call["parameters"]))
    except ClientError as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        told["answer"] = repr((kinds, error.operation_name, error.response))
    finally:
        client.meta.events.unregister("before-send", unique_id="answer")
    return told


def value(pair: Mapping[str, Any]) -> Any:
    """What JSON has no kind for."""
    if pair.keys() == {"bytes"}:
        return base64.b64decode(pair["bytes"])
    return datetime.fromisoformat(pair["time"]) if pair.keys() == {"time"} else pair


if __name__ == "__main__":
    json.dump([*calls_made(json.load(sys.stdin, object_hook=value))], sys.stdout)
