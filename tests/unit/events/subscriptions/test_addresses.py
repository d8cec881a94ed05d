"""No way inside: URLs and addresses that deliveries never go to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.events.subscriptions.addresses import AddressRefused, check_addresses, endpoint_of, is_public

HOSTILE_URLS = [
    "http://hooks.example.com/",  # not TLS
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://hooks.example.com/",
    "https://",
    "https:///path",
    "https:hooks.example.com",
    "//hooks.example.com/",
    "hooks.example.com",
    "",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",  # decimal
    "https://0x7f000001/",  # hexadecimal
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",  # octal
    "https://017700000001/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/v2/credentials",
    "https://100.64.0.1/",
    "https://93.184.216.34/",  # public, and no name
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",  # mapped
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",  # NAT64
    "https://[fd00:ec2::254]/",  # metadata by IPv6
    "https://[fe80::1%25eth0]/",
    "https://[2606:4700::1111]/",
    "https://[::10.0.0.1]/",  # IPv4-compatible
    "https://[2002:a00:1::]/",  # 6to4
    "https://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/",  # Teredo
    "https://[64:ff9b:1::a00:1]/",  # NAT64 with a prefix of the network's own
    "https://[fe80::1%eth0]/",  # with a scope
    "https://[2606:4700::1111%25eth0]/",
    "https://[v1.fe80::a]/",
    "https://10.1/",  # short forms
    "https://192.168.257/",
    "https://0x0a.1/",
    "https://0x0a000001/",
    "https://012.0.0.1/",  # octal
    "https://0000012.0.0.1/",
    "https://3232235777/",
    "https://10.0.0.1./",  # a trailing dot
    "https://2852039166./",
    "https://169.254.169.254.:443/",
    "https://127。0.0.1/",  # ideographic full stop
    "https://１２７.０.０.１/",  # full-width digits  # noqa: RUF001
    "https://①②⑦.0.0.1/",
    "https://hooks.example.com%0d%0aHost:inside/",
    "https://hooks.example.com%00.inside/",
    "https://hooks.example.com:443@10.0.0.1/",
    "https://hooks.example.com:@10.0.0.1:443/",
    "https://a@b@10.0.0.1/",
    "https://hooks.example.com:+443/",
    "https://hooks.example.com:4 43/",
    "https://hooks.example.com:443:443/",
    "https://hooks.example.com:-1/",
    "https://hooks.example.com,10.0.0.1/",
    "https://hooks.example.com;10.0.0.1/",
    "https://hooks.example.com\n/",
    "https://hooks.example.com/\r\n\r\nPOST / HTTP/1.1",
    " https://hooks.example.com/",
    "jar:https://hooks.example.com!/",
    "https+unix://hooks.example.com/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://api.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://ip-10-0-0-1.eu-central-1.compute.internal/",
    "https://router.lan/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://intranet/",
    "https://hooks.example.com:80/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:8443/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:443443/",
    "https://user:password@hooks.example.com/",
    "https://hooks.example.com@10.0.0.1/",
    "https://10.0.0.1@hooks.example.com/",
    "https://hooks.example.com\\@10.0.0.1/",
    "https://hooks.example.com\r\nHost: inside/",
    "https://hooks.example.com/ HTTP/1.1\r\nX: y",
    "https://hooks.example.com\t/",
    "https://hooks.example.com/\x00",
    "https://hooks.example.com/#fragment",
    "https://hooks.example.com#@10.0.0.1/",
    "https://hooks..example.com/",
    "https://.example.com/",
    "https://-hooks.example.com/",
    "https://hooks_1.example.com/",
    "https://hooks.example.com./",
    "https://%6c%6fcalhost/",
    "https://ⓔxample.com/",
    "https://127。0。0。1/",
    "https://xn--.example.0x7f/",
    f"https://{'a' * 64}.example.com/",
    f"https://hooks.example.com/{'a' * 2000}",
]

INSIDE = [
    "0.0.0.0",  # noqa: S104 - nobody binds to it here
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.0.192",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "168.63.129.16",
    "100.100.100.200",
    "127.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "１２７.0.0.1",  # noqa: RUF001 - full-width digits
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::ffff:0:10.0.0.1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    "2002:a9fe:a9fe::1",
    "64:ff9b:1:ffff::a00:1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3ffe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "no address",
    "",
]


def test_the_table_is_long_enough() -> None:
    """The table has at least forty hostile URLs, each once."""
    assert len(set(HOSTILE_URLS)) == len(HOSTILE_URLS) >= 40


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused(url: str) -> None:
    """Before anything is looked up."""
    with pytest.raises(AddressRefused):
        endpoint_of(url)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused(address: str) -> None:
    """Alone, and among public ones: a later lookup may give the other."""
    assert not is_public(address)
    with pytest.raises(AddressRefused):
        check_addresses([address])
    with pytest.raises(AddressRefused):
        check_addresses(["93.184.216.34", address])


def test_a_name_without_an_address_is_refused() -> None:
    """There is nothing to pin."""
    with pytest.raises(AddressRefused):
        check_addresses([])


def test_public_addresses_are_accepted_ipv4_first() -> None:
    """Lambda reaches IPv4 without more; each address is tried once."""
    found = ["2606:4700::1111", "93.184.216.34", "93.184.216.34"]
    assert check_addresses(found) == ["93.184.216.34", "2606:4700::1111"]


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("https://Hooks.Example.com:443/a?b=c", "hooks.example.com", "/a?b=c"),
        ("https://hooks.example.com?b=c", "hooks.example.com", "/?b=c"),
        ("https://xn--bcher-kva.example/h%C3%A4ken", "xn--bcher-kva.example", "/h%C3%A4ken"),
        (
            "https://abc123.execute-api.eu-central-1.amazonaws.com/prod",
            "abc123.execute-api.eu-central-1.amazonaws.com",
            "/prod",
        ),
    ],
)
def test_a_public_url_is_accepted(url: str, host: str, path: str) -> None:
    """By its name, on port 443."""
    found = endpoint_of(url)
    assert (found.host, found.port, found.path, found.tls) == (host, 443, path, True)
    assert found.authority == host


def test_this_machine_is_for_a_local_stack_only() -> None:
    """Plain HTTP and any port of the loopback interface, where the stack is local; other hosts have the same rules."""
    found = endpoint_of("http://localhost:8080/hook", local=True)
    assert (found.port, found.tls, found.loopback, found.authority) == (8080, False, True, "localhost:8080")
    with pytest.raises(AddressRefused):
        endpoint_of("http://localhost:8080/hook")
    for url in ("http://hooks.example.com/", "https://10.0.0.1/", "https://hooks.example.com:8443/"):
        with pytest.raises(AddressRefused):
            endpoint_of(url, local=True)
    assert check_addresses(["127.0.0.1", "::1"], loopback=True) == ["127.0.0.1", "::1"]
    with pytest.raises(AddressRefused):
        check_addresses(["127.0.0.1", "10.0.0.1"], loopback=True)


@given(st.ip_addresses(v=4))
def test_no_address_is_public_that_the_registry_sets_aside(address: IPv4Address) -> None:
    """No IPv4 address that the registry reserves is accepted."""
    if is_public(str(address)):
        kinds = ("is_private", "is_loopback", "is_link_local", "is_multicast", "is_reserved", "is_unspecified")
        assert [kind for kind in kinds if getattr(address, kind)] == []


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_is_public_that_embeds_or_is_set_aside(address: IPv6Address) -> None:
    """No mapped, translated, tunnelled or local IPv6 address is accepted."""
    if is_public(str(address)):
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None
        kinds = ("is_private", "is_link_local", "is_multicast", "is_site_local")
        assert [kind for kind in kinds if getattr(address, kind)] == []


@given(st.ip_addresses(v=4).filter(lambda each: not each.is_global), st.sampled_from(range(6)))
def test_no_writing_of_an_address_inside_is_accepted(address: IPv4Address, form: int) -> None:
    """Dotted, decimal, hexadecimal, octal, mapped, or by NAT64."""
    number = int(address)
    written = [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        f"[::ffff:{address}]",
        f"[64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}]",
    ][form]
    with pytest.raises(AddressRefused):
        endpoint_of(f"https://{written}/")


@given(st.ip_addresses(v=4), st.sampled_from(range(7)))
def test_no_ipv6_address_that_carries_another_is_public(address: IPv4Address, form: int) -> None:
    """Compatible, mapped, translated, 6to4, Teredo, NAT64 by either prefix: whatever it carries."""
    number = int(address)
    high, low = number >> 16, number & 0xFFFF
    written = [
        f"::{address}",
        f"::ffff:{address}",
        f"::ffff:0:{address}",
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:{high:x}:{low:x}::1",
        f"64:ff9b::{high:x}:{low:x}",
        f"64:ff9b:1::{high:x}:{low:x}",
    ][form]
    assert not is_public(written)
    assert not is_public(f"{written}%eth0")


_PARTS = st.sampled_from(
    (
        *(
            "https",
            "http",
            "://",
            ":",
            "/",
            "//",
            "@",
            "#",
            "?",
            "\\",
            ".",
            "%",
            "[",
            "]",
            "::1",
            "127.0.0.1",
            "localhost",
        ),
        *("10.0.0.1", "0x7f", "1", "443", "80", "example.com", "hooks", "\r\n", "\t", " ", "a", "ⓐ", "。"),
    )
)


@given(st.lists(_PARTS, max_size=9).map("".join) | st.text(max_size=60))
def test_whatever_is_accepted_is_a_public_name_on_port_443(url: str) -> None:
    """Any text: what passes has a name, and the request line and the header hold no surprises."""
    try:
        found = endpoint_of(url)
    except AddressRefused:
        return
    assert found.tls
    assert found.port == 443
    assert not found.loopback
    assert "." in found.host
    with pytest.raises(ValueError, match="does not appear"):
        ip_address(found.host)
    assert found.path.startswith("/")
    assert all(" " < each < "\x7f" for each in found.host + found.path)
