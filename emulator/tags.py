"""What AWS refuses of tags, in words of our own. moto 5.2.5 counts those of EC2, and takes any key and value.

| refused                                     | App Runner              | EC2                   | ELBv2           |
|---------------------------------------------|-------------------------|-----------------------|-----------------|
| a key that begins with aws: in any case     | InvalidRequestException | InvalidParameterValue | ValidationError |
| a key of more than 128 characters or none,  | InvalidRequestException | InvalidParameterValue | ValidationError |
| a value of more than 256                    |                         |                       |                 |
| characters that the model's pattern lacks   | InvalidRequestException | none                  | ValidationError |
| more than 50 tags, AWS's own not counted    | InvalidRequestException | TagLimitExceeded      | TooManyTags     |
| AddTags for several resources               |                         |                       | ValidationError |

Nothing is tagged or made then; of EC2's other calls that make something, moto makes it before it tags. App Runner's
number is NOT FOUND, and so is its code. The guides have 127 and 255 characters too, and no space at either end of a
tag of ELBv2: whether anything enforces it is not known, and here nothing does.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.ec2.exceptions import EC2ClientError, TagLimitExceeded
from moto.ec2.models.tags import TagBackend
from moto.elbv2.exceptions import DuplicateTagKeysError, TooManyTagsError, ValidationError

from emulator.routes import Method, override

PER_RESOURCE = 50
KEY_CHARACTERS = 128
VALUE_CHARACTERS = 256


def is_reserved(key: str) -> bool:
    """Whether the key is one of AWS's own."""
    return key.lower().startswith("aws:")


def are_too_many(keys: Iterable[str]) -> bool:
    return sum(not is_reserved(key) for key in set(keys)) > PER_RESOURCE


def check_ec2(tags: Mapping[str, str | None]) -> None:
    """EC2's limits, of a resource that has no tags; moto counts those that are there."""
    for fault in _faults(tags):
        raise EC2ClientError("InvalidParameterValue", fault)
    if are_too_many(tags):
        raise TagLimitExceeded


def check_elbv2(given: Sequence[Mapping[str, str]] | None, present: Iterable[str] = ()) -> None:
    """ELBv2's limits, of a resource that has the tags `present`."""
    tags: dict[str, str | None] = {}
    for tag in given or ():
        if tag["Key"] in tags:
            raise DuplicateTagKeysError(tag["Key"])
        tags[tag["Key"]] = tag.get("Value")
    for fault in _faults(tags):
        raise ValidationError(fault)
    for text in (*tags, *tags.values()):
        if not all(_is_of_the_model(character) for character in text or ""):
            raise ValidationError(f"'{text}' has characters that a tag cannot have")
    if are_too_many((*present, *tags)):
        raise TooManyTagsError


def _faults(tags: Mapping[str, str | None]) -> Iterable[str]:
    for key, value in tags.items():
        if is_reserved(key):
            yield f"The prefix of the tag key '{key}' is reserved for AWS"
        if not 1 <= len(key) <= KEY_CHARACTERS:
            yield f"A tag key has 1 to {KEY_CHARACTERS} characters, not {len(key)}: '{key}'"
        if len(value or "") > VALUE_CHARACTERS:
            yield f"The value of the tag '{key}' is longer than {VALUE_CHARACTERS} characters"


def _is_of_the_model(character: str) -> bool:
    r"""By the pattern [\p{L}\p{Z}\p{N}_.:/=+\-@]*, which Python's regular expressions have no words for."""
    return unicodedata.category(character)[0] in "LNZ" or character in "_.:/=+-@"


def _create_tags(moto: Method, backend: TagBackend, resource_ids: Sequence[str], tags: Mapping[str, str | None]) -> Any:
    check_ec2(tags)
    return moto(backend, resource_ids, tags)


@functools.cache
def install() -> None:
    """Change moto's classes, once: EC2's. ELBv2 asks from where tags are given it, in `targets` and `balancers`."""
    override(TagBackend, "create_tags", _create_tags)
