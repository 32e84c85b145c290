"""What App Runner keeps of each resource, and how it describes them.

API structures stay dicts with the member names of the API model: they were validated before they get here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from emulator.apprunner.network import Placement
from emulator.clock import CLOCK
from emulator.settings import SETTINGS

type Structure = dict[str, Any]
"""One structure of the API model, by member name."""

type Tags = dict[str, str]

IN_PROGRESS = "OPERATION_IN_PROGRESS"


class Tagging:
    """The tags of resources by ARN, and what the index behind the Resource Groups Tagging API knows of them: it comes
    SETTINGS.tag_index_lag later, and keeps what has lost all its tags, but never learns of what had none."""

    def __init__(self) -> None:
        self._tags: dict[str, Tags] = {}
        self._changes: dict[str, int] = {}
        self._applied: dict[str, int] = {}
        self.indexed: dict[str, Tags] = {}

    def get(self, arn: str) -> Tags | None:
        return self._tags.get(arn)

    def set(self, arn: str, tags: Tags) -> None:
        self._tags[arn] = tags
        self._tell_index(arn, tags)

    def remove(self, arn: str) -> None:
        del self._tags[arn]
        self._tell_index(arn, None)

    def _tell_index(self, arn: str, tags: Tags | None) -> None:
        change = self._changes[arn] = self._changes.get(arn, 0) + 1
        if SETTINGS.tag_index_lag:
            CLOCK.schedule(SETTINGS.tag_index_lag, lambda: self._index(arn, change, tags))
        else:
            self._index(arn, change, tags)

    def _index(self, arn: str, change: int, tags: Tags | None) -> None:
        if change < self._applied.get(arn, 0):  # overtaken by a later change, when the lag was lowered in between
            return
        self._applied[arn] = change
        if tags is None:
            self.indexed.pop(arn, None)
        elif tags or arn in self.indexed:
            self.indexed[arn] = tags


@dataclass(kw_only=True)
class VpcConnector:
    name: str
    arn: str
    subnets: list[str]
    security_groups: list[str]
    """As in effect: the default group of the VPC where the caller named none."""
    listed_groups: list[str]
    created_at: datetime
    deleted_at: datetime | None = None

    @property
    def status(self) -> str:
        return SETTINGS.state(self.arn, "ACTIVE" if self.deleted_at is None else "INACTIVE")

    @property
    def active(self) -> bool:
        return self.status == "ACTIVE"

    @cached_property
    def placements(self) -> set[Placement]:
        groups = tuple(sorted(self.security_groups))
        return {Placement(subnet=subnet, security_groups=groups) for subnet in self.subnets}

    def describe(self) -> Structure:
        return {
            "VpcConnectorName": self.name,
            "VpcConnectorArn": self.arn,
            "VpcConnectorRevision": 1,
            "Subnets": self.subnets,
            "SecurityGroups": self.listed_groups,
            "Status": self.status,
            "CreatedAt": self.created_at,
            "DeletedAt": self.deleted_at,
        }


@dataclass(kw_only=True)
class Operation:
    number: int
    id: str
    type: str
    service_arn: str
    status: str
    former_status: str | None
    """The service's status before the operation; None when the operation creates it."""
    former_configuration: Structure
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None

    def describe(self) -> Structure:
        return {
            "Id": self.id,
            "Type": self.type,
            "Status": self.status,
            "TargetArn": self.service_arn,
            "StartedAt": self.started_at,
            "EndedAt": self.ended_at,
            "UpdatedAt": self.updated_at,
        }


@dataclass(kw_only=True)
class CustomDomain:
    name: str
    service_arn: str
    www: bool
    status: str
    records: list[Structure]

    def describe(self) -> Structure:
        status = SETTINGS.state(f"{self.service_arn}/{self.name}", self.status)
        validated = {"Status": "SUCCESS"} if status == "ACTIVE" else {}
        return {
            "DomainName": self.name,
            "EnableWWWSubdomain": self.www,
            "CertificateValidationRecords": [{**record, **validated} for record in self.records],
            "Status": status,
        }


@dataclass(kw_only=True)
class Service:
    name: str
    id: str
    arn: str
    domain_name: str
    status: str
    configuration: Structure
    """What UpdateService can change, and EncryptionConfiguration; AutoScalingConfigurationArn names a revision."""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    operations: list[Operation] = field(default_factory=list)
    domains: dict[str, CustomDomain] = field(default_factory=dict)

    @property
    def public(self) -> bool:
        ingress = self.configuration["NetworkConfiguration"]["IngressConfiguration"]
        return bool(ingress.get("IsPubliclyAccessible", True))

    @property
    def url(self) -> str | None:
        """A private service has none: AWS lets "ServiceUrl" out (aws/apprunner-roadmap#235)."""
        return self.domain_name if self.public else None

    @property
    def operation(self) -> Operation | None:
        """The operation in progress."""
        return self.operations[-1] if self.status == IN_PROGRESS else None

    def summary(self) -> Structure:
        return {
            "ServiceName": self.name,
            "ServiceId": self.id,
            "ServiceArn": self.arn,
            "ServiceUrl": self.url,
            "CreatedAt": self.created_at,
            "UpdatedAt": self.updated_at,
            "Status": self.status,
        }

    def describe(self) -> Structure:
        *_, name, revision, _id = self.configuration["AutoScalingConfigurationArn"].split("/")
        return {
            **self.summary(),
            **copy.deepcopy(self.configuration),
            "DeletedAt": self.deleted_at,
            "AutoScalingConfigurationSummary": {
                "AutoScalingConfigurationArn": self.configuration["AutoScalingConfigurationArn"],
                "AutoScalingConfigurationName": name,
                "AutoScalingConfigurationRevision": int(revision),
            },
        }


@dataclass(kw_only=True)
class VpcIngressConnection:
    name: str
    arn: str
    service_arn: str
    account_id: str
    domain_name: str
    vpc_id: str
    endpoint_id: str
    reached: str
    """The status that its operations have led to."""
    created_at: datetime
    deleted_at: datetime | None = None

    @property
    def status(self) -> str:
        return SETTINGS.state(self.arn, self.reached)

    def describe(self) -> Structure:
        return {
            "VpcIngressConnectionArn": self.arn,
            "VpcIngressConnectionName": self.name,
            "ServiceArn": self.service_arn,
            "Status": self.status,
            "AccountId": self.account_id,
            "DomainName": self.domain_name,
            "IngressVpcConfiguration": {"VpcId": self.vpc_id, "VpcEndpointId": self.endpoint_id},
            "CreatedAt": self.created_at,
            "DeletedAt": self.deleted_at,
        }


@dataclass(kw_only=True)
class Connection:
    """An account's connection to a source code provider."""

    name: str
    arn: str
    provider: str
    status: str
    created_at: datetime

    def describe(self) -> Structure:
        return {
            "ConnectionName": self.name,
            "ConnectionArn": self.arn,
            "ProviderType": self.provider,
            "Status": self.status,
            "CreatedAt": self.created_at,
        }


@dataclass(kw_only=True)
class Revision:
    """One revision of an auto scaling or observability configuration."""

    name: str
    number: int
    arn: str
    settings: Structure
    created_at: datetime
    deleted_at: datetime | None = None


class Configurations:
    """The revisions of the auto scaling or observability configurations; `kind` is the prefix of their members."""

    def __init__(self, kind: str, arn_prefix: str) -> None:
        self.kind = kind
        self._arn_prefix = arn_prefix
        self._revisions: list[Revision] = []

    def add(self, name: str, settings: Structure, an_id: str) -> Revision:
        number = 1 + max((each.number for each in self._revisions if each.name == name), default=0)
        arn = f"{self._arn_prefix}/{name}/{number}/{an_id}"
        revision = Revision(name=name, number=number, arn=arn, settings=settings, created_at=CLOCK.now())
        self._revisions.append(revision)
        return revision

    def names(self) -> set[str]:
        return {each.name for each in self._revisions if not each.deleted_at}

    def revisions(self, name: str | None = None, *, latest_only: bool = True) -> list[Revision]:
        active = [each for each in self._revisions if not each.deleted_at and name in (None, each.name)]
        return [each for each in active if not latest_only or self.is_latest(each)]

    def is_latest(self, revision: Revision) -> bool:
        newer = [each for each in self._revisions if each.name == revision.name and each.number > revision.number]
        return all(each.deleted_at for each in newer)

    def find(self, arn: str) -> Revision | None:
        """By full ARN, deleted ones too, or by an ARN that ends in a name (its latest) or in a name and a revision."""
        for revision in reversed(self._revisions):
            if revision.arn == arn:
                return revision
        for revision in reversed(self._revisions):
            partial = f"{self._arn_prefix}/{revision.name}"
            if not revision.deleted_at and arn in (partial, f"{partial}/{revision.number}"):
                return revision
        return None

    def describe(self, revision: Revision) -> Structure:
        return {
            f"{self.kind}Arn": revision.arn,
            f"{self.kind}Name": revision.name,
            f"{self.kind}Revision": revision.number,
            "Latest": self.is_latest(revision),
            "Status": "INACTIVE" if revision.deleted_at else "ACTIVE",
            "CreatedAt": revision.created_at,
            "DeletedAt": revision.deleted_at,
            **revision.settings,
        }
