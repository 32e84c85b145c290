import re
from collections.abc import Mapping
from typing import Any

import pytest

from apprunner_guardrails.settings import BadSettings, Settings

TOPIC = "arn:aws:sns:eu-west-1:111122223333:alerts"


def from_env(**environment: str) -> Settings:
    return Settings.from_env({"ALERT_TOPIC_ARN": TOPIC, **environment})


def test_all_but_the_topic_have_defaults() -> None:
    assert from_env() == Settings(
        alert_topic_arn=TOPIC,
        min_connector_zones=3,
        unsupported_zone_ids=("use1-az3",),
        min_free_addresses=8,
        required_endpoint_services=(),
        require_internet_egress=True,
    )


def test_the_defaults_of_the_record_are_those_of_the_environment() -> None:
    assert Settings(alert_topic_arn=TOPIC) == from_env()


@pytest.mark.parametrize(
    ("environment", "field", "value"),
    [
        ({"ALERT_TOPIC_ARN": "arn:aws-us-gov:sns:us-gov-west-1:111122223333:a_B-9"}, "alert_topic_arn", None),
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
    ],
    ids=str,
)
def test_a_variable_sets_its_field_and_no_other(environment: Mapping[str, str], field: str, value: Any) -> None:
    expected = environment["ALERT_TOPIC_ARN"] if value is None else value
    changed = from_env(**environment)
    assert getattr(changed, field) == expected
    others = [name for name in Settings.__slots__ if name != field]
    assert [getattr(changed, name) for name in others] == [getattr(from_env(), name) for name in others]


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
    ],
)
def test_an_unusable_value_is_refused_by_name_with_what_it_takes(name: str, raw: str, says: str) -> None:
    with pytest.raises(BadSettings, match=f"^{re.escape(f'environment variable {name} {says}')}$"):
        from_env(**{name: raw})


def test_a_topic_that_is_not_set_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"^environment variable ALERT_TOPIC_ARN is not set;"):
        Settings.from_env({})
