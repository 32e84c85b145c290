"""The emulator in its two modes: in this process, and over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_apprunner import AppRunnerClient
from mypy_boto3_ec2 import EC2Client
from werkzeug.test import EnvironBuilder

from emulator import Emulator, emulate
from emulator.server import Application, listen, main, serving

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud

ROOT = Path(__file__).parents[2]


class TestInProcess:
    def test_the_same_seed_gives_the_same_ids_and_events(self, ec2_client: EC2Client) -> None:
        def events(seed: int) -> list[dict[str, object]]:
            with emulate(seed=seed) as aws:
                vpc = ec2_client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
                ec2_client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")
                return list(aws.events)

        first = events(1)
        assert [event["detail"]["eventName"] for event in first] == ["CreateVpc", "CreateSubnet"]  # type: ignore[index]  # JSON
        assert events(1) == first
        assert events(2) != first

    def test_ids_do_not_depend_on_what_other_threads_read_and_put(
        self, ec2_client: EC2Client, apprunner_client: AppRunnerClient, session: boto3.Session
    ) -> None:
        events = session.client("events")
        entry: Any = {"Source": "orders", "DetailType": "Order", "Detail": "{}"}

        def vpc(readers: int) -> tuple[str, str]:
            with emulate() as aws, ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda _: apprunner_client.list_services(), range(readers)))
                pool.submit(events.put_events, Entries=[entry]).result()
                return ec2_client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"], str(aws.put_events[0]["id"])

        assert vpc(readers=0) == vpc(readers=9)

    def test_nothing_is_left_of_the_one_before(self, ec2_client: EC2Client, apprunner_client: AppRunnerClient) -> None:
        with emulate() as aws:
            ec2_client.create_vpc(CidrBlock="10.0.0.0/16")
            apprunner_client.create_connection(ConnectionName="github", ProviderType="GITHUB")
            aws.clock.advance(10)
            aws.clock.schedule(5, lambda: pytest.fail("scheduled in another emulated AWS"))
        with emulate() as aws:
            assert aws.events == []
            assert aws.clock.now() == aws.clock.now().replace(second=0)
            assert apprunner_client.list_connections()["ConnectionSummaryList"] == []
            assert [each["IsDefault"] for each in ec2_client.describe_vpcs()["Vpcs"]] == [True]
            aws.clock.advance(60)

    def test_the_environment_leads_nowhere_else_and_is_put_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        theirs = {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_PROFILE": "production",
            "AWS_ACCESS_KEY_ID": "AKIAREAL",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        for name, value in theirs.items():
            monkeypatch.setenv(name, value)
        before = dict(os.environ)
        with emulate():
            client = boto3.client("apprunner")
            assert client.list_services()["ServiceSummaryList"] == []
            assert client.meta.region_name == "eu-west-1"
            assert os.environ["AWS_ACCESS_KEY_ID"] != "AKIAREAL"
        assert dict(os.environ) == before

    def test_there_is_one_at_a_time(self, aws: Emulator) -> None:
        with pytest.raises(RuntimeError, match="active already"), emulate():
            pass

    def test_a_caller_is_seen_in_the_events(self, aws: Emulator, ec2: EC2Client) -> None:
        with aws.caller("root"):
            ec2.create_vpc(CidrBlock="10.0.0.0/16")
        ec2.create_vpc(CidrBlock="10.1.0.0/16")
        details: list[Any] = [event["detail"] for event in aws.events]
        assert [detail["userIdentity"]["type"] for detail in details] == ["Root", "IAMUser"]

    def test_a_subscription_ends_when_it_is_told_to(self, aws: Emulator, ec2: EC2Client) -> None:
        heard: list[str] = []
        end = aws.subscribe(lambda event: heard.append(str(event["source"])))
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
        end()
        ec2.create_vpc(CidrBlock="10.1.0.0/16")
        assert (heard, len(aws.events)) == (["aws.ec2"], 2)

    def test_a_reset_empties_everything_and_starts_ids_and_time_again(self, cloud: "Cloud") -> None:
        def build() -> list[object]:
            service = cloud.service(connector=cloud.connector())
            return [service, cloud.aws.clock.now(), *(event["id"] for event in cloud.aws.events)]

        first = build()
        cloud.aws.reset()
        assert cloud.aws.events == []
        del cloud.network
        assert build() == first
        assert len(cloud.apprunner.list_services()["ServiceSummaryList"]) == 1

    def test_at_speed_a_request_finds_what_has_come_to_pass(self, apprunner_client: AppRunnerClient) -> None:
        with emulate(speed=1e9):
            service: Any = {
                "ImageRepository": {"ImageIdentifier": "public.ecr.aws/x/y:1", "ImageRepositoryType": "ECR_PUBLIC"}
            }
            made = apprunner_client.create_service(ServiceName="orders", SourceConfiguration=service)["Service"]
            (operation,) = apprunner_client.list_operations(ServiceArn=made["ServiceArn"])["OperationSummaryList"]
            taken = operation["EndedAt"] - operation["StartedAt"]
            assert (operation["Status"], taken.total_seconds()) == ("SUCCEEDED", 120)


@dataclass(frozen=True, kw_only=True)
class Server:
    url: str
    session: boto3.Session

    def client(self, service: Any, region: str = "us-east-1") -> Any:
        config = Config(retries={"max_attempts": 0}, max_pool_connections=16)
        return self.session.client(service, endpoint_url=self.url, region_name=region, config=config)

    def call(self, route: str, body: str | None = None) -> tuple[int, Any]:
        """Status and JSON of a control route, given as `GET /path`."""
        method, path = route.split()
        data = body.encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)  # noqa: S310  # our own server
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@pytest.fixture
def server(aws: Emulator, session: boto3.Session) -> Iterator[Server]:
    with listen("127.0.0.1", 0) as listener, serving(Application(aws), listener):
        yield Server(url=f"http://127.0.0.1:{listener.getsockname()[1]}", session=session)


class TestOverHttp:
    def test_an_sdk_client_makes_finds_tags_and_deletes_a_connector(self, server: Server) -> None:
        ec2, apprunner = server.client("ec2"), server.client("apprunner")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        arn = apprunner.create_vpc_connector(VpcConnectorName="orders", Subnets=[subnet])["VpcConnector"][
            "VpcConnectorArn"
        ]
        apprunner.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "shop"}, {"Key": "a", "Value": "b"}])
        apprunner.untag_resource(ResourceArn=arn, TagKeys=["a"])
        assert apprunner.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "shop"}]
        apprunner.delete_vpc_connector(VpcConnectorArn=arn)
        with pytest.raises(ClientError) as refused:
            apprunner.delete_vpc_connector(VpcConnectorArn=arn)
        assert refused.value.response["Error"] == {
            "Code": "ResourceNotFoundException",
            "Message": f"The VPC connector {arn} is deleted.",
        }

    def test_the_region_is_that_of_the_client(self, server: Server) -> None:
        made = server.client("apprunner", "eu-west-1").create_connection(ConnectionName="main", ProviderType="GITHUB")
        assert made["Connection"]["ConnectionArn"].startswith("arn:aws:apprunner:eu-west-1:123456789012:connection/")
        assert server.client("apprunner").list_connections()["ConnectionSummaryList"] == []

    def test_events_are_listed_and_can_be_followed(self, server: Server) -> None:
        ec2 = server.client("ec2")
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
        _, first = server.call("GET /emulator/events")
        ec2.create_vpc(CidrBlock="10.1.0.0/16")
        _, later = server.call(f"GET /emulator/events?since={len(first)}")
        assert [each["detail"]["eventName"] for each in first] == ["CreateVpc"]
        blocks = [each["detail"]["requestParameters"]["cidrBlock"] for each in later]
        assert blocks == ["10.1.0.0/16"]

    def test_time_passes_when_it_is_told_to(self, aws: Emulator, server: Server) -> None:
        ran: list[str] = []
        aws.clock.schedule(60, lambda: ran.append("due"))
        assert server.call("POST /emulator/clock", '{"advance": 90}') == (
            200,
            {"now": "2026-11-02T09:01:30+00:00", "speed": 0.0},
        )
        assert ran == ["due"]

    @pytest.mark.parametrize("path", ["/emulator/reset", "/moto-api/reset"])
    def test_a_reset_empties_resources_events_and_clock(self, server: Server, path: str) -> None:
        server.client("apprunner").create_connection(ConnectionName="main", ProviderType="GITHUB")
        server.call("POST /emulator/clock", '{"advance": 90}')
        assert server.call(f"POST {path}")[0] == 200
        assert server.client("apprunner").list_connections()["ConnectionSummaryList"] == []
        assert server.call("GET /emulator/events") == (200, [])
        assert server.call("POST /emulator/clock", '{"advance": 0}')[1]["now"] == "2026-11-02T09:00:00+00:00"

    def test_a_world_is_built_once(self, server: Server) -> None:
        _, worlds = server.call("GET /emulator/worlds")
        assert (worlds["built"], "healthy" in worlds["available"]) == ([], True)
        assert server.call("POST /emulator/worlds/healthy") == (200, {"built": ["healthy"]})
        connectors = server.client("apprunner").list_vpc_connectors()["VpcConnectors"]
        assert [each["Status"] for each in connectors] == ["ACTIVE"]
        assert server.call("POST /emulator/worlds/healthy") == (
            409,
            {"error": "the world healthy is built already; POST /emulator/reset empties AWS"},
        )
        server.call("POST /emulator/reset")
        assert server.call("POST /emulator/worlds/healthy")[0] == 200

    def test_a_world_has_what_the_stack_deploys(self, server: Server) -> None:
        server.call("POST /emulator/worlds/healthy")
        topics = server.client("sns").list_topics()["Topics"]
        assert sorted(each["TopicArn"].rpartition(":")[2] for each in topics) == ["AlertTopic", "ChatTopic"]
        table = server.client("dynamodb").describe_table(TableName="FindingsTable")["Table"]
        assert table["KeySchema"] == [
            {"AttributeName": "resource", "KeyType": "HASH"},
            {"AttributeName": "rule", "KeyType": "RANGE"},
        ]
        assert server.call("POST /emulator/worlds/isolated")[0] == 200

    def test_what_comes_later_in_a_world_is_let_happen(self, server: Server) -> None:
        server.call("POST /emulator/worlds/gone")
        connectors = server.client("apprunner").list_vpc_connectors
        assert [each["VpcConnectorName"] for each in connectors()["VpcConnectors"]] == ["gone"]
        assert server.call("POST /emulator/worlds/gone/later") == (200, {"built": ["gone"]})
        assert connectors()["VpcConnectors"] == []

    def test_settings_are_seen_set_and_reset(self, server: Server) -> None:
        _, before = server.call("GET /emulator/settings")
        changes = {
            "refuse_same_groups": True,
            "quotas": {"connectors": 0},
            "denied": ["ec2:CreateVpc"],
            "interface_linger": 600,
            "updates_without_effect": ["orders"],
            "states": {"link01": "FAILED"},
            "refuses_tags_during_operation": True,
            "appears_after": 5,
            "lookups_per_second": 2,
        }
        quotas = {**before["quotas"], "connectors": 0}
        assert server.call("POST /emulator/settings", json.dumps(changes)) == (
            200,
            {**before, **changes, "quotas": quotas},
        )
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            server.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
        server.call("POST /emulator/reset")
        assert server.call("GET /emulator/settings") == (200, before)
        server.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")

    def test_a_setting_that_does_not_fit_changes_nothing(self, server: Server) -> None:
        _, before = server.call("GET /emulator/settings")
        assert server.call("POST /emulator/settings", '{"refuse_same_groups": true, "denied_as": ""}')[0] == 400
        assert server.call("GET /emulator/settings") == (200, before)

    def test_put_events_are_listed_and_can_be_followed(self, server: Server) -> None:
        entry = {"Source": "apprunner-guardrails", "DetailType": "Finding", "Detail": "{}"}
        server.client("events").put_events(Entries=[entry, {**entry, "DetailType": "Digest"}])
        kinds = [each["detail-type"] for each in server.call("GET /emulator/put-events")[1]]
        assert kinds == ["Finding", "Digest"]
        assert [each["detail-type"] for each in server.call("GET /emulator/put-events?since=1")[1]] == ["Digest"]
        server.call("POST /emulator/reset")
        assert server.call("GET /emulator/put-events") == (200, [])

    @pytest.mark.parametrize(
        ("call", "body", "status", "says"),
        [
            ("POST /emulator/worlds/atlantis", None, 404, "no world 'atlantis'; there are "),
            ("POST /emulator/clock", "{}", 400, 'the body must be {"advance": seconds}'),
            ("POST /emulator/clock", "soon", 400, 'the body must be {"advance": seconds}'),
            ("POST /emulator/clock", '{"advance": -1}', 400, "advance must be a number of seconds, 0 or more: -1"),
            ("POST /emulator/clock", '{"advance": true}', 400, "advance must be a number of seconds"),
            ("GET /emulator/events?since=-1", None, 400, "since must be a number, 0 or more: '-1'"),
            ("GET /emulator/put-events?since=x", None, 400, "since must be a number, 0 or more: 'x'"),
            ("POST /emulator/settings", "[1]", 400, "the body must be an object, such as "),
            ("POST /emulator/settings", '{"quota": 1}', 400, "there is no setting 'quota'; there are appears_"),
            ("POST /emulator/settings", '{"quotas": {"vpcs": 1}}', 400, "quotas must be an object with numbers for "),
            ("POST /emulator/settings", '{"tag_index_lag": -1}', 400, "tag_index_lag must be a number of seconds"),
            (
                "POST /emulator/settings",
                '{"appears_after": "5"}',
                400,
                "appears_after must be a number of seconds, 0 or",
            ),
            ("POST /emulator/settings", '{"lookups_per_second": -1}', 400, "lookups_per_second must be a number, 0 or"),
            ("POST /emulator/settings", '{"denied": "ec2:*"}', 400, "denied must be a list of IAM actions, and is"),
            (
                "POST /emulator/settings",
                '{"states": {"link01": 1}}',
                400,
                "states must be an object with a text for each",
            ),
            ("POST /emulator/settings", '{"states": ["link01"]}', 400, "states must be an object with a text for each"),
            ("POST /emulator/worlds/gone/later", None, 409, "the world gone is not built: POST /emulator/worlds/gone"),
            ("GET /emulator/nothing", None, 404, "no control route GET /emulator/nothing; there are:"),
            ("DELETE /emulator/events", None, 404, "no control route DELETE /emulator/events; there are:"),
        ],
    )
    def test_a_control_request_that_cannot_be_served_says_why(
        self, server: Server, call: str, body: str | None, status: int, says: str
    ) -> None:
        given, answer = server.call(call, body)
        assert (given, answer["error"].startswith(says)) == (status, True)

    def test_requests_at_the_same_time_do_not_get_in_each_others_way(self, aws: Emulator, server: Server) -> None:
        """Eight clients want the same names; for each name one gets it, and nothing else goes wrong."""
        apprunner = server.client("apprunner")

        def create(number: int) -> str:
            try:
                apprunner.create_connection(ConnectionName=f"name-{number % 5}", ProviderType="GITHUB")
            except ClientError as error:
                return error.response["Error"]["Code"]
            apprunner.list_connections()
            return "made"

        with ThreadPoolExecutor(8) as pool:
            outcomes = Counter(pool.map(create, range(40)))
        assert outcomes == {"made": 5, "InvalidRequestException": 35}
        assert len(apprunner.list_connections()["ConnectionSummaryList"]) == 5
        assert len(aws.events) == 40


def test_one_request_is_answered_at_a_time(aws: Emulator) -> None:
    """moto's own services change their dicts while they answer, and lock nothing."""
    application = Application(aws)
    inside: list[object] = []
    at_once: list[int] = []

    def start_response(*_: object) -> Callable[[bytes], object]:
        return len

    def moto(environ: object, start_response: object) -> list[bytes]:
        inside.append(environ)
        time.sleep(0.005)
        at_once.append(len(inside))
        inside.pop()
        return []

    with patch.object(application, "_moto", moto), ThreadPoolExecutor(4) as pool:
        for _ in range(8):
            pool.submit(application, EnvironBuilder().get_environ(), start_response)
    assert at_once == [1] * 8


class TestCommandLine:
    @pytest.mark.parametrize(
        ("number", "worlds", "built"),
        [(signal.SIGTERM, ["healthy"], "with the worlds healthy"), (signal.SIGINT, [], "empty")],
    )
    def test_it_says_when_it_is_ready_and_stops_quietly(
        self, session: boto3.Session, number: signal.Signals, worlds: list[str], built: str
    ) -> None:
        named = [argument for world in worlds for argument in ("--world", world)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        with subprocess.Popen(
            [sys.executable, "-m", "emulator", "--port", "0", *named],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            url = ready.strip().rpartition("AWS_ENDPOINT_URL=")[2]
            connectors = Server(url=url, session=session).client("apprunner").list_vpc_connectors()["VpcConnectors"]
            process.send_signal(number)
            rest, errors = process.communicate(timeout=10)
        assert ready == f"Emulated AWS ready on {url}, {built}. Point a client at it: AWS_ENDPOINT_URL={url}\n"
        assert [each["VpcConnectorName"] for each in connectors] == worlds
        assert (process.returncode, rest, errors) == (0, "", "")

    def test_a_port_that_is_taken_is_named_with_the_way_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert main(["--port", str(port)]) == 2
        assert capsys.readouterr() == (
            "",
            f"emulator: port {port} of 127.0.0.1 is taken: end what listens there, or choose another with --port\n",
        )

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--port", "70000"], "argument --port: '70000' is not a port: they go from 0 to 65535"),
            (["--speed", "-1"], "argument --speed: time does not run backwards"),
            (["--world", "healthy", "--world", "atlantis"], "argument --world: no world atlantis; there are "),
        ],
    )
    def test_arguments_that_make_no_sense_are_refused(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
    ) -> None:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert (end.value.code, says in capsys.readouterr().err) == (2, True)

    def test_the_help_shows_how_to_point_a_client_and_every_control_route(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as end:
            main(["--help"])
        text = capsys.readouterr().out
        routes = [line.split()[:2] for line in text.splitlines() if " /emulator/" in line]
        assert (end.value.code, "AWS_ENDPOINT_URL=http://127.0.0.1:5000" in text) == (0, True)
        assert routes == [
            ["GET", "/emulator/events?since=N"],
            ["GET", "/emulator/put-events?since=N"],
            ["GET", "/emulator/settings"],
            ["POST", "/emulator/settings"],
            ["POST", "/emulator/clock"],
            ["POST", "/emulator/reset"],
            ["GET", "/emulator/worlds"],
            ["POST", "/emulator/worlds/NAME"],
            ["POST", "/emulator/worlds/NAME/later"],
        ]
