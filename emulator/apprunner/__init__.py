"""AWS App Runner as a moto service: laid out as moto lays out its own, registered under the name that it looks for."""

import re
import sys

from moto import backend_index

from emulator.apprunner.models import apprunner_backends as apprunner_backends
from emulator.apprunner.urls import url_bases


def install() -> None:
    """Let moto's mock and moto's server route App Runner calls here. Idempotent."""
    if sys.modules.get("moto.apprunner") is sys.modules[__name__]:
        return
    sys.modules["moto.apprunner"] = sys.modules[__name__]
    backend_index.backend_url_patterns.extend(("apprunner", re.compile(base)) for base in url_bases)
