"""Where AWS's services are: the standard overrides first, else a service's public endpoint in its region.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html for the variables;
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html for the partitions.
A test compares every region that botocore knows. Standard library only, and little of it: the webhook imports this.
"""

from __future__ import annotations

from collections.abc import Mapping

# What a service's own variable ends in, where that is not its name.
_VARIABLES = {"events": "EVENTBRIDGE", "secretsmanager": "SECRETS_MANAGER"}
# The DNS suffix of each partition but AWS's first one, by the beginning of its regions' names.
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
    """Return the endpoint that somebody has set for `service`, such as an emulator's, or None."""
    own = environ.get(f"AWS_ENDPOINT_URL_{_VARIABLES.get(service, service.upper())}")
    return own or environ.get("AWS_ENDPOINT_URL")


def region(environ: Mapping[str, str]) -> str:
    """Return the region that Lambda, or the person at a laptop, has set. Raises KeyError when there is none."""
    return environ.get("AWS_REGION") or environ["AWS_DEFAULT_REGION"]


def host_and_port(place: str) -> tuple[str, int | None]:
    """Split `host[:port][/path]`. An IPv6 address comes back without its brackets."""
    place = place.partition("/")[0]
    host, bracket, port = place.rpartition("]") if place.startswith("[") else place.partition(":")
    return host.removeprefix("["), int(port.removeprefix(":")) if bracket and port.removeprefix(":") else None


def origin(url: str) -> str:
    """Return scheme, host and port of a URL; importing `urllib.parse` would cost the webhook's start more than this."""
    scheme, _, place = url.partition("://")
    return f"{scheme}://{place.partition('/')[0].partition('?')[0]}"
