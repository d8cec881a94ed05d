"""The endpoints of AWS's services: an overridden one if set, else the service's public endpoint in its region.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html describes the variables;
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html the partitions. A test
compares every region that botocore knows. The webhook imports this module, so it uses little of the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping

# The ending of a service's variable where it differs from the service's name.
_VARIABLES = {"events": "EVENTBRIDGE", "secretsmanager": "SECRETS_MANAGER"}
# The DNS suffix of each partition except `aws`, by the beginning of its regions' names.
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}


def endpoint(service: str, environ: Mapping[str, str]) -> str:
    """Return scheme, host and port for `service` by its endpoint prefix. Raises KeyError when no region is set."""
    override = overridden(service, environ)
    if override:
        return origin(override)
    name = region(environ)
    suffix = next((each for start, each in _SUFFIXES.items() if name.startswith(start)), "amazonaws.com")
    return f"https://{service}.{name}.{suffix}"


def overridden(service: str, environ: Mapping[str, str]) -> str | None:
    """Return the overridden endpoint for `service`, such as an emulator's, or None."""
    own = environ.get(f"AWS_ENDPOINT_URL_{_VARIABLES.get(service, service.upper())}")
    return own or environ.get("AWS_ENDPOINT_URL")


def region(environ: Mapping[str, str]) -> str:
    """Return the region that is set in the environment. Raises KeyError when there is none."""
    return environ.get("AWS_REGION") or environ["AWS_DEFAULT_REGION"]


def host_and_port(place: str) -> tuple[str, int | None]:
    """Split `host[:port][/path]`. An IPv6 address is returned without its brackets."""
    place = place.partition("/")[0]
    host, bracket, port = place.rpartition("]") if place.startswith("[") else place.partition(":")
    return host.removeprefix("["), int(port.removeprefix(":")) if bracket and port.removeprefix(":") else None


def origin(url: str) -> str:
    """Return scheme, host and port of a URL. Importing `urllib.parse` would cost the webhook's start more than this."""
    scheme, _, place = url.partition("://")
    return f"{scheme}://{place.partition('/')[0].partition('?')[0]}"
