"""The services that the guardrails keep their findings in and tell them by, as AWS answers."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table

from emulator import Emulator, emulate
from emulator.worlds import CHAT_TOPIC, FINDINGS_TABLE, REGION, region, stack_resources

ACCOUNT = "123456789012"
PRODUCT = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"


@cache
def client(service: str) -> Any:
    made: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing").client
    return made(service, region_name=REGION)


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


class TestFindingsTable:
    @pytest.fixture
    def table(self, aws: Emulator) -> Any:
        stack_resources(client)
        return client("dynamodb")

    def put(self, rule: str, version: int, condition: str = "attribute_not_exists(#resource)") -> Mapping[str, Any]:
        return {
            "Put": {
                "TableName": FINDINGS_TABLE,
                "Item": {"resource": {"S": "connector"}, "rule": {"S": rule}, "version": {"N": str(version)}},
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#resource": "resource"},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def items(self) -> dict[str, str]:
        found = client("dynamodb").scan(TableName=FINDINGS_TABLE)["Items"]
        return {each["rule"]["S"]: each["version"]["N"] for each in found}

    def test_it_is_as_the_template_has_it(self, table: Any) -> None:
        described = table.describe_table(TableName=FINDINGS_TABLE)["Table"]
        assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert described["KeySchema"] == [
            {"AttributeName": "resource", "KeyType": "HASH"},
            {"AttributeName": "rule", "KeyType": "RANGE"},
        ]
        assert table.describe_time_to_live(TableName=FINDINGS_TABLE)["TimeToLiveDescription"] == {
            "TimeToLiveStatus": "ENABLED",
            "AttributeName": "expires",
        }

    def test_what_the_stack_deploys_is_made_once(self, table: Any) -> None:
        table.transact_write_items(TransactItems=[self.put("AR101", 1)])
        topics = f"arn:aws:sns:{REGION}:{ACCOUNT}"
        assert stack_resources(client) == {
            "AlertTopic": f"{topics}:AlertTopic",
            CHAT_TOPIC: f"{topics}:ChatTopic",
            FINDINGS_TABLE: "FindingsTable",
            "SyncQueue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/SyncQueue",
            "TagQueue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/TagQueue",
        }
        assert self.items() == {"AR101": "1"}

    def test_a_condition_that_fails_cancels_the_transaction_and_gives_the_reasons_in_order(self, table: Any) -> None:
        table.transact_write_items(TransactItems=[self.put("AR101", 1)])
        with pytest.raises(ClientError) as cancelled:
            table.transact_write_items(TransactItems=[self.put("AR102", 1), self.put("AR101", 2)])
        answer: Any = cancelled.value.response
        assert answer["Error"] == {
            "Code": "TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons"
            " [None, ConditionalCheckFailed]",
        }
        assert answer["CancellationReasons"] == [
            {"Code": "None"},
            {
                "Code": "ConditionalCheckFailed",
                "Message": "The conditional request failed",
                "Item": {"resource": {"S": "connector"}, "rule": {"S": "AR101"}, "version": {"N": "1"}},
            },
        ]
        assert self.items() == {"AR101": "1"}

    def test_a_transaction_that_cannot_be_finished_leaves_nothing_behind(self, table: Any) -> None:
        """The last item is over 400 KB."""
        table.transact_write_items(TransactItems=[self.put("AR101", 1), self.put("AR102", 1)])
        key = {"resource": {"S": "connector"}, "rule": {"S": "AR102"}}
        names = {"#version": "version"}
        update = {
            "TableName": FINDINGS_TABLE,
            "Key": key,
            "UpdateExpression": "SET #version = :new",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":new": {"N": "2"}},
        }
        large = {"resource": {"S": "connector"}, "rule": {"S": "AR104"}, "version": {"S": "x" * 500_000}}
        writes = [
            self.put("AR103", 1),
            {"Update": update},
            {"Delete": {"TableName": FINDINGS_TABLE, "Key": {**key, "rule": {"S": "AR101"}}}},
            {"Put": {"TableName": FINDINGS_TABLE, "Item": large}},
        ]
        code, _ = refusal(lambda: table.transact_write_items(TransactItems=writes))
        assert (code, self.items()) == ("ValidationException", {"AR101": "1", "AR102": "1"})
        table.transact_write_items(TransactItems=writes[:3])
        assert self.items() == {"AR102": "2", "AR103": "1"}

    def test_an_item_is_in_a_transaction_once(self, table: Any) -> None:
        code, _ = refusal(lambda: table.transact_write_items(TransactItems=[self.put("AR101", 1)] * 2))
        assert (code, self.items()) == ("ValidationException", {})

    def test_a_request_that_comes_again_with_its_token_is_served_once(self, aws: Emulator, table: Any) -> None:
        def write(rule: str) -> Any:
            return table.transact_write_items(TransactItems=[self.put(rule, 1)], ClientRequestToken="claim-1")

        write("AR101")
        write("AR101")
        assert refusal(lambda: write("AR102"))[0] == "IdempotentParameterMismatchException"
        aws.clock.advance(600)
        assert refusal(lambda: write("AR101"))[0] == "TransactionCanceledException"
        aws.reset()
        stack_resources(client)
        write("AR101")
        assert self.items() == {"AR101": "1"}

    @pytest.fixture
    def slow_reads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Between what a write reads and what it writes, other threads have their turn."""
        get_item = Table.get_item

        def slowly(table: Table, *args: Any) -> Any:
            item = get_item(table, *args)
            time.sleep(0.0005)
            return item

        monkeypatch.setattr(Table, "get_item", slowly)

    @pytest.mark.usefixtures("slow_reads")
    def test_of_writers_at_the_same_time_one_gets_the_item(self, table: Any) -> None:
        writers, rounds = 6, 15
        start = Barrier(writers)

        def claim(writer: int) -> list[str]:
            won = []
            for number in range(rounds):
                start.wait()
                try:
                    table.transact_write_items(TransactItems=[self.put(f"AR{number}", writer)])
                except ClientError as error:
                    assert error.response["Error"]["Code"] == "TransactionCanceledException"  # noqa: PT017
                else:
                    won.append(f"AR{number}")
            return won

        with ThreadPoolExecutor(writers) as pool:
            won = [rule for rules in pool.map(claim, range(writers)) for rule in rules]
        assert sorted(won) == sorted(f"AR{number}" for number in range(rounds))

    @pytest.mark.usefixtures("slow_reads")
    def test_no_update_is_lost(self, table: Any) -> None:
        def add(_: int) -> None:
            table.update_item(
                TableName=FINDINGS_TABLE,
                Key={"resource": {"S": "connector"}, "rule": {"S": "AR101"}},
                UpdateExpression="ADD #version :one",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(add, range(60)))
        assert self.items() == {"AR101": "60"}


class TestPutEvents:
    def entry(self, **differs: Any) -> dict[str, Any]:
        return {
            "Source": "apprunner-guardrails",
            "DetailType": "Finding opened",
            "Detail": '{"rule": "AR101"}',
            **differs,
        }

    def put(self, *entries: Mapping[str, Any]) -> Any:
        return client("events").put_events(Entries=list(entries))

    def test_what_was_put_on_the_default_bus_is_seen_as_rules_see_it(self, aws: Emulator) -> None:
        aws.clock.advance(5)
        answer = self.put(self.entry(Resources=["arn:one"]), self.entry(EventBusName="default", Time=1_800_000_000))
        event = {
            "version": "0",
            "id": answer["Entries"][0]["EventId"],
            "detail-type": "Finding opened",
            "source": "apprunner-guardrails",
            "account": ACCOUNT,
            "time": "2026-11-02T09:00:05Z",
            "region": REGION,
            "resources": ["arn:one"],
            "detail": {"rule": "AR101"},
        }
        second = {"id": answer["Entries"][1]["EventId"], "resources": [], "time": "2027-01-15T08:00:00Z"}
        assert (answer["FailedEntryCount"], aws.put_events) == (0, [event, {**event, **second}])
        assert aws.events == []

    def test_another_bus_is_another_bus(self, aws: Emulator) -> None:
        client("events").create_event_bus(Name="orders")
        assert self.put(self.entry(EventBusName="orders"))["FailedEntryCount"] == 0
        assert aws.put_events == []

    @pytest.mark.parametrize(
        ("differs", "code", "message"),
        [
            ({"Source": "aws.apprunner"}, "NotAuthorizedForSourceException", "Not authorized for the source."),
            ({"Detail": "[1]"}, "MalformedDetail", "Detail is malformed."),
            ({"Detail": "{"}, "MalformedDetail", "Detail is malformed."),
        ],
    )
    def test_an_entry_is_refused_by_itself(
        self, aws: Emulator, differs: Mapping[str, str], code: str, message: str
    ) -> None:
        answer = self.put(self.entry(), self.entry(**differs), self.entry(DetailType="last"))
        first, refused, last = answer["Entries"]
        assert (answer["FailedEntryCount"], refused) == (1, {"ErrorCode": code, "ErrorMessage": message})
        assert [(each["id"], each["detail-type"]) for each in aws.put_events] == [
            (first["EventId"], "Finding opened"),
            (last["EventId"], "last"),
        ]

    @pytest.mark.parametrize("number", [1, 11])
    def test_a_request_that_is_too_large_is_refused_whole(self, aws: Emulator, number: int) -> None:
        detail = json.dumps({"text": "ä" * (530_000 if number == 1 else 1)}, ensure_ascii=False)
        assert refusal(lambda: self.put(*[self.entry(Detail=detail)] * number))[0] == "ValidationException"
        assert aws.put_events == []

    def test_a_matching_rule_gets_it_to_its_queue(self, aws: Emulator) -> None:
        queue = client("sqs").create_queue(QueueName="machines")["QueueUrl"]
        arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        client("events").put_rule(Name="ours", EventPattern='{"source": ["apprunner-guardrails"]}')
        client("events").put_targets(Rule="ours", Targets=[{"Id": "queue", "Arn": arn}])
        self.put(self.entry(), self.entry(Source="somebody"))
        messages = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert [json.loads(each["Body"])["detail"] for each in messages] == [{"rule": "AR101"}]


class TestSecurityHub:
    @pytest.fixture
    def hub(self, aws: Emulator) -> Any:
        client("securityhub").enable_security_hub()
        return client("securityhub")

    def finding(self, **differs: Any) -> dict[str, Any]:
        return {
            "SchemaVersion": "2018-10-08",
            "Id": "connector/AR101",
            "ProductArn": PRODUCT,
            "GeneratorId": "AR101",
            "AwsAccountId": ACCOUNT,
            "CreatedAt": "2026-11-02T09:00:00Z",
            "UpdatedAt": "2026-11-02T09:00:00Z",
            "Title": "Too few zones",
            "Description": "1 of 3 required",
            "Severity": {"Label": "HIGH"},
            "Types": ["Software and Configuration Checks"],
            "Resources": [{"Type": "Other", "Id": "connector"}],
            **differs,
        }

    def test_it_has_to_be_enabled(self, aws: Emulator) -> None:
        assert refusal(lambda: client("securityhub").batch_import_findings(Findings=[self.finding()])) == (
            "InvalidAccessException",
            f"Account {ACCOUNT} is not subscribed to AWS Security Hub",
        )

    def test_a_finding_is_imported_and_updated_but_not_in_what_is_the_customers(self, hub: Any) -> None:
        first = hub.batch_import_findings(Findings=[self.finding()])
        second = self.finding(RecordState="ARCHIVED", Workflow={"Status": "RESOLVED"})
        hub.batch_import_findings(Findings=[second])
        assert (first["FailedCount"], first["SuccessCount"], first["FailedFindings"]) == (0, 1, [])
        assert hub.get_findings()["Findings"] == [{**second, "Workflow": {"Status": "NEW"}}]

    @pytest.mark.parametrize(
        ("differs", "fault"),
        [
            ({"Title": "x" * 257}, "data.Title should not be longer than 256, and is 257"),
            ({"Description": "x" * 1025}, "data.Description should not be longer than 1024, and is 1025"),
            ({"UpdatedAt": "yesterday"}, "data.UpdatedAt should match format date-time, and is yesterday"),
            ({"Types": []}, "data should have required property 'Types'"),
            (
                {"Resources": [{"Type": "", "Id": "x"}]},
                "data.Resources should have required properties 'Type' and 'Id'",
            ),
            (
                {"UserDefinedFields": {"text": "x" * 250_000}},
                "data should not be larger than 245760 bytes, and is 250490",
            ),
        ],
    )
    def test_a_finding_that_does_not_fit_fails_by_itself(self, hub: Any, differs: Any, fault: str) -> None:
        answer = hub.batch_import_findings(Findings=[self.finding(), self.finding(Id="bad", **differs)])
        assert (answer["SuccessCount"], answer["FailedCount"]) == (1, 1)
        assert answer["FailedFindings"] == [
            {
                "Id": "bad",
                "ErrorCode": "InvalidInput",
                "ErrorMessage": f"Finding does not adhere to Amazon Finding Format. {fault}",
            }
        ]
        assert [each["Id"] for each in hub.get_findings()["Findings"]] == ["connector/AR101"]

    @pytest.mark.parametrize("differs", [{"AwsAccountId": "1" * 12}, {"ProductArn": f"{PRODUCT}s"}])
    def test_another_account_or_product_is_denied_for_the_whole_batch(self, hub: Any, differs: Any) -> None:
        findings = [self.finding(), self.finding(Id="other", **differs)]
        code, message = refusal(lambda: hub.batch_import_findings(Findings=findings))
        product = findings[1]["ProductArn"]
        assert (code, message.rpartition(" is not ")[2]) == (
            "AccessDeniedException",
            f"authorized to perform: securityhub:BatchImportFindings on resource: {product}",
        )
        assert hub.get_findings()["Findings"] == []

    def test_a_batch_has_100_findings_at_most(self, hub: Any) -> None:
        findings = [self.finding(Id=str(number)) for number in range(101)]
        assert refusal(lambda: hub.batch_import_findings(Findings=findings))[0] == "InvalidInputException"
        assert hub.batch_import_findings(Findings=findings[:100])["SuccessCount"] == 100


class TestQuotas:
    @pytest.mark.parametrize(
        ("code", "name", "setting", "value"),
        [("L-F7ADEB8C", "VPC connectors", "connectors", 10.0), ("L-69F96A0C", "Services", "services", 30.0)],
    )
    def test_those_of_app_runner_are_what_it_enforces(
        self, aws: Emulator, code: str, name: str, setting: str, value: float
    ) -> None:
        def quota() -> Any:
            return client("service-quotas").get_service_quota(ServiceCode="apprunner", QuotaCode=code)["Quota"]

        shown = {
            "ServiceCode": "apprunner",
            "ServiceName": "AWS App Runner",
            "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:apprunner/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
        assert quota() == shown
        aws.settings.quotas[setting] = 55
        assert quota() == {**shown, "Value": 55.0}

    def test_an_unknown_one_is_not_found(self, aws: Emulator) -> None:
        quotas = client("service-quotas")
        assert refusal(lambda: quotas.get_service_quota(ServiceCode="apprunner", QuotaCode="L-0"))[0] == (
            "NoSuchResourceException"
        )


@pytest.fixture(scope="class")
def index() -> Iterator[None]:
    """60 connectors and 9 services; all connectors are tagged, and of the services each third."""
    with emulate():
        for number, arn in enumerate(region(client, connectors=60, services=9, vpcs=1).services):
            tags = [{"Key": "team", "Value": f"team-{number}"}] if number % 3 == 0 else []
            client("apprunner").tag_resource(ResourceArn=arn, Tags=tags)
        yield


class TestTagIndex:
    def pages(self, **request: Any) -> list[list[str]]:
        """The names of the resources, page by page."""
        found, token = [], ""
        while True:
            more = {"PaginationToken": token} if token else {}
            answer = client("resourcegroupstaggingapi").get_resources(**request, **more)
            found.append([each["ResourceARN"].split("/")[1] for each in answer["ResourceTagMappingList"]])
            token = answer["PaginationToken"]
            if not token:
                return found

    def test_connectors_and_services_come_with_their_tags(self, index: None) -> None:
        answer = client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["apprunner:service"])
        assert answer["PaginationToken"] == ""
        assert [(each["ResourceARN"].split("/")[1], each["Tags"]) for each in answer["ResourceTagMappingList"]] == [
            (f"service-00{number}", [{"Key": "team", "Value": f"team-{number}"}]) for number in (0, 3, 6)
        ]

    @pytest.mark.parametrize(
        ("filters", "connectors", "services"),
        [
            ({"ResourceTypeFilters": ["apprunner"]}, 60, 3),
            ({"ResourceTypeFilters": ["apprunner:vpcconnector"]}, 60, 0),
            ({"ResourceTypeFilters": ["apprunner:vpcconnector", "apprunner:service"]}, 60, 3),
            ({"ResourceTypeFilters": ["apprunner"], "TagFilters": [{"Key": "team"}]}, 60, 3),
            ({"ResourceTypeFilters": ["apprunner"], "TagFilters": [{"Key": "stage"}]}, 60, 0),
            ({"TagFilters": [{"Key": "team", "Values": ["team-0", "team-1"]}, {"Key": "stage"}]}, 18, 0),
            ({"TagFilters": [{"Key": "nobody"}]}, 0, 0),
        ],
    )
    def test_they_are_filtered_by_type_and_tag(
        self, index: None, filters: Mapping[str, Any], connectors: int, services: int
    ) -> None:
        names = [name for page in self.pages(**filters) for name in page]
        kinds = [name.partition("-")[0] for name in names]
        assert (kinds.count("connector"), kinds.count("service"), len(kinds)) == (
            connectors,
            services,
            connectors + services,
        )

    @pytest.mark.parametrize(
        ("size", "lengths"),
        [({"ResourcesPerPage": 20}, [20, 20, 20, 3]), ({}, [50, 13]), ({"ResourcesPerPage": 100}, [63])],
    )
    def test_pages_follow_one_another_without_gap_or_repetition(
        self, index: None, size: Mapping[str, int], lengths: list[int]
    ) -> None:
        pages = self.pages(ResourceTypeFilters=["apprunner"], **size)
        names = [name for page in pages for name in page]
        assert ([len(page) for page in pages], len(set(names))) == (lengths, 63)

    def test_a_limit_of_tags_splits_no_resource(self, index: None) -> None:
        """Connectors have two tags each."""
        pages = self.pages(ResourceTypeFilters=["apprunner:vpcconnector"], TagsPerPage=101, ResourcesPerPage=100)
        assert [len(page) for page in pages] == [50, 10]

    @pytest.mark.parametrize(
        "request_members",
        [
            {"ResourcesPerPage": 101},
            {"ResourcesPerPage": 0},
            {"TagsPerPage": 99},
            {"PaginationToken": "of nobody"},
            {"ResourceARNList": ["arn:aws:apprunner:us-east-1:123456789012:service/a/b"], "ResourcesPerPage": 5},
        ],
    )
    def test_what_the_model_forbids_is_refused(self, index: None, request_members: Mapping[str, Any]) -> None:
        tagging = client("resourcegroupstaggingapi")
        assert refusal(lambda: tagging.get_resources(**request_members))[0] == "InvalidParameterException"

    def test_a_token_is_good_only_for_the_same_filters(self, index: None) -> None:
        tagging = client("resourcegroupstaggingapi")
        token = tagging.get_resources(ResourceTypeFilters=["apprunner"], ResourcesPerPage=5)["PaginationToken"]
        assert tagging.get_resources(ResourceTypeFilters=["apprunner"], PaginationToken=token)["ResourceTagMappingList"]
        assert refusal(lambda: tagging.get_resources(PaginationToken=token))[0] == "InvalidParameterException"


class TestTagsThatChange:
    def tags(self) -> dict[str, dict[str, str]]:
        """What the index shows of connections, by name."""
        found = client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["apprunner:connection"])
        return {
            each["ResourceARN"].split("/")[1]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
            for each in found["ResourceTagMappingList"]
        }

    def make(self, name: str, **tags: str) -> str:
        made = client("apprunner").create_connection(
            ConnectionName=name,
            ProviderType="GITHUB",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(made["Connection"]["ConnectionArn"])

    def test_what_has_lost_its_tags_is_shown_without_and_what_never_had_one_is_not(self, aws: Emulator) -> None:
        apprunner = client("apprunner")
        arn = self.make("main", team="shop")
        self.make("bare")
        assert self.tags() == {"main": {"team": "shop"}}
        apprunner.untag_resource(ResourceArn=arn, TagKeys=["team"])
        assert self.tags() == {"main": {}}
        found = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "team"}])
        assert found["ResourceTagMappingList"] == []
        apprunner.delete_connection(ConnectionArn=arn)
        assert self.tags() == {}

    def test_the_index_learns_of_changes_after_its_lag(self, aws: Emulator) -> None:
        aws.settings.tag_index_lag = 60
        apprunner = client("apprunner")
        arn = self.make("main", team="shop")
        aws.clock.advance(30)
        apprunner.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "search"}])
        assert (self.tags(), apprunner.list_tags_for_resource(ResourceArn=arn)["Tags"]) == (
            {},
            [{"Key": "team", "Value": "search"}],
        )
        aws.clock.advance(30)
        assert self.tags() == {"main": {"team": "shop"}}
        apprunner.delete_connection(ConnectionArn=arn)
        aws.clock.advance(30)
        assert self.tags() == {"main": {"team": "search"}}
        aws.clock.advance(30)
        assert self.tags() == {}

    def test_a_change_is_not_undone_by_one_before_it(self, aws: Emulator) -> None:
        aws.settings.tag_index_lag = 60
        arn = self.make("main", team="shop")
        aws.settings.tag_index_lag = 0
        client("apprunner").tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "search"}])
        aws.clock.advance(120)
        assert self.tags() == {"main": {"team": "search"}}


class TestTargetGroupsInTheIndex:
    def test_the_groups_of_a_tag_come_in_pages(self, aws: Emulator) -> None:
        """Whatever its value; a group without it is not among them, nor is a load balancer that has it."""
        elbv2, vpc = client("elbv2"), client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]

        def tagged(key: str, value: str) -> dict[str, Any]:
            return {"Tags": [{"Key": key, "Value": value}]}

        def group(number: int, **more: Any) -> str:
            made = elbv2.create_target_group(
                Name=f"group-{number}", Protocol="TCP", Port=443, VpcId=vpc, TargetType="ip", **more
            )
            return str(made["TargetGroups"][0]["TargetGroupArn"])

        bound = sorted(group(number, **tagged("bound", f"vpce-{number}")) for number in range(101))
        group(998, **tagged("team", "edge"))
        group(999)
        elbv2.create_load_balancer(Name="front", Type="network", Subnets=[subnet], **tagged("bound", "vpce-0"))
        asked = {
            "TagFilters": [{"Key": "bound"}],
            "ResourceTypeFilters": ["elasticloadbalancing:targetgroup"],
            "ResourcesPerPage": 100,
        }
        tagging = client("resourcegroupstaggingapi")
        first = tagging.get_resources(**asked)
        rest = tagging.get_resources(**asked, PaginationToken=first["PaginationToken"])
        pages = [[each["ResourceARN"] for each in page["ResourceTagMappingList"]] for page in (first, rest)]
        assert (pages, rest["PaginationToken"]) == ([bound[:100], bound[100:]], "")
        elbv2.remove_tags(ResourceArns=bound[:100], TagKeys=["bound"])
        left = tagging.get_resources(**asked)["ResourceTagMappingList"]
        assert [each["ResourceARN"] for each in left] == bound[100:]


class TestQueues:
    @pytest.fixture
    def queue(self, aws: Emulator) -> str:
        return str(client("sqs").create_queue(QueueName="own")["QueueUrl"])

    def received(self, queue: str) -> list[str]:
        answer = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in answer.get("Messages", ())]

    def delayed(self, queue: str) -> str:
        name = "ApproximateNumberOfMessagesDelayed"
        attributes = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"]
        return str(attributes[name])

    def test_a_delayed_message_comes_at_its_emulated_time(self, aws: Emulator, queue: str) -> None:
        client("sqs").send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=60)
        aws.clock.advance(59)
        assert (self.received(queue), self.delayed(queue)) == ([], "1")
        aws.clock.advance(1)
        assert (self.received(queue), self.delayed(queue)) == (["later"], "0")

    def test_a_message_without_delay_comes_at_once(self, aws: Emulator, queue: str) -> None:
        client("sqs").send_message(QueueUrl=queue, MessageBody="now")
        assert (self.received(queue), self.delayed(queue)) == (["now"], "0")

    def test_a_message_that_is_received_is_hidden_for_so_much_emulated_time(self, aws: Emulator, queue: str) -> None:
        sqs = client("sqs")
        sqs.send_message(QueueUrl=queue, MessageBody="taken")
        [taken] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=60, AttributeNames=["All"])["Messages"]
        assert taken["Attributes"]["SentTimestamp"] == str(int(aws.clock.now().timestamp() * 1000))
        aws.clock.advance(59)
        assert self.received(queue) == []
        aws.clock.advance(1)
        assert self.received(queue) == ["taken"]
        [taken] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=60)["Messages"]
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=taken["ReceiptHandle"], VisibilityTimeout=0)
        assert self.received(queue) == ["taken"]

    def test_a_message_that_was_sent_long_ago_can_be_shown_again(self, aws: Emulator, queue: str) -> None:
        sqs = client("sqs")
        sqs.send_message(QueueUrl=queue, MessageBody="old")
        aws.clock.advance(86_400)
        [taken] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=60, AttributeNames=["All"])["Messages"]
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=taken["ReceiptHandle"], VisibilityTimeout=0)
        [again] = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"]
        assert again["Attributes"]["SentTimestamp"] == taken["Attributes"]["SentTimestamp"]

    def test_a_message_is_kept_for_so_much_emulated_time(self, aws: Emulator) -> None:
        kept = {"MessageRetentionPeriod": "3600"}
        queue = str(client("sqs").create_queue(QueueName="kept", Attributes=kept)["QueueUrl"])
        client("sqs").send_message(QueueUrl=queue, MessageBody="old")
        aws.clock.advance(3599)
        assert self.received(queue) == ["old"]
        aws.clock.advance(1)
        assert self.received(queue) == []

    @pytest.mark.parametrize("asked", [["All"], ["DeadLetterQueueSourceArn"], []], ids=str)
    def test_a_dead_letter_says_which_queue_it_was_moved_from(self, aws: Emulator, asked: list[str]) -> None:
        sqs = client("sqs")
        dead = str(sqs.create_queue(QueueName="dead")["QueueUrl"])
        policy = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead", "maxReceiveCount": 2}
        queue = str(sqs.create_queue(QueueName="own", Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"])
        sent = sqs.send_message(QueueUrl=queue, MessageBody="poison")["MessageId"]
        assert [self.received(queue) for _ in range(3)] == [["poison"], ["poison"], []]
        sqs.send_message(QueueUrl=dead, MessageBody="sent here")
        moved, other = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, MessageSystemAttributeNames=asked)[
            "Messages"
        ]
        assert moved["MessageId"] == sent
        source = f"arn:aws:sqs:{REGION}:{ACCOUNT}:own" if asked else None
        assert moved.get("Attributes", {}).get("DeadLetterQueueSourceArn") == source
        assert "DeadLetterQueueSourceArn" not in other.get("Attributes", {})
