"""Tags of many resources in few calls, by the Resource Groups Tagging API, whose index lags behind by some minutes; and
adding tags to one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.aws.writes import tried
from apprunner_guardrails.facts import Unread

if TYPE_CHECKING:
    from apprunner_guardrails.aws.reads import Page

# What the Resource Groups Tagging API calls the resources that carry exemptions.
KINDS = ("apprunner:service", "apprunner:vpcconnector")


def tags_of_all(reads: Reads) -> Pending[Mapping[str, Mapping[str, str]]]:
    """Tags by ARN, of the Region's connectors and services that have any: 100 a page."""
    return reads.ask(
        "resourcegroupstaggingapi", "GetResources", _tags, ResourceTypeFilters=list(KINDS), ResourcesPerPage=100
    )


def tags_of_bound(reads: Reads, key: str) -> Pending[Mapping[str, Mapping[str, str]]]:
    """Tags by ARN, of the Region's target groups that carry a tag of this key: 100 a page."""
    return reads.ask(
        "resourcegroupstaggingapi",
        "GetResources",
        _tags,
        ResourceTypeFilters=["elasticloadbalancing:targetgroup"],
        TagFilters=[{"Key": key}],
        ResourcesPerPage=100,
    )


def _tags(pages: "Sequence[Page]") -> Mapping[str, Mapping[str, str]]:
    return {
        row["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
        for page in pages
        for row in page.get("ResourceTagMappingList", ())
    }


def add_to_apprunner(client: Clients, arn: str, tags: Mapping[str, str]) -> Unread | None:
    """Put tags on an App Runner resource; what went wrong, if something did. A key that is there gets the new value:
    whoever calls this has looked."""
    return tried(
        "apprunner",
        "TagResource",
        lambda: client("apprunner").tag_resource(  # type: ignore[attr-defined]  # botocore makes the methods from the service's model
            ResourceArn=arn, Tags=_listed(tags)
        ),
    )


def add_to_endpoint(client: Clients, endpoint_id: str, tags: Mapping[str, str]) -> Unread | None:
    """The same for a VPC endpoint."""
    return tried(
        "ec2",
        "CreateTags",
        lambda: client("ec2").create_tags(  # type: ignore[attr-defined]  # as above
            Resources=[endpoint_id], Tags=_listed(tags)
        ),
    )


def add_to_balancing(client: Clients, arn: str, tags: Mapping[str, str]) -> Unread | None:
    """The same for a target group or a load balancer."""
    return tried(
        "elbv2",
        "AddTags",
        lambda: client("elbv2").add_tags(  # type: ignore[attr-defined]  # as above
            ResourceArns=[arn], Tags=_listed(tags)
        ),
    )


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
