"""A certificate authority for one machine, so that every variant speaks TLS as it would to AWS and to Zoom."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from benchmarks.workspace import making
from zoom_common.aws import https


@dataclass(frozen=True, slots=True)
class Authority:
    """Files: the authority's certificate, the server's chain and key, and the former added to two bundles.

    `bundle` has all public roots, as every AWS client reads them; `amazons` has Amazon's, as our own client does.
    """

    certificate: Path
    chain: Path
    key: Path
    bundle: Path
    amazons: Path

    def trust(self, bundle: Path) -> None:
        """Add the authority to a bundle that some library ships."""
        ours = self.certificate.read_text()
        text = bundle.read_text()
        if ours not in text:
            bundle.write_text(text + "\n" + ours)


def authority(folder: Path) -> Authority:
    """The authority kept in `folder`, made when there is none yet."""
    names = ("ca.pem", "server.pem", "server.key", "bundle.pem", "amazons.pem")
    made = Authority(*(folder / name for name in names))
    with making(folder, "3") as needed:
        if needed:
            _make(made)
    return made


def _make(files: Authority) -> None:
    now = dt.datetime.now(dt.UTC)
    ca_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark authority")])

    def builder(subject: x509.Name, public_key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=3650))
        )

    signing = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    ours = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(signing, critical=True)
        .add_extension(ours, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = (
        builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), key.public_key())
        .add_extension(names, critical=False)
        .add_extension(issuer, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    files.certificate.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    files.chain.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    ours_too = "\n" + files.certificate.read_text()
    files.bundle.write_text(Path(certifi.where()).read_text() + ours_too)
    files.amazons.write_text((Path(https.__file__).parent / "amazon_roots.pem").read_text() + ours_too)
