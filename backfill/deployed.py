"""Which tags are put: as the parameters of a deployed stack say, else as the template's defaults do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.settings import BadSettings, Settings
from programs.aws import Unusable
from programs.stack import ask_of

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
# The variables that the tags come from. The template knows which parameter sets which.
VARIABLES = ("CREATED_BY_TAG", "CREATED_AT_TAG", "CREATED_WITH_TAG", "DEFAULT_TAGS", "EMAILS_IN_TAGS")
# Required, and of no use here.
_OTHERS = {"ALERT_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:none", "FINDINGS_TABLE": "none"}


def settings(client: Clients, stack: str) -> Settings:
    """Those of the stack of this name; without a name ("") the defaults. Raises Unusable."""
    template: dict[str, Any] = yaml_parse(TEMPLATE.read_text())  # type: ignore[no-untyped-call]  # not annotated by SAM
    set_by = _parameters(template)
    deployed = _deployed(client, stack) if stack else {}
    if stack and not deployed.keys() & set(set_by.values()):
        raise Unusable(
            f"the stack {stack} has none of the parameters {', '.join(set_by.values())}: it is another stack, or was"
            " deployed before there were ownership tags; deploy it anew, or leave STACK out for the defaults"
        )
    values = {name: str(one.get("Default", "")) for name, one in template["Parameters"].items()} | deployed
    try:
        return Settings.from_env(_OTHERS | {name: values[parameter] for name, parameter in set_by.items()})
    except BadSettings as error:
        raise Unusable(f"{f'the stack {stack}' if stack else TEMPLATE.name} cannot be followed: {error}") from error


def _parameters(template: Mapping[str, Any]) -> Mapping[str, str]:
    """The parameter that each variable of the function is set by."""
    function = template["Resources"]["TagResourcesFunction"]["Properties"]
    places = (template["Globals"]["Function"], function)
    variables: dict[str, Any] = {
        name: value for place in places for name, value in place["Environment"]["Variables"].items()
    }
    return {name: str(variables[name]["Ref"]) for name in VARIABLES}


def _deployed(client: Clients, stack: str) -> dict[str, str]:
    otherwise = ", or leave STACK out for the template's defaults"
    [found] = ask_of(client, stack, "describe_stacks", otherwise)["Stacks"]
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())}
