"""The certificates that botocore trusts, laid out one by one so that OpenSSL reads only what it needs.

Reading the whole list takes a tenth of a cold start. In a folder OpenSSL finds a certificate by the hash of its subject
(SSLContext.load_verify_locations(capath=…), docs.openssl.org: openssl-rehash), which is worked out here as OpenSSL does
it: the machine that builds may have none. Which certificates are trusted stays the same.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping

_PEM = re.compile(r"^-----BEGIN CERTIFICATE-----\n(.+?)\n-----END CERTIFICATE-----$", re.DOTALL | re.MULTILINE)
_SEQUENCE, _SET, _UTF8, _VERSION = 0x30, 0x31, 0x0C, 0xA0
_LONG = 0x80  # the length does not fit this byte: it has how many bytes follow that do
# The kinds of text that OpenSSL takes for the same where they say the same, and how each is written.
_TEXTS = {_UTF8: "utf-8", 19: "ascii", 20: "latin-1", 22: "ascii", 26: "ascii", 28: "utf-32-be", 30: "utf-16-be"}


def by_subject(bundle: str) -> Mapping[str, str]:
    """The certificates of a PEM file by the names of the files in which OpenSSL looks for them (`3513523f.0`)."""
    files: dict[str, str] = {}
    for found in _PEM.finditer(bundle):
        name = subject_hash(base64.b64decode(found[1]))
        number = sum(1 for one in files if one.startswith(f"{name}."))
        files[f"{name}.{number}"] = f"{found[0]}\n"
    return files


def subject_hash(certificate: bytes) -> str:
    """What `openssl x509 -subject_hash` says of a certificate in DER."""
    whole = _content(certificate)
    signed = [*_parts(_content(whole))]
    subject = signed[5 if signed[0][0] == _VERSION else 4][1]
    names = b"".join(_written(_SET, b"".join(sorted(_attributes(one)))) for _, one in _parts(subject))
    return hashlib.sha1(names, usedforsecurity=False).digest()[3::-1].hex()


def _attributes(name: bytes) -> list[bytes]:
    found = []
    for _, attribute in _parts(name):
        (kind, identifier), (tag, value) = _parts(attribute)
        if tag in _TEXTS:
            text = value.decode(_TEXTS[tag]).encode("utf-8")
            tag, value = _UTF8, b" ".join(text.lower().split())  # of bytes: ASCII alone is lowered and split
        found.append(_written(_SEQUENCE, _written(kind, identifier) + _written(tag, value)))
    return found


def _content(element: bytes) -> bytes:
    return next(_parts(element))[1]


def _parts(elements: bytes) -> Iterator[tuple[int, bytes]]:
    """The tags and contents of DER's elements, which follow one another."""
    at = 0
    while at < len(elements):
        tag, length, start = elements[at], elements[at + 1], at + 2
        if length & _LONG:
            start += length & ~_LONG
            length = int.from_bytes(elements[at + 2 : start], "big")
        at = start + length
        yield tag, elements[start:at]


def _written(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < _LONG:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG | len(size)]) + size + content
