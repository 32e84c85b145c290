"""The Resource Groups Tagging API: the tags of many resources in few calls. Its index lags behind by some minutes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.reads import Pending, Reads

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
