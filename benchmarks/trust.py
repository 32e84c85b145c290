"""The stand-in's certificate, and an SDK that trusts it as it trusts AWS's: by its own list of authorities.

A bundle of one's own (AWS_CA_BUNDLE) would not do: who reads it goes other ways than what is deployed.
"""

import hashlib
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """In PEM, with its key; `subject` is its name as OpenSSL looks it up in a folder of authorities."""

    pem: bytes
    key: bytes
    subject: str

    def context(self) -> ssl.SSLContext:
        """For a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.key + self.pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context


def certificate() -> Certificate:
    """A new one for loopback, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "benchmarks")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(LOOPBACK))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        pem=made.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        subject=_looked_up(name),
    )


def trusted(sdk: Path, one: Certificate) -> None:
    """Add it to the list of this botocore, and to the folder that our layer makes of the list, where there is one.

    What is there may be a link to what is installed, which stays as it is.
    """
    bundle = sdk / "cacert.pem"
    there = bundle.read_bytes()
    bundle.unlink()
    bundle.write_bytes(there + b"\n" + one.pem)
    if (folder := sdk / "cacert").is_dir():
        (folder / f"{one.subject}.0").write_bytes(one.pem)


def _looked_up(name: x509.Name) -> str:
    """As `openssl x509 -subject_hash` has it, for a short name in small letters: its canonical form is what is encoded,
    without the outer two bytes."""
    digest = hashlib.sha1(name.public_bytes()[2:], usedforsecurity=False).digest()
    return digest[3::-1].hex()
