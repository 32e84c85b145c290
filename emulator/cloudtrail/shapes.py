"""How each service writes a request and its answer into a CloudTrail record. There is no one form:

    most services    {"targetGroupArn": …, "targets": [{"id": …}]}              first letter lowered, all the way down
    older EC2 calls  {"subnetId": …, "groupSet": {"items": [{"groupId": …}]}}    the names of EC2's first interface
    other EC2 calls  {"CreateVpcEndpointRequest": {"SubnetId": {"tag": 1, "content": …}}}        XML turned into JSON
    REST APIs        {"restApiId": …, "putIntegrationInput": {…}, "template": false}

The first three are aws-facts 1.1, 4.1 and 6. The fourth is that of published records of CreateDeployment and
CreateStage. HTTP APIs, whose event source is the same, are written as most services are, with dates in ISO form
(records of CreateApi and DeleteApi). How PutRestApi, ImportRestApi, and REST APIs' TagResource and UntagResource are
recorded is NOT FOUND: here they follow the rule.

Nothing published says which EC2 calls are of which kind. In the records that people have published, all that EC2 had
before VPC endpoints is of the older kind (CreateRoute, CreateVpc, AuthorizeSecurityGroupIngress, CreateTags …), and
endpoints and what came after are of the other (CreateNatGateway, ModifySecurityGroupRules, CreateSnapshots …). botocore
still ships the last model without endpoints.
"""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import cast
from xml.etree import ElementTree as ET  # nosec B405  # moto's own answers

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from emulator.settings import SETTINGS

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
EC2_XML_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
LAST_EC2_MODEL_WITHOUT_ENDPOINTS = "2015-03-01"

type Members = Mapping[str, object]


def request_parameters(operation: OperationModel, params: Members) -> object:
    """requestParameters from the parameters as the API model names them."""
    shape = operation.input_shape
    match operation.service_model.service_name:
        case "ec2" if _is_older(operation.name):
            return _older_request(operation.name, shape, params) if shape else {}
        case "ec2":
            return {f"{operation.name}Request": _xml_request(shape, params) if shape else ""}
        case "apigateway":
            return _rest_api_request(operation, params)
        case _:
            return (_lowered(shape, params) if shape else None) or None


def response_elements(operation: OperationModel, answer: Members, body: bytes, request_id: str) -> object:
    """responseElements from a successful answer, parsed (`answer`) and as sent (`body`, for XML turned into JSON)."""
    shape = operation.output_shape
    match operation.service_model.service_name:
        case "ec2" if _is_older(operation.name):
            return {"requestId": request_id, **_older_answer(operation, shape, answer)}
        case "ec2":
            elements = cast(Members, _from_xml(ET.fromstring(body)))  # nosec B314  # noqa: S314  # moto's own answer
            return {f"{operation.name}Response": {"xmlns": EC2_XML_NAMESPACE, **elements}}
        case "apigatewayv2":
            return (_lowered(shape, answer, _iso_time) if shape else None) or None
        case _:
            return (_lowered(shape, answer) if shape else None) or None


def error_code(operation: OperationModel, code: str, status: int) -> str:
    """EC2 says whose fault it was (Client.UnauthorizedOperation); how App Runner and ELBv2 spell theirs is NOT FOUND in
    aws-facts 1.5, so those are as in the answer, but for the code of a denied call, which can be set."""
    if operation.service_model.service_name != "ec2":
        return SETTINGS.denied_as if code == "AccessDeniedException" else code
    return f"{'Server' if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 'Client'}.{code}"


# Most services


def _lowered(shape: Shape, value: object, time: Callable[[datetime], str] | None = None) -> object:
    """`time` writes the moments in it."""
    if _is_sensitive(shape):
        return HIDDEN
    if isinstance(shape, StructureShape):
        members = cast(Members, value)
        return {
            _lower_first(name): _lowered(shape.members[name], member, time)
            for name, member in members.items()
            if name in shape.members and member is not None
        }
    if isinstance(shape, ListShape):
        return [_lowered(shape.member, member, time) for member in cast(list[object], value)]
    if isinstance(shape, MapShape):
        return {key: _lowered(shape.value, member, time) for key, member in cast(Members, value).items()}
    return (time or _java_time)(value) if isinstance(value, datetime) else _plain(value)


def _is_sensitive(shape: Shape) -> bool:
    """The whole value is hidden, even a map of which only the keys and values are marked (aws-facts 1.1)."""
    if isinstance(shape, ListShape):
        return _is_sensitive(shape.member)
    if isinstance(shape, MapShape):
        return _is_sensitive(shape.key) or _is_sensitive(shape.value)
    return bool(shape.metadata.get("sensitive"))


def _java_time(moment: datetime) -> str:
    """Apr 4, 2025 4:54:30 AM"""
    utc = _utc(moment)
    return f"{utc:%b} {utc.day}, {utc.year} {utc.hour % 12 or 12}:{utc:%M:%S %p}"


def _iso_time(moment: datetime) -> str:
    return f"{_utc(moment):%Y-%m-%dT%H:%M:%SZ}"


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


# REST APIs: only requests. Real answers add up to thirty links of no use (restapiUpdate, deploymentStages, self …).


def _rest_api_request(operation: OperationModel, params: Members) -> object:
    """What is in the path or the query is shown beside the input, by the model's names; the input has the names of the
    wire, so PutIntegration has an httpMethod in both."""
    shape = cast(StructureShape, operation.input_shape)
    lowered = cast(Members, _lowered(shape, {**params, **_import_parameters(shape, params)}))
    outside: dict[str, object] = {}
    body: dict[str, object] = {}
    for name, value in lowered.items():
        member = shape.members[name].serialization
        if member.get("location") not in ("uri", "querystring"):
            body[str(member.get("name", name))] = value
        elif value != {}:
            outside[name] = value
    wrapped = {f"{_lower_first(operation.name)}Input": body} if body else {}
    return {**outside, **wrapped, "template": False}


def _import_parameters(shape: StructureShape, params: Members) -> Members:
    """The `parameters` of an import: moto's parser puts all of the query there."""
    others = {str(member.serialization.get("name")) for member in shape.members.values()} | {"mode"}
    given = cast(Members, params.get("parameters") or {})
    return {"parameters": {key: value for key, value in given.items() if key not in others}} if given else {}


# EC2, older calls. The names come from the model's wire names; where published records differ, from these tables.

_OLDER_SETS = {
    "Groups": "groupSet",
    "InstanceIds": "instancesSet",
    "PrivateIpAddresses": "privateIpAddressesSet",
    "Resources": "resourcesSet",
    "SecurityGroupIds": "groupSet",
    "TagSpecifications": "tagSpecificationSet",
    "Tags": "tagSet",
}
_OLDER_ITEMS = {"groupSet": "groupId"}
_OLDER_NAMES = {
    ("CreateNetworkAclEntry", "Protocol"): "aclProtocol",
    ("ReplaceNetworkAclEntry", "Protocol"): "aclProtocol",
    ("CreateSecurityGroup", "Description"): "groupDescription",
}
_OLDER_ALWAYS_SHOWN = {
    "AuthorizeSecurityGroupEgressRequest": ("ipPermissions",),
    "AuthorizeSecurityGroupIngressRequest": ("ipPermissions",),
    "CreateNetworkAclEntryRequest": ("icmpTypeCode", "portRange"),
    "CreateNetworkInterfaceRequest": ("groupSet", "privateIpAddressesSet"),
    "IpPermission": ("groups", "ipRanges", "ipv6Ranges", "prefixListIds"),
    "ReplaceNetworkAclEntryRequest": ("icmpTypeCode", "portRange"),
    "RevokeSecurityGroupEgressRequest": ("ipPermissions",),
    "RevokeSecurityGroupIngressRequest": ("ipPermissions",),
}
_OLDER_ANSWERS_WITH_UNMODELLED_RETURN = {"AssociateAddress", "CreateSecurityGroup"}


@cache
def _older_operations() -> frozenset[str]:
    model = Loader().load_service_model("ec2", "service-2", LAST_EC2_MODEL_WITHOUT_ENDPOINTS)
    return frozenset(cast(Mapping[str, object], model["operations"]))


def _is_older(operation: str) -> bool:
    return operation in _older_operations()


def _older_request(operation: str, shape: StructureShape, params: Members) -> dict[str, object]:
    shown: dict[str, object] = {name: {} for name in _OLDER_ALWAYS_SHOWN.get(shape.name, ())}
    for member, value in params.items():
        name = _OLDER_NAMES.get((operation, member)) or _older_name(member, shape.members[member])
        shown[name] = _older_value(operation, name, shape.members[member], value)
    return shown


def _older_name(member: str, shape: Shape) -> str:
    # A wire name that begins with a capital (SecurityGroupRuleId.1) is that of one item, not of the member.
    wire = str(shape.serialization.get("name", ""))
    return _OLDER_SETS.get(member) or (wire if wire[:1].islower() else _lower_first(member))


def _older_value(operation: str, name: str, shape: Shape, value: object) -> object:
    if isinstance(shape, StructureShape):
        if shape.name == "TagSpecification":
            return _lowered(shape, value)
        return _older_request(operation, shape, cast(Members, value))
    if isinstance(shape, ListShape):
        items = cast(list[object], value)
        if not isinstance(shape.member, StructureShape):
            key = _OLDER_ITEMS.get(name) or _lower_first(str(shape.serialization.get("name", name)))
            return {"items": [{key: item} for item in items]}
        return {"items": [_older_value(operation, name, shape.member, item) for item in items]}
    return _milliseconds(value) if isinstance(value, datetime) else _plain(value)


def _older_answer(operation: OperationModel, shape: StructureShape | None, answer: Members) -> dict[str, object]:
    elements = cast(dict[str, object], _older_element(shape, answer)) if shape else {}
    # The model leaves out the `return` of some calls, and moto then does not send it; EC2's records always have it.
    returns = shape is None or "Return" in shape.members or operation.name in _OLDER_ANSWERS_WITH_UNMODELLED_RETURN
    return {"_return": True, **elements} if returns else elements


def _older_element(shape: Shape, value: object) -> object:
    if isinstance(shape, StructureShape):
        elements = {}
        for name, member in cast(Members, value).items():
            if name not in shape.members or member is None or (member == {}):
                continue
            wire = str(shape.members[name].serialization.get("name", _lower_first(name)))
            elements["_return" if wire == "return" else wire] = _older_element(shape.members[name], member)
        return elements
    if isinstance(shape, ListShape):
        items = [_older_element(shape.member, item) for item in cast(list[object], value)]
        return {"items": items} if items else {}
    return _milliseconds(value) if isinstance(value, datetime) else _plain(value)


def _milliseconds(moment: datetime) -> int:
    return int(_utc(moment).timestamp() * 1000)


# EC2, the other calls: XML turned into JSON. One child is the child itself and several are a list; an empty element is
# "", so is an empty set; text that reads as a number or a boolean becomes one (ownerId).

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def _xml_request(shape: StructureShape, params: Members) -> object:
    return {
        _wire_name(name, shape.members[name]): _xml_value(shape.members[name], value) for name, value in params.items()
    }


def _wire_name(member: str, shape: Shape) -> str:
    name = str(shape.serialization.get("queryName") or shape.serialization.get("name", member))
    return name[:1].upper() + name[1:]


def _xml_value(shape: Shape, value: object) -> object:
    if isinstance(shape, StructureShape):
        return _xml_request(shape, cast(Members, value))
    if isinstance(shape, ListShape):
        entries = [
            {"tag": number, **_entry(_xml_value(shape.member, item))}
            for number, item in enumerate(cast(list[object], value), start=1)
        ]
        return entries[0] if len(entries) == 1 else entries
    if isinstance(value, datetime):
        return f"{_utc(value):%Y-%m-%dT%H:%M:%S.000Z}"
    return _scalar(value) if isinstance(value, str) else _plain(value)


def _entry(value: object) -> Members:
    return value if isinstance(value, Mapping) else {"content": value}


def _from_xml(element: ET.Element) -> object:
    children: dict[str, list[object]] = {}
    for child in element:
        children.setdefault(child.tag.rpartition("}")[2], []).append(_from_xml(child))
    if not children:
        return _scalar(element.text or "")
    return {name: values[0] if len(values) == 1 else values for name, values in children.items()}


def _scalar(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _INTEGER.fullmatch(text) else text
