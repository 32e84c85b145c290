"""Service Quotas: how much of App Runner an account may have in a Region."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.facts import CONNECTOR_QUOTA, CONNECTOR_QUOTA_DEFAULT, CONNECTOR_QUOTA_NEAR, QUOTAS_OF, Unread
from apprunner_guardrails.light import replace

if TYPE_CHECKING:
    from apprunner_guardrails.aws.reads import Page


_NO_OTHER = "NoSuchResourceException"  # of some quotas Service Quotas tells no value but the default one


def connector_quota(reads: Reads) -> Pending[int]:
    """How many active VPC connectors the account may have in the Region
    (docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html)."""
    asked = reads.ask("service-quotas", "GetServiceQuota", _value, ServiceCode=QUOTAS_OF, QuotaCode=CONNECTOR_QUOTA)

    def wait() -> int | Unread:
        told = asked()
        if not isinstance(told, Unread):
            return told
        if told.code == _NO_OTHER:
            return CONNECTOR_QUOTA_DEFAULT
        return replace(told, call="servicequotas:GetServiceQuota")  # IAM's name of the service is not botocore's

    return wait


def quota_if_near(reads: Reads, connectors: int) -> Pending[int]:
    """The quota where so many connectors can be near it, else AWS's default: a quota can only be raised."""
    if connectors < CONNECTOR_QUOTA_NEAR * CONNECTOR_QUOTA_DEFAULT:
        return lambda: CONNECTOR_QUOTA_DEFAULT
    return connector_quota(reads)


def _value(pages: "Sequence[Page]") -> int:
    return int(pages[0]["Quota"]["Value"])
