"""The whole program against an emulated AWS that people have made things in."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import TokenRetrievalError

from apprunner_guardrails.aws.reads import action
from backfill.history import CALLS
from emulator.apprunner import apprunner_backends
from emulator.worlds.parts import sdk_client
from tests.backfill.conftest import LOOKUP, PATH, WRITES, Place
from tests.samples import ACCOUNT, REGION

type Tags = dict[str, dict[str, str]]


def ours(who: str, when: str, tool: str = "CLI") -> dict[str, str]:
    return {"created-by": who, "created-at": f"2026-11-02T09:{when}:00Z", "created-with": tool}


# What everything in the place lacks, by what stands before the last part of its ARN.
LACKS = {
    "vpc-endpoint": ours("operations", "03"),
    f"service/{PATH}-orders": ours("operations", "06"),
    f"vpcconnector/{PATH}/1": ours("operations", "06"),
    f"vpcingressconnection/{PATH}": ours("operations", "09"),
    f"loadbalancer/net/{PATH}": ours("operations", "12"),
    f"targetgroup/{PATH}": ours("operations", "12"),
    "vpcconnector/by-dana/1": {"created-at": "2026-11-02T09:19:00Z", "created-with": "console"},
    "vpcconnector/by-terraform/1": ours("terraform", "19", "Terraform"),
}
LEFT = {
    "vpcconnector/gone/1": "it was deleted",
    "targetgroup/unbound": "it is on no path that is bound to an endpoint",
}


def name(arn: str) -> str:
    return arn.rpartition(":")[2].rpartition("/")[0]


def answers(said: Any) -> dict[str, Any]:
    """The tags of each resource, or why it gets none, by its answer and name."""
    found: dict[str, Any] = {}
    for one in said["resources"]:
        found.setdefault(one["answer"], {})[name(one["arn"])] = one["tags"] or one["why"]
    return found


def added(before: Tags, place: Place) -> Tags:
    """What each resource got, by its name. Nothing may have been changed or taken off."""
    after = place.tags()
    assert before.keys() == after.keys()
    assert all(after[one].items() >= tags.items() for one, tags in before.items())
    found = {one: {key: value for key, value in after[one].items() if key not in before[one]} for one in before}
    named = {"vpc-endpoint" if one.startswith("vpce-") else name(one) or one: tags for one, tags in found.items()}
    return {one: tags for one, tags in named.items() if tags}


def test_without_apply_it_tells_what_is_missing_and_changes_nothing(lived_in: Place, told: Callable[..., Any]) -> None:
    before, calls = lived_in.tags(), lived_in.calls()
    said = told(lived_in, calls=calls)
    assert answers(said) == {"would tag": LACKS, "left": LEFT}
    assert (added(before, lived_in), calls.of(*WRITES)) == ({}, [])
    assert (said["stopped"], said["read"]) == (None, {"calls": list(CALLS), "pages": 6, "events": 10})
    assert said["progress_file"] == str(lived_in.file)
    assert [one["when"] for one in said["resources"]] == sorted(one["when"] for one in said["resources"])
    assert {name(one["arn"]): one["who"] for one in said["resources"] if "operations" not in one["who"]} == {
        "vpcconnector/by-dana/1": "AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789/dana.ortiz",
        "vpcconnector/by-terraform/1": "terraform",
        "vpcconnector/gone/1": "mara.lind",
    }


def test_with_apply_just_that_is_put_and_no_interface_is_touched(lived_in: Place, told: Callable[..., Any]) -> None:
    before = lived_in.tags()
    said = told(lived_in, "--apply", "1")
    assert answers(said) == {"tagged": LACKS, "left": LEFT}
    assert added(before, lived_in) == LACKS
    assert any(one.startswith("eni-") for one in before)
    assert (said["progress_file"], lived_in.file.exists()) == (None, False)


def test_once_is_enough(lived_in: Place, told: Callable[..., Any]) -> None:
    told(lived_in, "--apply")
    calls = lived_in.calls()
    said = told(lived_in, "--apply", calls=calls)
    assert answers(said) == {"left": {**dict.fromkeys(LACKS, "it has every tag"), **LEFT}}
    assert (calls.of(*WRITES), calls.of(LOOKUP)) == ([], [LOOKUP] * 6)


def test_apply_looks_nothing_up_that_was_read_within_a_day(lived_in: Place, told: Callable[..., Any]) -> None:
    told(lived_in)
    lived_in.aws.clock.advance(86_000)
    calls = lived_in.calls()
    assert answers(told(lived_in, "--apply", calls=calls)) == {"tagged": LACKS, "left": LEFT}
    assert calls.of(LOOKUP) == []


@pytest.mark.parametrize(("wait", "arguments"), [(0, ["--fresh", "1"]), (86_500, [])], ids=["fresh", "a-day-later"])
def test_everything_is_looked_up_again_if_that_is_asked_for_or_it_is_old(
    lived_in: Place, told: Callable[..., Any], wait: int, arguments: list[str]
) -> None:
    told(lived_in)
    lived_in.aws.clock.advance(wait)
    calls = lived_in.calls()
    assert answers(told(lived_in, *arguments, calls=calls)) == {"would tag": LACKS, "left": LEFT}
    assert calls.of(LOOKUP) == [LOOKUP] * 6


def test_what_has_got_tags_since_it_was_read_keeps_them(lived_in: Place, told: Callable[..., Any]) -> None:
    arn = next(one["arn"] for one in told(lived_in)["resources"] if "by-terraform" in one["arn"])
    sdk_client("apprunner").tag_resource(ResourceArn=arn, Tags=[{"Key": "created-by", "Value": "mara"}])
    told(lived_in, "--apply")
    assert lived_in.tags()[arn]["created-by"] == "mara"


@pytest.mark.parametrize("has_arrived", [False, True], ids=["lost", "arrived"])
@pytest.mark.parametrize("point", [0, 3, 7, 12, 17, 22])
def test_wherever_it_is_interrupted_the_next_run_does_the_rest(
    lived_in: Place, capsys: pytest.CaptureFixture[str], point: int, has_arrived: bool
) -> None:
    before, calls = lived_in.tags(), lived_in.calls(point, has_arrived=has_arrived)
    assert lived_in.run("--apply", calls=calls) == 130
    assert "run it again to continue" in "".join(capsys.readouterr())
    again = lived_in.calls()
    assert lived_in.run("--apply", calls=again) == 0
    assert added(before, lived_in) == LACKS
    assert len(calls.of(LOOKUP) + again.of(LOOKUP)) == 6 + (0 < point < 7), "the page that was interrupted comes again"
    assert len(calls.of(*WRITES) + again.of(*WRITES)) <= len(LACKS) + 1
    assert not lived_in.file.exists()


# --- The tags of a stack --------------------------------------------------------------------------------------------


@contextmanager
def deployed(**parameters: str) -> Iterator[None]:
    """There is a stack guardrails with these parameters."""
    body = {
        "Parameters": {one: {"Type": "String"} for one in parameters},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    cloudformation = sdk_client("cloudformation")
    cloudformation.create_stack(
        StackName="guardrails",
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": one, "ParameterValue": value} for one, value in parameters.items()],
    )
    yield
    cloudformation.delete_stack(StackName="guardrails")


def test_the_names_and_further_tags_are_those_of_the_stack(lived_in: Place, told: Callable[..., Any]) -> None:
    with deployed(
        CreatedByTag="owner",
        CreatedAtTag="",
        CreatedWithTag="tool",
        DefaultTags='{"team": "platform"}',
        EmailsInTags="true",
        MinConnectorZones="2",
    ):
        said = told(lived_in, "--apply", "--stack", "guardrails")
    tagged = answers(said)["tagged"]
    assert (said["stack"], tagged.keys()) == ("guardrails", LACKS.keys())
    assert tagged["vpcconnector/by-terraform/1"] == {"owner": "terraform", "tool": "Terraform", "team": "platform"}
    assert tagged["vpcconnector/by-dana/1"] == {
        "owner": "AWSReservedSSO_PlatformAdmin_0a1b2c3d4e5f6789/dana.ortiz@example.com",
        "tool": "console",
        "team": "platform",
    }


def test_what_an_older_stack_has_no_parameter_for_is_by_default(lived_in: Place, told: Callable[..., Any]) -> None:
    with deployed(CreatedByTag="owner", CreatedWithTag=""):
        tagged = answers(told(lived_in, "--stack", "guardrails"))["would tag"]
    assert tagged["vpcconnector/by-terraform/1"] == {"owner": "terraform", "created-at": "2026-11-02T09:19:00Z"}


def test_tags_that_are_new_since_an_interruption_are_put_on_what_was_done_before(
    lived_in: Place, told: Callable[..., Any]
) -> None:
    calls = lived_in.calls(17)
    assert told(lived_in, "--apply", calls=calls, ends=130)["stopped"] == "interrupted"
    assert calls.of(*WRITES)
    with deployed(DefaultTags='{"team": "platform"}'):
        told(lived_in, "--apply", "--stack", "guardrails")
    tagged = [tags for tags in lived_in.tags().values() if "created-at" in tags]
    assert (len(tagged), {tags.get("team") for tags in tagged}) == (len(LACKS), {"platform"})


def refusal(place: Place, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that it ends with, before anything was looked up."""
    calls = place.calls()
    assert place.run("--apply", "--stack", "guardrails", calls=calls) == 2
    assert (calls.of(LOOKUP, *WRITES), place.folder.exists()) == ([], False)
    return capsys.readouterr().err


def test_a_stack_that_is_not_there_is_said(lived_in: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(lived_in, capsys) == (
        "backfill: there is no stack guardrails in this account and Region: name the one that sam deploy has made"
        " (STACK=name), or leave STACK out for the template's defaults\n"
    )


def test_a_stack_without_these_parameters_is_said(lived_in: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(MinConnectorZones="2"):
        assert refusal(lived_in, capsys) == (
            "backfill: the stack guardrails has none of the parameters CreatedByTag, CreatedAtTag, CreatedWithTag,"
            " DefaultTags, EmailsInTags: it is another stack, or was deployed before there were ownership tags; deploy"
            " it anew, or leave STACK out for the defaults\n"
        )


def test_a_parameter_that_cannot_be_used_is_said(lived_in: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(DefaultTags='["team"]'):
        assert refusal(lived_in, capsys).startswith(
            "backfill: the stack guardrails cannot be followed: environment variable DEFAULT_TAGS is '[\"team\"]'; it"
        )


def test_a_stack_that_puts_no_tags_is_said(lived_in: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(CreatedByTag="", CreatedAtTag="", CreatedWithTag="", DefaultTags="{}"):
        assert refusal(lived_in, capsys) == (
            "backfill: these settings put no tags: CreatedByTag, CreatedAtTag, CreatedWithTag and DefaultTags are"
            " empty\n"
        )


def test_what_it_asks_of_aws_is_among_the_permissions_that_help_names(
    lived_in: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = lived_in.calls()
    with deployed(CreatedByTag="owner"):
        assert lived_in.run("--apply", "--stack", "guardrails", calls=calls) == 0
    asked = {action(service, method.title().replace("_", "")) for service, method, _ in calls.made}
    asked.remove("sts:GetCallerIdentity")  # which needs none
    capsys.readouterr()
    with pytest.raises(SystemExit):
        lived_in.run("--help")
    named = set(re.findall(r"[a-z0-9]+:[A-Z][A-Za-z]+", capsys.readouterr().out))
    assert named - asked == {
        "apprunner:DescribeService",
        "apprunner:DescribeVpcIngressConnection",
    }  # of what is deleted
    assert asked <= named


# --- What goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action", ["sts:GetCallerIdentity", "cloudformation:DescribeStacks", "cloudtrail:LookupEvents"]
)
def test_a_permission_that_lacks_is_named(lived_in: Place, capsys: pytest.CaptureFixture[str], action: str) -> None:
    with deployed(CreatedByTag="owner"), lived_in.aws.deny(action):
        assert lived_in.run("--stack", "guardrails") == 2
    assert capsys.readouterr().err == f"backfill: these credentials lack the permission {action}\n"


def test_what_could_not_be_tagged_is_named_and_the_rest_goes_on(lived_in: Place, told: Callable[..., Any]) -> None:
    with lived_in.aws.deny("ec2:CreateTags", "elasticloadbalancing:DescribeTags"):
        said = told(lived_in, "--apply", ends=1)
    found = answers(said)
    assert {one: why.partition(" was not tagged: ")[2] for one, why in found["failed"].items()} == {
        "vpc-endpoint": "ec2:CreateTags failed (UnauthorizedOperation)",
        f"loadbalancer/net/{PATH}": "elasticloadbalancing:DescribeTags failed (AccessDenied)",
        f"targetgroup/{PATH}": "elasticloadbalancing:DescribeTags failed (AccessDenied)",
        "targetgroup/unbound": "elasticloadbalancing:DescribeTags failed (AccessDenied)",
    }
    assert found["tagged"] == {one: tags for one, tags in LACKS.items() if one not in found["failed"]}
    assert said["progress_file"] == str(lived_in.file)
    calls = lived_in.calls()
    again = answers(told(lived_in, "--apply", calls=calls))
    assert again["tagged"] == {one: tags for one, tags in LACKS.items() if one in found["failed"]}
    assert again["tagged before"].keys() == found["tagged"].keys()
    assert (calls.of(LOOKUP), lived_in.file.exists()) == ([], False)


def test_what_was_bound_since_it_was_left_is_tagged_by_the_next_run(lived_in: Place, told: Callable[..., Any]) -> None:
    with lived_in.aws.deny("ec2:CreateTags"):
        found = told(lived_in, "--apply", ends=1)
    unbound = "targetgroup/unbound"
    assert answers(found)["left"][unbound] == "it is on no path that is bound to an endpoint"
    [arn] = [one["arn"] for one in found["resources"] if name(one["arn"]) == unbound]
    [endpoint] = sdk_client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    binding = {"Key": "apprunner-guardrails:endpoint", "Value": endpoint["VpcEndpointId"]}
    sdk_client("elbv2").add_tags(ResourceArns=[arn], Tags=[binding])
    assert answers(told(lived_in, "--apply"))["tagged"] == {
        "vpc-endpoint": LACKS["vpc-endpoint"],
        unbound: ours("operations", "19", "SDK"),
    }


def test_what_app_runner_no_longer_knows_ends_it(lived_in: Place, told: Callable[..., Any]) -> None:
    """How long App Runner goes on to describe what was deleted is not documented: here, no longer."""
    connectors = apprunner_backends[ACCOUNT][REGION].connectors
    with patch.dict(connectors):
        [gone] = [arn for arn in connectors if "/gone/" in arn]
        del connectors[gone]
        said = told(lived_in, "--apply")
    assert answers(said) == {"tagged": LACKS, "left": {**LEFT, "vpcconnector/gone/1": "it no longer exists"}}
    assert (said["stopped"], said["progress_file"], lived_in.folder.exists()) == (None, None, False)


def test_credentials_that_end_on_the_way_end_it_and_the_next_run_does_the_rest(
    lived_in: Place, told: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    calls = lived_in.calls(9, failure=TokenRetrievalError(provider="sso", error_msg="over"))
    assert lived_in.run("--apply", calls=calls) == 2
    out, err = capsys.readouterr()
    assert err.splitlines()[-1] == ("backfill: the credentials have expired: sign in, and run it again")
    assert "not reached" in out
    calls = lived_in.calls()
    assert not answers(told(lived_in, "--apply", calls=calls)).keys() - {"tagged", "left", "tagged before"}
    assert calls.of(LOOKUP) == []


def test_what_app_runner_is_busy_with_is_left_for_now(lived_in: Place, told: Callable[..., Any]) -> None:
    lived_in.aws.settings.refuses_tags_during_operation = True
    service = f"service/{PATH}-orders"
    apprunner = sdk_client("apprunner")
    [arn] = [one["ServiceArn"] for one in apprunner.list_services()["ServiceSummaryList"]]
    apprunner.pause_service(ServiceArn=arn)
    said = told(lived_in, "--apply")
    assert answers(said)["left for now"] == {
        service: f"{arn} cannot be tagged yet: apprunner:TagResource failed (InvalidStateException)"
    }
    lived_in.aws.clock.advance(600)
    assert answers(told(lived_in, "--apply"))["tagged"] == {service: LACKS[service]}
    assert not lived_in.file.exists()


def test_a_person_reads_what_is_put_what_is_left_and_what_comes_next(
    lived_in: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lived_in.run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "backfill  123456789012 us-east-1",
        "  tags: created-at, created-by, created-with; the template's defaults (STACK=name takes a stack's own)",
    ]
    assert [line.split("arn:")[0] for line in lines[2:10]] == ["  would tag     "] * 8
    assert lines[9].partition("by-terraform/1/")[2][32:] == (
        "  created-by=terraform  created-at=2026-11-02T09:19:00Z  created-with=Terraform"
        "  (terraform, 2026-11-02T09:19:00Z)"
    )
    kept = f"what was read is used for a day, and {lived_in.file} may be deleted"
    assert lines[10:] == [
        "  left          1 resource: it is on no path that is bound to an endpoint",
        "  left          1 resource: it was deleted",
        "10 resources in 10 events, 6 pages, 6 of 6 calls: 8 would be tagged, 2 left",
        f"nothing was changed: APPLY=1 puts these tags; {kept}",
    ]
    assert lived_in.run("--apply") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[2].startswith("  CloudTrail was read at 2026-11-")
    assert lines[2].endswith(" UTC and is not read again; FRESH=1 reads what was made since then too")
    assert lines[-1] == "10 resources in 10 events, 6 pages, 6 of 6 calls: 8 tagged, 2 left"
    assert err == "  looked at 10 of 10 resources\n"
