"""Cloud Custodian is measured as it is pinned, on an event that its policy is about."""

import json

from benchmarks import custodian
from emulator import emulate
from emulator.worlds import sdk_client


def test_its_version_is_the_pinned_one() -> None:
    name, _, pinned = next(
        line.split()[0] for line in custodian.PINNED.read_text().splitlines() if line.startswith("c7n==")
    ).partition("==")
    assert (name, custodian.version()) == ("c7n", pinned)


def test_the_event_is_of_a_subnet_that_the_filter_finds() -> None:
    with emulate():
        subnet = custodian._subnet()
        [there] = sdk_client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
    [rule] = custodian._POLICY["filters"]
    [trigger] = custodian._POLICY["mode"]["events"]
    event = json.loads(json.dumps(custodian._event(subnet)))
    assert there[rule["key"]] == rule["value"]
    assert (event["detail"]["eventSource"], event["detail"]["eventName"]) == (trigger["source"], trigger["event"])
    assert event["detail"]["responseElements"]["subnet"]["subnetId"] == subnet
