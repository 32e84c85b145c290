"""Private paths on the emulated AWS: what its own calls made is found again, and led from end to end."""

from collections.abc import Iterator
from functools import partial

import pytest

from apprunner_guardrails.aws import clients
from apprunner_guardrails.aws.paths import read_paths
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import IngressConnection, Paths, known
from apprunner_guardrails.targets.binding import TAG
from emulator import Emulator, emulate
from emulator.worlds import WORLDS, build, sdk_client

ACCOUNT, REGION = "123456789012", "us-east-1"

read = partial(read_paths, account=ACCOUNT, region=REGION)


@pytest.fixture
def aws() -> Iterator[Emulator]:
    with emulate(seed=113) as aws:
        yield aws


def test_an_empty_region_has_no_private_paths(aws: Emulator) -> None:
    assert read(Reads(clients.client)) == Paths()


def test_the_private_path_is_led_from_the_api_to_the_service(aws: Emulator) -> None:
    build(WORLDS["private-path"], sdk_client)
    paths = read(Reads(clients.client))
    assert paths.unlisted == ()
    (ingress,), (endpoint,), (group,), (balancer,), (api,) = (
        paths.ingress.values(),
        paths.endpoints,
        paths.groups,
        paths.balancers,
        paths.apis,
    )
    assert isinstance(ingress, IngressConnection)
    assert (ingress.status, ingress.endpoint) == ("AVAILABLE", endpoint.endpoint)
    assert paths.domains == {ingress.service_arn: ()}
    assert (endpoint.balancers, known(endpoint.zone_ids)) == ((balancer,), ("use1-az1", "use1-az2"))
    assert (group.endpoint_ids, group.tags) == ((endpoint.endpoint.id,), {TAG: endpoint.endpoint.id})
    assert (group.preserves_client_ip, group.crosses_zones, balancer.crosses_zones) == (False, None, False)
    assert (balancer.target_groups, len(known(balancer.addresses))) == ((group,), 3)
    assert sorted(known(balancer.zone_ids).values()) == ["use1-az1", "use1-az2", "use1-az4"]
    assert [one.target_group_arns for one in known(balancer.listeners)] == [(group.arn,)]
    (integration,) = known(api.integrations)
    assert known(balancer.links) == (integration.link,)
    assert (integration.where, integration.balancer_arn) == ("ANY /{proxy+}", balancer.arn)
    assert ingress.domain in known(integration.hosts)
    assert integration.uri == f"https://{ingress.domain}/{{proxy}}"
    assert [one.name for one in known(api.stages)] == ["live"]
