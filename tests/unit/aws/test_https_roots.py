"""Whose certificates are believed for whom."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import certifi
import pytest

from zoom_common.aws import https

_ROOTS = Path(https.__file__).parent / "amazon_roots.pem"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def roots(context: ssl.SSLContext) -> list[str]:
    return sorted(dict(part[0] for part in each["subject"])["commonName"] for each in context.get_ca_certs())  # type: ignore[misc]


def test_amazons_own_names_need_five_roots() -> None:
    """The first look is at Amazon Trust Services' roots alone, the second at all public ones."""
    quick, _ = https.contexts("sqs.eu-central-1.amazonaws.com", {})
    assert roots(quick()) == [
        "Amazon Root CA 1",
        "Amazon Root CA 2",
        "Amazon Root CA 3",
        "Amazon Root CA 4",
        "Starfield Services Root Certificate Authority - G2",
    ]


@pytest.mark.parametrize("host", ["sqs.cn-north-1.amazonaws.com.cn", "localhost", "amazonaws.com.example"])
def test_other_names_get_the_public_roots(host: str) -> None:
    """Nothing is assumed about a host that is not Amazon's, or only looks like it."""
    assert len(https.contexts(host, {})) == 1


def test_a_bundle_that_was_asked_for_is_the_only_one() -> None:
    """AWS_CA_BUNDLE counts for every AWS client alike."""
    (only,) = https.contexts("sqs.eu-central-1.amazonaws.com", {"AWS_CA_BUNDLE": str(_ROOTS)})
    assert len(roots(only())) == 5


def test_connections_share_what_was_read() -> None:
    """Reading certificates is what costs, so two hosts of Amazon's read them once."""
    sqs, _ = https.contexts("sqs.eu-central-1.amazonaws.com", {})
    secrets, _ = https.contexts("secretsmanager.eu-central-1.amazonaws.com", {})
    assert sqs() is secrets()


def test_every_context_checks_names_and_certificates() -> None:
    """Fewer roots, the same checks."""
    for context in (each() for each in https.contexts("sqs.eu-central-1.amazonaws.com", {})):
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


def test_the_roots_are_still_public_ones() -> None:
    """When one of them leaves the public bundle this fails, and the file has to follow."""
    public = "".join(Path(certifi.where()).read_text().split())
    kept = _CERTIFICATE.findall(_ROOTS.read_text())
    assert len(kept) == 5
    assert all("".join(each.split()) in public for each in kept)
