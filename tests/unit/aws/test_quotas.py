"""What is asked of Service Quotas, when, and what an answer that there is none means."""

import pytest

from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.quotas import connector_quota, quota_if_near
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import CONNECTOR_QUOTA, CONNECTOR_QUOTA_DEFAULT, QUOTAS_OF, Unread
from tests.aws import FAULTS, Aws, Fault, refused
from tests.samples import Rows

ASKED = [{"ServiceCode": QUOTAS_OF, "QuotaCode": CONNECTOR_QUOTA}]
RAISED: Rows = {"ServiceQuotas": [{"QuotaCode": CONNECTOR_QUOTA, "Value": 40.0}]}


@pytest.mark.parametrize(
    ("connectors", "asked", "quota"),
    [(0, [], CONNECTOR_QUOTA_DEFAULT), (7, [], CONNECTOR_QUOTA_DEFAULT), (8, ASKED, 40), (100, ASKED, 40)],
)
def test_the_quota_is_asked_for_where_its_default_would_be_near(
    connectors: int, asked: list[dict[str, str]], quota: int
) -> None:
    """It can only be raised: far from the default, nothing hangs on what it is."""
    with Aws(RAISED) as aws:
        assert quota_if_near(Reads(client), connectors)() == quota
    assert aws.sent("servicequotas:GetServiceQuota") == asked


def test_a_quota_that_was_never_raised_is_the_default_one() -> None:
    with Aws({}):
        assert connector_quota(Reads(client))() == CONNECTOR_QUOTA_DEFAULT


@pytest.mark.parametrize("fault", [refused("AccessDeniedException"), FAULTS["no answer"]], ids=["denied", "no answer"])
def test_a_quota_that_cannot_be_read_is_unread_by_the_name_that_policies_know(fault: Fault) -> None:
    with Aws(RAISED, {"servicequotas:GetServiceQuota": fault}):
        assert connector_quota(Reads(client))() == Unread(call="servicequotas:GetServiceQuota", code=fault.code)
