"""Where AWS's services are, compared with botocore in every region that it knows."""

from __future__ import annotations

import botocore.session
import pytest

from zoom_common.aws.endpoints import endpoint, host_and_port, origin, region

_SESSION = botocore.session.Session()
# Every service that the gateway calls.
_SERVICES = ["dynamodb", "events", "kms", "lambda", "secretsmanager", "sqs"]
_IN_FRANKFURT = {"AWS_REGION": "eu-central-1"}


@pytest.mark.parametrize("service", _SERVICES)
def test_endpoints_are_botocores(service: str) -> None:
    """Endpoints equal botocore's in every region of every partition."""
    resolver = _SESSION.get_component("endpoint_resolver")
    seen = set()
    for partition in _SESSION.get_available_partitions():
        for name in _SESSION.get_available_regions(service, partition):
            theirs = resolver.construct_endpoint(service, name)["hostname"]
            assert endpoint(service, {"AWS_REGION": name}) == f"https://{theirs}"
            seen.add(name)
    assert {"eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-isob-east-1"} <= seen


@pytest.mark.parametrize("service", _SERVICES)
def test_a_service_has_the_variable_that_botocore_reads(service: str) -> None:
    """AWS_ENDPOINT_URL_<SERVICE> goes before AWS_ENDPOINT_URL; a path after the host is left out."""
    name = str(_SESSION.get_service_model(service).service_id).replace(" ", "_").upper()
    both = {**_IN_FRANKFURT, "AWS_ENDPOINT_URL": "http://localhost:4566/"}
    assert endpoint(service, both) == "http://localhost:4566"
    assert endpoint(service, both | {f"AWS_ENDPOINT_URL_{name}": "https://vpce.test/x"}) == "https://vpce.test"


def test_the_region_is_lambdas() -> None:
    """AWS_REGION goes before AWS_DEFAULT_REGION, and without either there is no endpoint."""
    assert region({"AWS_DEFAULT_REGION": "eu-west-1"}) == "eu-west-1"
    assert region({"AWS_DEFAULT_REGION": "eu-west-1", **_IN_FRANKFURT}) == "eu-central-1"
    with pytest.raises(KeyError):
        endpoint("sqs", {})


def test_a_queues_url_leads_to_its_service() -> None:
    """What SQS gives out as a queue's URL begins with the service's endpoint."""
    url = "https://sqs.eu-central-1.amazonaws.com/123456789012/ingest"
    assert origin(url) == endpoint("sqs", _IN_FRANKFURT)


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("sqs.us-east-1.amazonaws.com", ("sqs.us-east-1.amazonaws.com", None)),
        ("localhost:4566/queue", ("localhost", 4566)),
        ("[::1]:4566", ("::1", 4566)),
        ("[::1]/", ("::1", None)),
    ],
)
def test_places_are_split(place: str, parts: tuple[str, int | None]) -> None:
    """Host and port, with or without a port, path and brackets."""
    assert host_and_port(place) == parts
