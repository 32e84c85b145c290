"""Whatever the environment holds, settings are usable or refused by the variable's name."""

import re

from hypothesis import given
from hypothesis import strategies as st

from apprunner_guardrails.findings import Severity
from apprunner_guardrails.settings import BadSettings, Policy, Settings

VALUES = {
    "ALERT_TOPIC_ARN": ("arn:aws:sns:us-east-1:111122223333:alerts", "arn:aws:sns:us-east-1:111122223333:alerts.fifo"),
    "FINDINGS_TABLE": ("Findings", "guardrails.findings-1_a", "ab", "x" * 256, "Fündings"),
    "CHAT_TOPIC_ARN": ("", "arn:aws:sns:us-east-1:111122223333:chat", "arn:aws:sqs:us-east-1:111122223333:chat"),
    "SECURITY_HUB": ("true", "False", "", "1"),
    "REMINDER_DAYS": ("0", "7", "365", "366", "\u0667"),
    "DIGEST_HOUR": ("0", "23", "off", "24", "Off"),
    "RULE_OVERRIDES": (
        *("", "{}", '{"AR101": "off", "AR203": "HIGH"}', '{"AR101": "off", "AR101": "off"}', '{"AR101": "high"}'),
        *('{"AR099": "off"}', "[]", "{", "NaN", '{"AR101": {"AR102": "off", "AR102": "off"}}', "[" * 5000),
    ),
    "MIN_CONNECTOR_ZONES": ("1", "6", "0", "7", "03", "+3", "3e0", "²"),
    "UNSUPPORTED_ZONE_IDS": ("", "use1-az3", "use1-az3,usw2-az4", ",", "use1-az3;usw2-az4"),
    "MIN_FREE_ADDRESSES": ("0", "8", "65536", "-1"),
    "REQUIRED_ENDPOINT_SERVICES": ("", "s3", "s3, ecr.dkr", "com.amazonaws.us-east-1.s3", "S3"),
    "REQUIRE_INTERNET_EGRESS": ("true", "FALSE", "no", ""),
    "SYNC_POLICY": ("sync", "register-only", "report-only", "SYNC", "register_only"),
    "SYNC_QUEUE_URL": ("", "https://sqs.us-east-1.amazonaws.com/111122223333/a", "http://h:5000/1/a", "https://", "a"),
    "SYNC_WAIT_MINUTES": ("1", "15", "1440", "0", "1441", "1.5"),
    "DRAIN_DELETED_ENDPOINTS": ("true", "False", "", "never"),
    **dict.fromkeys(
        ("CREATED_BY_TAG", "CREATED_AT_TAG", "CREATED_WITH_TAG"),
        ("", "owner", "created by", "aws:owner", "AppRunner-Guardrails:owner", "k" * 128, "k" * 129, "who?"),
    ),
    "DEFAULT_TAGS": (
        *("", "{}", '{"team": "shop", "Team": "", "aws:x": "y"}', '{"team": "a", "team": "b"}', '{"team": 7}', "null"),
        *('{"": "x"}', '{"Apprunner-Guardrails:endpoint": "vpce-1"}', '{"\\ud800": "\\udc00"}', "[", "[" * 5000),
    ),
    "EMAILS_IN_TAGS": ("true", "False", "", "no"),
    "TAG_QUEUE_URL": ("", "https://sqs.us-east-1.amazonaws.com/111122223333/a", "a"),
}

REQUIRED = ("ALERT_TOPIC_ARN", "FINDINGS_TABLE")

environments = st.fixed_dictionaries(
    {name: st.sampled_from(VALUES[name][:1]) | st.text() for name in REQUIRED},
    optional={name: st.sampled_from(values) | st.text() for name, values in VALUES.items() if name not in REQUIRED},
)


@given(environment=environments)
def test_an_environment_is_usable_or_refused_by_a_variable_of_its_own(environment: dict[str, str]) -> None:
    try:
        made = Settings.from_env(environment)
    except BadSettings as bad:
        named = re.match(r"environment variable ([A-Z_]+)(?: is |: ).*; it takes ", str(bad), re.DOTALL)
        assert named
        assert named[1] in environment
        return
    assert 1 <= made.min_connector_zones <= 6
    assert 0 <= made.min_free_addresses <= 65536
    assert made.alert_topic_arn == environment["ALERT_TOPIC_ARN"].strip()
    assert made.findings_table == environment["FINDINGS_TABLE"].strip()
    assert made.chat_topic_arn == environment.get("CHAT_TOPIC_ARN", "").strip()
    assert 0 <= made.reminder_days <= 365
    assert made.digest_hour is None or 0 <= made.digest_hour <= 23
    assert [one for one in made.rule_overrides if not re.fullmatch(r"AR[1-9][0-9]{2}", one)] == []
    assert set(made.rule_overrides.values()) <= {None, *Severity}
    assert [one for one in made.unsupported_zone_ids if not re.fullmatch(r"[a-z0-9-]+-az[0-9]+", one)] == []
    assert made.sync_policy in Policy
    assert made.sync_queue_url == environment.get("SYNC_QUEUE_URL", "").strip()
    assert made.sync_queue_url == "" or made.sync_queue_url.startswith(("http://", "https://"))
    assert 1 <= made.sync_wait_minutes <= 1440
    assert [one for one in made.required_endpoint_services if not re.fullmatch(r"[a-z0-9.-]+", one)] == []
    for name in (made.created_by_tag, made.created_at_tag, made.created_with_tag):
        assert name == name.strip()
        assert not name.lower().startswith(("aws:", "apprunner-guardrails:"))
    keys = [key.strip().lower() for key in made.default_tags]
    assert [key for key in keys if not key or key.startswith("apprunner-guardrails:")] == []
    assert set(map(type, made.default_tags.values())) <= {str}
