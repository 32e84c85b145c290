"""A call of every operation with all that its model takes, and answers with all that its model has.

Unions, of which AWS takes and gives one member at a time, come with each member wherever there is room for several.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.model import OperationModel
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

MOMENT = datetime(2026, 9, 21, 13, 46, 40, tzinfo=UTC)
# Parameters that decide where a call goes.
PLACES = {
    "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/queue",
    "TableName": "findings",
    "EndpointId": None,  # an endpoint in two Regions, whose signature needs more than botocore
}


def operation(service: str, name: str) -> OperationModel:
    model: OperationModel = get_service_model(service).operation_model(name)
    return model


def parameters(model: OperationModel) -> Mapping[str, Any]:
    """Every parameter of an operation, and what they hold in turn."""
    if model.input_shape is None:
        return {}
    made: Mapping[str, Any] = sample(model.input_shape)
    return {name: PLACES.get(name, one) for name, one in made.items() if PLACES.get(name, "") is not None}


def answer(model: OperationModel) -> Mapping[str, Any]:
    """Everything that AWS may answer."""
    kind = get_serializer_class(model.service_model.service_name, model.service_model.resolved_protocol)
    told = kind(model).serialize(sample(model.output_shape) if model.output_shape else {})
    body = told["body"].decode() if isinstance(told["body"], bytes) else told["body"]
    return {"status": told["status_code"], "headers": dict(told["headers"]), "body": body}


def refusals(model: OperationModel) -> Iterator[Mapping[str, Any]]:
    """Every error that the operation's model has, and one that no model has."""
    for shape in model.error_shapes:
        assert isinstance(shape, StructureShape)
        yield refusal(model, shape.error_code or shape.name, sample(shape))
    yield refusal(model, "Throttling", {})


def refusal(model: OperationModel, code: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = {"x-amzn-requestid": "r-1"}
    match model.service_model.resolved_protocol:
        case "ec2":
            body = f"<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors></Response>"
        case "query":
            more = {name: one for name, one in members.items() if isinstance(one, str) and name.lower() != "message"}
            inside = "".join(f"<{name}>{one}</{name}>" for name, one in more.items())
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message>{inside}</Error>"
            body = f"<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>"
        case "rest-json":
            headers["x-amzn-errortype"] = code
            body = json.dumps({"message": "m", **members}, default=as_text)
        case _:
            body = json.dumps({"message": "m", **members, "__type": f"com.amazonaws#{code}"}, default=as_text)
    return {"status": 400, "headers": headers, "body": body}


def as_text(value: object) -> object:
    """What JSON has no kind for, as AWS writes it in an error."""
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(bytes(str(value), "utf-8")).decode()


def sample(shape: Shape, within: Sequence[str] = ()) -> Any:
    """A value of this shape. What holds itself stops at the second time."""
    return samples(shape, within)[0]


def samples(shape: Shape, within: Sequence[str] = ()) -> Sequence[Any]:
    """Values of this shape: of a union one for each member, of all else one."""
    inside = (*within, shape.name)
    match shape:
        case StructureShape():
            members = {name: one for name, one in shape.members.items() if inside.count(one.name) < 2}
            made = {name: sample(one, inside) for name, one in members.items()}
            return [{name: one} for name, one in made.items()] if shape.is_tagged_union else [made]
        case ListShape():
            return [[*samples(shape.member, inside)] * (1 if inside.count(shape.member.name) < 2 else 0)]
        case MapShape():
            keys = shape.key.metadata.get("enum") or [f"key-{shape.key.name}-{number}" for number in range(30)]
            return [dict(zip(keys, samples(shape.value, inside), strict=False))]
    return [plain(shape)]


def plain(shape: Shape) -> Any:
    least = shape.metadata.get("min", 0)
    match shape.type_name:
        case "string":
            return shape.metadata.get("enum", [f"a {shape.name}".ljust(int(least), "x")])[0]
        case "boolean":
            return True
        case "integer" | "long":
            return int(max(least, 7))
        case "float" | "double":
            return float(max(least, 7.5))
        case "timestamp":
            return MOMENT
        case "blob":
            return b"some bytes"
    raise NotImplementedError(shape.type_name)
