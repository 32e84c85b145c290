"""Certificates that are laid out one by one are found by OpenSSL, where it looks for them."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.name import _ASN1Type as Kind
from cryptography.x509.oid import NameOID
from OpenSSL import crypto

from authorities import by_subject, subject_hash

BUNDLE = (Path(botocore.__file__).parent / "cacert.pem").read_text()
HOST = "apprunner.us-east-1.amazonaws.com"


def called(text: str, kind: Kind = Kind.UTF8String) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.ORGANIZATION_NAME, text, kind)


COUNTRY = x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")
NAMES = {
    "of two parts": x509.Name([COUNTRY, called("Authority")]),
    "with spaces, tabs and capitals": x509.Name([called("  An  AUTHORITY\t of\n ours ")]),
    "with other letters": x509.Name([called("Ä Straße № 1 ÉTÉ")]),
    "in printable letters": x509.Name([called("An Authority", Kind.PrintableString)]),
    "of two bytes a letter": x509.Name([called("Ωmega CA", Kind.BMPString)]),
    "of four bytes a letter": x509.Name([called("Ωmega CA", Kind.UniversalString)]),
    "that is an address": x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "CA@Example.com")]),
    "of digits": x509.Name([called("12 34", Kind.NumericString)]),
    "with a part of two": x509.Name([x509.RelativeDistinguishedName([called("Z"), COUNTRY])]),
    "that is long": x509.Name([called("x" * 60) for _ in range(9)]),
    "that is empty": x509.Name([]),
}


def certificate(
    subject: x509.Name, key: EllipticCurvePrivateKey, issuer: x509.Name, signs: EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
        extensions=[],
    )
    said: list[x509.ExtensionType] = [
        x509.BasicConstraints(ca=key is signs, path_length=None),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        # Which of two authorities of one name it was.
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signs.public_key()),
        x509.SubjectAlternativeName([x509.DNSName(HOST)]),
    ]
    for one in said:
        made = made.add_extension(one, critical=isinstance(one, x509.BasicConstraints))
    return made.sign(signs, SHA256())


def authority(name: x509.Name) -> tuple[str, EllipticCurvePrivateKey]:
    key = generate_private_key(SECP256R1())
    return certificate(name, key, name, key).public_bytes(Encoding.PEM).decode(), key


def test_every_certificate_of_botocores_is_there_once_as_it_is() -> None:
    laid = by_subject(BUNDLE)
    assert len(laid) == BUNDLE.count("BEGIN CERTIFICATE") > 100
    assert sorted(laid.values(), key=BUNDLE.index) == [
        f"-----BEGIN CERTIFICATE-----{one.partition('-----END')[0]}-----END CERTIFICATE-----\n"
        for one in BUNDLE.split("-----BEGIN CERTIFICATE-----")[1:]
    ]
    for name, pem in laid.items():
        known = crypto.load_certificate(crypto.FILETYPE_PEM, pem.encode())
        assert name == f"{known.subject_name_hash():08x}.0"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_the_hash_that_openssl_has_for_it(name: str) -> None:
    pem, _ = authority(NAMES[name])
    known = crypto.load_certificate(crypto.FILETYPE_PEM, pem.encode())
    assert subject_hash(ssl.PEM_cert_to_DER_cert(pem)) == f"{known.subject_name_hash():08x}"


def test_what_openssl_takes_for_one_name_has_one_hash() -> None:
    typed = [
        called("An Authority"),
        called(" an  authority ", Kind.PrintableString),
        called("AN AUTHORITY", Kind.BMPString),
    ]
    assert len({subject_hash(ssl.PEM_cert_to_DER_cert(authority(x509.Name([one]))[0])) for one in typed}) == 1


def test_a_server_is_trusted_by_the_one_of_two_authorities_of_a_name_that_vouches_for_it(tmp_path: Path) -> None:
    name = x509.Name([COUNTRY, called("An Authority")])
    (first, _), (second, signs), (_, stranger) = (authority(name) for _ in range(3))
    laid = by_subject(f"# ours\n{first}\n# ours as well\n{second}")
    assert [*laid.values()] == [first, second]
    assert [one.partition(".")[2] for one in laid] == ["0", "1"]
    for file, pem in laid.items():
        (tmp_path / file).write_text(pem)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(capath=tmp_path)
    assert shake_hands(client, server(tmp_path / "server.pem", name, signs))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client, server(tmp_path / "server.pem", name, stranger))


def server(file: Path, issuer: x509.Name, signs: EllipticCurvePrivateKey) -> ssl.SSLContext:
    key = generate_private_key(SECP256R1())
    vouched = certificate(x509.Name([called("server")]), key, issuer, signs)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + vouched.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """Whether both sides are content, without a network. Raises SSLCertVerificationError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname=HOST), server.wrap_bio(there, back, server_side=True)]
    return all([step(sides) for _ in range(3)][-1])


def step(sides: Sequence[ssl.SSLObject]) -> list[bool]:
    done = []
    for side in sides:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            done.append(False)
        else:
            done.append(True)
    return done
