"""Which URLs and addresses deliveries may go to: public hosts over HTTPS, and nothing inside a network.

A URL is checked twice: its text when a subscription is made, and the addresses of its host at every delivery.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry.xhtml
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

_HTTPS, _HTTP = 443, 80
_LONGEST_URL = 2000
_LONGEST_HOST = 253
_URL = re.compile(r"(https?)://([^/?#]*)((?:/[^?#]*)?(?:\?[^#]*)?)", re.IGNORECASE)
# Printable ASCII, without characters that browsers, proxies and parsers read differently.
_PLAIN = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_PLACE = re.compile(r"([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# A host whose last label looks like this is an IPv4 address in decimal, octal or hexadecimal form.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that stand for one machine or one network. https://www.rfc-editor.org/rfc/rfc6761, rfc8375, rfc9476
_PRIVATE_NAMES = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "alt",
    "onion",
    "arpa",
)
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1"})

# Addresses that are refused besides those that `is_global` refuses, because the nearest machine answers to them.
_REFUSED_V4 = tuple(
    IPv4Network(each)
    for each in (
        "192.0.0.0/24",  # protocol assignments, with anycast of the sender's own network
        "192.88.99.0/24",  # 6to4 relays, which lead to any IPv4 address
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast relays
        "192.175.48.0/24",  # AS112
        "168.63.129.16/32",  # metadata and DNS of a cloud, on the machine's own host
    )
)
# Only global unicast is public, without addresses that embed an IPv4 address or are reserved.
_PUBLIC_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # Teredo, ORCHID and other protocol assignments
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "3ffe::/16",  # 6bone, returned
    )
)


class AddressRefused(Exception):
    """A URL or an address to which nothing is sent. `reason` is a fixed text for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a POST goes: the parts of an accepted URL. `path` includes the query.

    `loopback` is set for an endpoint on the machine of a local stack. Its name must resolve to this machine.
    """

    host: str
    port: int
    path: str
    tls: bool = True
    loopback: bool = False

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        default = _HTTPS if self.tls else _HTTP
        return self.host if self.port == default else f"{self.host}:{self.port}"


def endpoint_of(url: str, *, local: bool = False) -> Endpoint:
    """Return the parts of an acceptable URL. Raises AddressRefused.

    `local` is for a stack on one machine: there, and only there, plain HTTP and any port of the loopback interface
    are accepted.
    """
    if len(url) > _LONGEST_URL:
        raise AddressRefused(f"A URL has at most {_LONGEST_URL} characters.")
    if not _PLAIN.fullmatch(url):
        raise AddressRefused("A URL has printable ASCII characters only. Write other letters percent-encoded.")
    found = _URL.fullmatch(url)
    if not found:
        raise AddressRefused("An https URL without a fragment.")
    scheme, place, path = found[1].lower(), found[2], found[3] or "/"
    if "@" in place:
        raise AddressRefused("A URL without user name and password: the signature says who sends.")
    parts = _PLACE.fullmatch(place)
    if not parts:
        raise AddressRefused("A host name, and no address.")
    host, port = parts[1].lower(), int(parts[2] or (_HTTPS if scheme == "https" else _HTTP))
    path = path if path.startswith("/") else f"/{path}"
    if local and host in _LOOPBACK_NAMES:
        return Endpoint(host, port, path, tls=scheme == "https", loopback=True)
    if scheme != "https":
        raise AddressRefused("An https URL.")
    if port != _HTTPS:
        raise AddressRefused("Port 443 only.")
    _check_name(host)
    return Endpoint(host, port, path)


def _check_name(host: str) -> None:
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise AddressRefused("A host name, and no address.")
    if len(host) > _LONGEST_HOST or len(labels) == 1 or not all(map(_LABEL.fullmatch, labels)):
        raise AddressRefused("A full host name, such as hooks.example.com.")
    if labels[-1] in _PRIVATE_NAMES:
        raise AddressRefused("A host name on the public internet.")


def check_addresses(addresses: list[str], *, loopback: bool = False) -> list[str]:
    """Return a name's addresses, IPv4 first, if all of them are public. Raises AddressRefused.

    One private address among public ones refuses the name, because its owner decides which one a later lookup returns.
    With `loopback`, only addresses of this machine are accepted.
    """
    if not addresses:
        raise AddressRefused("The host name has no address.")
    accepted = _is_loopback if loopback else is_public
    if not all(map(accepted, addresses)):
        raise AddressRefused("The host name leads to an address that is not on the public internet.")
    return sorted(dict.fromkeys(addresses), key=lambda each: ":" in each)


def is_public(address: str) -> bool:
    """Return whether an address belongs to a host on the public internet."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return found.is_global and not found.is_multicast and not any(found in each for each in _REFUSED_V4)
    # All others are mapped, translated (NAT64), unique local, link-local, multicast, or reserved.
    return found.scope_id is None and found in _PUBLIC_V6 and not any(found in each for each in _REFUSED_V6)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
