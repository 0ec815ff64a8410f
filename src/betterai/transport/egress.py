"""Which addresses may be reached: judged at connect time, on the final address, so no name can lie about it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

from yarl import URL

AddressInfo: TypeAlias = tuple[Any, ...]
SocketFactory: TypeAlias = Callable[[AddressInfo], socket.socket]

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_address("64:ff9b::").packed[:12]
_NOT_PUBLIC = (
    ip_network("192.0.0.0/24"),  # the metadata service of Oracle's cloud is in it; older Pythons call it global
    ip_network("168.63.129.16/32"),  # Azure's host agent, from inside every virtual machine
)
_PRIVATE_SUFFIXES = (".local", ".internal", ".localhost", ".lan", ".home.arpa", ".svc", ".cluster.local")


class EgressDenied(OSError):
    """The address is not one that this request may reach."""


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet: not private, loopback, link-local, metadata, multicast or
    reserved, and not one of those wrapped into IPv6 (mapped, 6to4, Teredo, NAT64).
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if (inner := _unwrap(ip)) is not None:
            return all(is_public(str(wrapped)) for wrapped in inner)
        if ip not in _GLOBAL_UNICAST:
            return False
    elif any(ip in network for network in _NOT_PUBLIC):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _unwrap(ip: IPv6Address) -> Sequence[IPv4Address] | None:
    if ip.ipv4_mapped is not None:
        return (ip.ipv4_mapped,)
    if ip.sixtofour is not None:
        return (ip.sixtofour,)
    if ip.teredo is not None:
        return ip.teredo
    if ip.packed[:12] == _NAT64 or (ip.packed[:12] == bytes(12) and int(ip) > 1):
        return (IPv4Address(ip.packed[12:]),)
    return None


def is_private_host(url: str) -> bool:
    """Whether a URL names a private place by itself: a private address in any spelling (127.1, 0x7f.1, 2130706433),
    localhost, or a name of a local network.
    """
    try:
        host = (URL(url).host or "").rstrip(".").lower()
    except ValueError:
        return True
    try:
        return not is_public(host)
    except ValueError:
        pass
    try:
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except OSError:
        return "." not in host or host.endswith(_PRIVATE_SUFFIXES)


def is_loopback(host: str) -> bool:
    """Whether a name or address, in any spelling, is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        try:
            address = ip_address(socket.inet_aton(host))
        except OSError:
            return False
    return address.is_loopback or address.is_unspecified


def public_socket(info: AddressInfo) -> socket.socket:
    """A socket factory for aiohttp's connector: refuses every address that is not public."""
    family, kind, protocol, _, address = info
    try:
        public = family in (socket.AF_INET, socket.AF_INET6) and is_public(str(address[0]))
    except ValueError:
        public = False
    if not public:
        raise EgressDenied("this request may go to public addresses only")
    return socket.socket(family, kind, protocol)


def any_socket(info: AddressInfo) -> socket.socket:
    """A socket factory for a base URL that the user pointed at a private place."""
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)
