import re
from collections.abc import Mapping
from typing import Any

import pytest

from apprunner_guardrails.findings import Severity
from apprunner_guardrails.settings import BadSettings, Policy, Settings

TOPIC = "arn:aws:sns:eu-west-1:111122223333:alerts"
GOVERNMENT_TOPIC = "arn:aws-us-gov:sns:us-gov-west-1:111122223333:a_B-9"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/guardrails-SyncQueue-1A2B"
REQUIRED = {"ALERT_TOPIC_ARN": TOPIC, "FINDINGS_TABLE": "Findings"}


def from_env(**environment: str) -> Settings:
    return Settings.from_env({**REQUIRED, **environment})


def test_all_but_the_topic_and_the_table_have_defaults() -> None:
    assert from_env() == Settings(
        alert_topic_arn=TOPIC,
        findings_table="Findings",
        chat_topic_arn="",
        security_hub=False,
        reminder_days=7,
        digest_hour=7,
        rule_overrides={},
        min_connector_zones=3,
        unsupported_zone_ids=("use1-az3",),
        min_free_addresses=8,
        required_endpoint_services=(),
        require_internet_egress=True,
        sync_policy=Policy.SYNC,
        sync_queue_url="",
        sync_wait_minutes=15,
        drain_deleted_endpoints=False,
        created_by_tag="created-by",
        created_at_tag="created-at",
        created_with_tag="created-with",
        default_tags={},
        emails_in_tags=False,
        tag_queue_url="",
    )


def test_the_defaults_of_the_record_are_those_of_the_environment() -> None:
    assert Settings(alert_topic_arn=TOPIC, findings_table="Findings") == from_env()


@pytest.mark.parametrize(
    ("environment", "field", "value"),
    [
        ({"ALERT_TOPIC_ARN": GOVERNMENT_TOPIC}, "alert_topic_arn", GOVERNMENT_TOPIC),
        ({"FINDINGS_TABLE": " guardrails-Findings_1.a "}, "findings_table", "guardrails-Findings_1.a"),
        ({"CHAT_TOPIC_ARN": f"{TOPIC}-chat"}, "chat_topic_arn", f"{TOPIC}-chat"),
        ({"CHAT_TOPIC_ARN": ""}, "chat_topic_arn", ""),
        ({"SECURITY_HUB": "true"}, "security_hub", True),
        ({"REMINDER_DAYS": "0"}, "reminder_days", 0),
        ({"REMINDER_DAYS": "365"}, "reminder_days", 365),
        ({"DIGEST_HOUR": "0"}, "digest_hour", 0),
        ({"DIGEST_HOUR": "23"}, "digest_hour", 23),
        ({"DIGEST_HOUR": "off"}, "digest_hour", None),
        ({"RULE_OVERRIDES": ""}, "rule_overrides", {}),
        ({"RULE_OVERRIDES": "{}"}, "rule_overrides", {}),
        (
            {"RULE_OVERRIDES": ' {"AR203": "HIGH", "AR101": "off"} '},
            "rule_overrides",
            {"AR101": None, "AR203": Severity.HIGH},
        ),
        ({"MIN_CONNECTOR_ZONES": "1"}, "min_connector_zones", 1),
        ({"MIN_CONNECTOR_ZONES": " 6 "}, "min_connector_zones", 6),
        ({"MIN_FREE_ADDRESSES": "0"}, "min_free_addresses", 0),
        ({"MIN_FREE_ADDRESSES": "65536"}, "min_free_addresses", 65536),
        ({"UNSUPPORTED_ZONE_IDS": ""}, "unsupported_zone_ids", ()),
        (
            {"UNSUPPORTED_ZONE_IDS": "usw2-az4, use1-az3 ,,use1-bos1-az1,use1-az3"},
            "unsupported_zone_ids",
            ("use1-az3", "use1-bos1-az1", "usw2-az4"),
        ),
        ({"REQUIRED_ENDPOINT_SERVICES": ""}, "required_endpoint_services", ()),
        (
            {"REQUIRED_ENDPOINT_SERVICES": "secretsmanager,com.amazonaws.eu-west-1.s3,ecr.dkr"},
            "required_endpoint_services",
            ("com.amazonaws.eu-west-1.s3", "ecr.dkr", "secretsmanager"),
        ),
        ({"REQUIRE_INTERNET_EGRESS": "false"}, "require_internet_egress", False),
        ({"REQUIRE_INTERNET_EGRESS": "True"}, "require_internet_egress", True),
        ({"SYNC_POLICY": "sync"}, "sync_policy", Policy.SYNC),
        ({"SYNC_POLICY": "register-only"}, "sync_policy", Policy.REGISTER_ONLY),
        ({"SYNC_POLICY": "report-only"}, "sync_policy", Policy.REPORT_ONLY),
        ({"SYNC_QUEUE_URL": QUEUE}, "sync_queue_url", QUEUE),
        (
            {"SYNC_QUEUE_URL": "http://host.docker.internal:5000/123456789012/SyncQueue"},
            "sync_queue_url",
            "http://host.docker.internal:5000/123456789012/SyncQueue",
        ),
        ({"SYNC_QUEUE_URL": ""}, "sync_queue_url", ""),
        ({"SYNC_WAIT_MINUTES": "1"}, "sync_wait_minutes", 1),
        ({"SYNC_WAIT_MINUTES": "1440"}, "sync_wait_minutes", 1440),
        ({"DRAIN_DELETED_ENDPOINTS": "true"}, "drain_deleted_endpoints", True),
        ({"CREATED_BY_TAG": " Owner: by/who=@+-_. "}, "created_by_tag", "Owner: by/who=@+-_."),
        ({"CREATED_BY_TAG": ""}, "created_by_tag", ""),
        ({"CREATED_BY_TAG": "gehört"}, "created_by_tag", "gehört"),
        ({"CREATED_AT_TAG": "k" * 127}, "created_at_tag", "k" * 127),
        ({"CREATED_AT_TAG": ""}, "created_at_tag", ""),
        ({"CREATED_WITH_TAG": "created-by"}, "created_with_tag", "created-by"),
        ({"CREATED_WITH_TAG": " "}, "created_with_tag", ""),
        ({"DEFAULT_TAGS": ""}, "default_tags", {}),
        ({"DEFAULT_TAGS": " {} "}, "default_tags", {}),
        (
            {"DEFAULT_TAGS": '{"team": "platform", "cost-center": "4711", "note": ""}'},
            "default_tags",
            {"cost-center": "4711", "note": "", "team": "platform"},
        ),
        (
            {"DEFAULT_TAGS": '{"aws:x": "y", "Team": "a", "team": "b"}'},
            "default_tags",
            {"aws:x": "y", "Team": "a", "team": "b"},
        ),
        ({"DEFAULT_TAGS": '{"created-by": "unknown"}'}, "default_tags", {"created-by": "unknown"}),
        ({"EMAILS_IN_TAGS": "true"}, "emails_in_tags", True),
        ({"TAG_QUEUE_URL": QUEUE}, "tag_queue_url", QUEUE),
        ({"TAG_QUEUE_URL": ""}, "tag_queue_url", ""),
    ],
    ids=str,
)
def test_a_variable_sets_its_field_and_no_other(environment: Mapping[str, str], field: str, value: Any) -> None:
    changed = from_env(**environment)
    assert getattr(changed, field) == value
    others = [name for name in Settings.__slots__ if name != field]
    assert [getattr(changed, name) for name in others] == [getattr(from_env(), name) for name in others]


OVERRIDES = (
    'it takes a JSON object such as {"AR101": "off", "AR203": "HIGH"}: rule ids with off or CRITICAL, HIGH, MEDIUM,'
    " LOW, INFO"
)
OWN_TAG = "it takes the key of a tag that begins neither with aws: nor with apprunner-guardrails:, or nothing"
DEFAULT_TAGS = (
    'it takes a JSON object of texts such as {"team": "platform"}, whose keys do not begin with apprunner-guardrails:'
)


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("ALERT_TOPIC_ARN", "", "is not set; it takes the ARN of an SNS topic"),
        ("ALERT_TOPIC_ARN", "alerts", "is 'alerts'; it takes the ARN of an SNS topic"),
        (
            "ALERT_TOPIC_ARN",
            "arn:aws:sqs:eu-west-1:111122223333:a",
            "is 'arn:aws:sqs:eu-west-1:111122223333:a'; it takes the ARN of an SNS topic",
        ),
        (
            "ALERT_TOPIC_ARN",
            "arn:aws:sns:eu-west-1:١١١١٢٢٢٢٣٣٣٣:a",  # digits, but none of ours
            "is 'arn:aws:sns:eu-west-1:١١١١٢٢٢٢٣٣٣٣:a'; it takes the ARN of an SNS topic",
        ),
        ("FINDINGS_TABLE", "", "is not set; it takes the name of a DynamoDB table"),
        ("FINDINGS_TABLE", "a b", "is 'a b'; it takes the name of a DynamoDB table"),
        ("CHAT_TOPIC_ARN", "chat", "is 'chat'; it takes the ARN of an SNS topic, or nothing"),
        ("SECURITY_HUB", "on", "is 'on'; it takes true or false"),
        ("REMINDER_DAYS", "366", "is '366'; it takes a whole number of days from 0 (never) to 365"),
        ("REMINDER_DAYS", "never", "is 'never'; it takes a whole number of days from 0 (never) to 365"),
        ("DIGEST_HOUR", "24", "is '24'; it takes an hour of the day in UTC from 0 to 23, or off"),
        ("DIGEST_HOUR", "", "is not set; it takes an hour of the day in UTC from 0 to 23, or off"),
        ("RULE_OVERRIDES", "[]", f"is '[]'; {OVERRIDES}"),
        ("RULE_OVERRIDES", '"off"', f"is '\"off\"'; {OVERRIDES}"),
        ("RULE_OVERRIDES", '{"AR101": "high"}', f": AR101 is 'high'; {OVERRIDES}"),
        ("RULE_OVERRIDES", '{"AR101": "off", "AR102": ["HIGH"]}', f": AR102 is ['HIGH']; {OVERRIDES}"),
        ("RULE_OVERRIDES", '{"AR101": null}', f": AR101 is None; {OVERRIDES}"),
        ("RULE_OVERRIDES", '{"ar101": "off"}', f": 'ar101' is not a rule's id; {OVERRIDES}"),
        ("RULE_OVERRIDES", '{"AR101": "off", "AR101": "LOW"}', f": 'AR101' is named twice; {OVERRIDES}"),
        (
            "RULE_OVERRIDES",
            "AR101=off",
            f": Expecting value: line 1 column 1 (char 0); {OVERRIDES}",
        ),
        ("MIN_CONNECTOR_ZONES", "0", "is '0'; it takes a whole number from 1 to 6"),
        ("MIN_CONNECTOR_ZONES", "7", "is '7'; it takes a whole number from 1 to 6"),
        ("MIN_CONNECTOR_ZONES", "", "is not set; it takes a whole number from 1 to 6"),
        ("MIN_CONNECTOR_ZONES", "3.0", "is '3.0'; it takes a whole number from 1 to 6"),
        ("MIN_CONNECTOR_ZONES", "-3", "is '-3'; it takes a whole number from 1 to 6"),
        ("MIN_CONNECTOR_ZONES", "²", "is '²'; it takes a whole number from 1 to 6"),
        ("MIN_FREE_ADDRESSES", "65537", "is '65537'; it takes a whole number from 0 to 65536"),
        ("MIN_FREE_ADDRESSES", "9" * 5000, f"is '{'9' * 200}'; it takes a whole number from 0 to 65536"),
        (
            "UNSUPPORTED_ZONE_IDS",
            "us-east-1a",
            "is 'us-east-1a'; it takes zone ids such as use1-az3, separated by commas",
        ),
        (
            "UNSUPPORTED_ZONE_IDS",
            "use1-az3 use1-az4",
            "is 'use1-az3 use1-az4'; it takes zone ids such as use1-az3, separated by commas",
        ),
        (
            "REQUIRED_ENDPOINT_SERVICES",
            "s3;rm",
            (
                "is 's3;rm'; it takes endpoint services such as secretsmanager or com.amazonaws.eu-west-1.s3,"
                " separated by commas"
            ),
        ),
        ("REQUIRE_INTERNET_EGRESS", "yes", "is 'yes'; it takes true or false"),
        ("REQUIRE_INTERNET_EGRESS", "", "is not set; it takes true or false"),
        ("SYNC_POLICY", "Sync", "is 'Sync'; it takes sync, register-only or report-only"),
        ("SYNC_POLICY", "off", "is 'off'; it takes sync, register-only or report-only"),
        ("SYNC_POLICY", "", "is not set; it takes sync, register-only or report-only"),
        ("SYNC_QUEUE_URL", "SyncQueue", "is 'SyncQueue'; it takes the URL of an SQS queue, or nothing"),
        (
            "SYNC_QUEUE_URL",
            "arn:aws:sqs:eu-west-1:111122223333:a",
            "is 'arn:aws:sqs:eu-west-1:111122223333:a'; it takes the URL of an SQS queue, or nothing",
        ),
        (
            "SYNC_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com",
            "is 'https://sqs.eu-west-1.amazonaws.com'; it takes the URL of an SQS queue, or nothing",
        ),
        ("SYNC_WAIT_MINUTES", "0", "is '0'; it takes a whole number of minutes from 1 to 1440"),
        ("SYNC_WAIT_MINUTES", "1441", "is '1441'; it takes a whole number of minutes from 1 to 1440"),
        ("DRAIN_DELETED_ENDPOINTS", "yes", "is 'yes'; it takes true or false"),
        ("CREATED_BY_TAG", "aws:by", f"is 'aws:by'; {OWN_TAG}"),
        ("CREATED_BY_TAG", "AWS:by", f"is 'AWS:by'; {OWN_TAG}"),
        ("CREATED_AT_TAG", "apprunner-guardrails:endpoint", f"is 'apprunner-guardrails:endpoint'; {OWN_TAG}"),
        ("CREATED_AT_TAG", "AppRunner-Guardrails:at", f"is 'AppRunner-Guardrails:at'; {OWN_TAG}"),
        ("CREATED_WITH_TAG", "with(tool)", f"is 'with(tool)'; {OWN_TAG}"),
        ("CREATED_WITH_TAG", "k" * 128, f": '{'k' * 50}' and so on is longer than 127 characters; {OWN_TAG}"),
        ("DEFAULT_TAGS", "[]", f"is '[]'; {DEFAULT_TAGS}"),
        pytest.param("DEFAULT_TAGS", "[" * 100_000, f": it is nested too deeply; {DEFAULT_TAGS}", id="nested"),
        ("DEFAULT_TAGS", "team=platform", f": Expecting value: line 1 column 1 (char 0); {DEFAULT_TAGS}"),
        ("DEFAULT_TAGS", '{"team": "a", "team": "a"}', f": 'team' is named twice; {DEFAULT_TAGS}"),
        ("DEFAULT_TAGS", '{"team": 4711}', f": team is 4711, which is no text; {DEFAULT_TAGS}"),
        ("DEFAULT_TAGS", '{"team": null}', f": team is None, which is no text; {DEFAULT_TAGS}"),
        ("DEFAULT_TAGS", '{"a": "b", "team": {"x": "y"}}', f": team is {{'x': 'y'}}, which is no text; {DEFAULT_TAGS}"),
        ("DEFAULT_TAGS", '{"": "x"}', f": '' cannot be the key of a default tag; {DEFAULT_TAGS}"),
        ("DEFAULT_TAGS", '{" ": "x"}', f": ' ' cannot be the key of a default tag; {DEFAULT_TAGS}"),
        (
            "DEFAULT_TAGS",
            '{"team": "x", "apprunner-guardrails:endpoint": "vpce-1"}',
            f": 'apprunner-guardrails:endpoint' cannot be the key of a default tag; {DEFAULT_TAGS}",
        ),
        (
            "DEFAULT_TAGS",
            '{" AppRunner-Guardrails:exempt:AR101": "x"}',
            f": ' AppRunner-Guardrails:exempt:AR101' cannot be the key of a default tag; {DEFAULT_TAGS}",
        ),
        ("EMAILS_IN_TAGS", "yes", "is 'yes'; it takes true or false"),
        ("TAG_QUEUE_URL", "TagQueue", "is 'TagQueue'; it takes the URL of an SQS queue, or nothing"),
    ],
)
def test_an_unusable_value_is_refused_by_name_with_what_it_takes(name: str, raw: str, says: str) -> None:
    said = f"environment variable {name}{says}" if says.startswith(":") else f"environment variable {name} {says}"
    with pytest.raises(BadSettings, match=f"^{re.escape(said)}$"):
        from_env(**{name: raw})


@pytest.mark.parametrize("name", REQUIRED)
def test_a_topic_or_table_that_is_not_set_is_refused(name: str) -> None:
    others = {other: value for other, value in REQUIRED.items() if other != name}
    with pytest.raises(BadSettings, match=f"^environment variable {name} is not set;"):
        Settings.from_env(others)
