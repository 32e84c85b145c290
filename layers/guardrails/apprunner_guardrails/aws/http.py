"""The one HTTP call that no SDK client makes: an answer to CloudFormation, at the URL that it has signed for it."""

import re
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TRIES = 3
TIMEOUT = 5  # seconds, of a try

_URL = re.compile(r"https?://[!-~]+")


class NotAnswered(Exception):
    """CloudFormation did not get its answer, and waits for it: the invocation must fail, to be tried again.

    The text does not show the URL, nor does anything that led here: whoever has it can answer in our stead.
    """


def put(url: str, body: str) -> None:
    """Put the body at the URL, which was signed without a content type. Raises NotAnswered after three tries."""
    if not _URL.fullmatch(url):
        raise NotAnswered("CloudFormation can be answered at a URL of http or https, and was told another")
    whys = []
    for _ in range(TRIES):
        why = _try(url, body)
        if not why:
            return
        whys.append(why)
    raise NotAnswered(f"CloudFormation was not answered: {', '.join(whys)}")


def _try(url: str, body: str) -> str:
    """What went wrong, empty if nothing did. urllib3 would log the URL, of which urllib.request says nothing."""
    headers = {"Content-Type": ""}
    try:
        request = Request(url, data=body.encode(), method="PUT", headers=headers)  # noqa: S310 - http or https: see `put`
        with urlopen(request, timeout=TIMEOUT):  # nosec B310  # noqa: S310 - as above
            return ""
    except HTTPError as refused:
        refused.close()
        return f"HTTP {refused.code}"
    except (OSError, HTTPException, ValueError) as failed:  # no connection, no HTTP, no such host or port
        return type(getattr(failed, "reason", failed)).__name__
