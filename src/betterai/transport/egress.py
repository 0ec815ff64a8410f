"""Which addresses may be reached: judged at connect time, on the final address, so no name can lie about it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

_NAT64 = ip_address("64:ff9b::").packed[:12]
_PRIVATE_SUFFIXES = (".local", ".internal", ".localhost", ".lan", ".home.arpa", ".svc", ".cluster.local")


class EgressDenied(OSError):
    """The address is not one that this request may reach."""


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet: not private, loopback, link-local, metadata, multicast or
    reserved, and not one of those wrapped into IPv6 (mapped, 6to4, Teredo, NAT64).
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _unwrap(ip)) is not None:
        return all(is_public(str(wrapped)) for wrapped in inner)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _unwrap(ip: IPv6Address) -> Sequence[IPv4Address] | None:
    if ip.ipv4_mapped is not None:
        return (ip.ipv4_mapped,)
    if ip.sixtofour is not None:
        return (ip.sixtofour,)
    if ip.teredo is not None:
        return ip.teredo
    if ip.packed[:12] == _NAT64:
        return (IPv4Address(ip.packed[12:]),)
    if ip.packed[:12] == bytes(12) and int(ip) > 1:
        return (IPv4Address(ip.packed[12:]),)
    return None


def is_private_host(url: str) -> bool:
    """Whether a URL names a private place by itself: a private address, localhost, or a name of a local network."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    try:
        return not is_public(host)
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_SUFFIXES)


AddressInfo = tuple[Any, ...]


def public_socket(info: AddressInfo) -> socket.socket:
    """A socket factory for aiohttp's connector: refuses every address that is not public."""
    family, kind, protocol, _, address = info
    if family not in (socket.AF_INET, socket.AF_INET6) or not is_public(str(address[0])):
        raise EgressDenied(f"{address[0]} is not a public address: this request may not go there")
    return socket.socket(family, kind, protocol)


def any_socket(info: AddressInfo) -> socket.socket:
    """A socket factory for a base URL that the user pointed at a private place."""
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


SocketFactory = Callable[[AddressInfo], socket.socket]
