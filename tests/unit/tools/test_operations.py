import ast
import json
from pathlib import Path

import pytest

from tools.operations import HANDLERS, LAYER, LIST, calls_asked_for, listed, main


def test_the_list_is_what_the_code_calls() -> None:
    assert main(["--check"]) == 0


def test_a_list_that_is_out_of_date_is_told_and_then_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / LIST.name
    path.write_text(LIST.read_text().replace('"DescribeSubnets"', '"DescribeInstances"'))
    before = path.read_text()
    assert main(["--check"], path) == 1
    assert capsys.readouterr().out == "operations.json is out of date: run `make docs` and commit what it writes.\n"
    assert path.read_text() == before
    assert main([], path) == 0
    assert capsys.readouterr().out == "wrote operations.json\n"
    assert path.read_text() == LIST.read_text()
    assert main([], path) == 0
    assert capsys.readouterr().out == ""


def test_the_list_has_the_calls_of_every_function_by_the_sdks_names() -> None:
    found = {(service, name) for service, names in json.loads(LIST.read_text()).items() for name in names}
    assert found == {call for handler in HANDLERS for call in calls_asked_for(handler)}
    assert [handler.parent.name for handler in HANDLERS] == [
        "audit_region",
        "sync_targets",
        "tag_resources",
        "validate_network",
    ]
    assert {
        ("elbv2", "RegisterTargets"),
        ("resourcegroupstaggingapi", "GetResources"),
        ("service-quotas", "GetServiceQuota"),
        ("sts", "AssumeRole"),
    } <= found


def test_calls_are_listed_by_service_in_order() -> None:
    calls = {("sns", "PublishBatch"), ("ec2", "DescribeSubnets"), ("sns", "Publish")}
    assert json.loads(listed(calls)) == {"ec2": ["DescribeSubnets"], "sns": ["Publish", "PublishBatch"]}
    assert listed(calls).index('"Publish"') < listed(calls).index('"PublishBatch"')


def test_an_operation_that_aws_does_not_have_is_refused(tmp_path: Path) -> None:
    handler = tmp_path / "app.py"
    handler.write_text('def handler(event, context):\n    return event.ask("ec2", "DescribeSubnet", None)\n')
    with pytest.raises(LookupError, match="ec2 has no DescribeSubnet"):
        calls_asked_for(handler)


def test_nothing_asks_the_sdk_for_what_the_layer_has_no_data_of() -> None:
    """Pages and waits are ours to make, and documentation nobody reads."""
    cut = {"can_paginate", "get_paginator", "get_waiter", "generate_presigned_url", "waiter_names", "exceptions"}
    used = {
        part.attr
        for path in (*(LAYER / "apprunner_guardrails").rglob("*.py"), *HANDLERS)
        for part in ast.walk(ast.parse(path.read_text()))
        if isinstance(part, ast.Attribute)
    }
    assert used & cut == set()
