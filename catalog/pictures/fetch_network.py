"""The way out of a fetch: public addresses only, and not a second longer than agreed.

A name is resolved once, every address it has is checked, and the connection goes to a checked address, never to the
name: a second answer of the name server (DNS rebinding) can't lead anywhere else. The name still goes into the Host
header, into SNI and into the certificate check.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from ssl import SSLContext
from time import monotonic
from typing import Any

import httpcore

Address = IPv4Address | IPv6Address

# IANA's special-purpose registries (iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry),
# spelled out because Python's `is_global` differs between patch releases and lets multicast, 6to4 and others through.
_SPECIAL_V4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; one cloud keeps its metadata at 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # in no registry: another cloud's host agent, from inside its machines
        "169.254.0.0/16",  # link-local; most clouds keep their metadata at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# The one block that holds public hosts (RFC 4291, 2.4), and what is special inside it.
_GLOBAL_V6 = ip_network("2000::/3")
_SPECIAL_V6 = tuple(ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: how a network without IPv4 reaches it; the last 32 bits are the address
_ISATAP = {0x00005EFE, 0x02005EFE}  # RFC 5214: these 32 bits, then an IPv4 address


class AddressForbiddenError(Exception):
    """A name leads to an address that isn't public."""


def is_public(address: Address) -> bool:
    """Returns whether an address belongs to a host on the public internet, looking into embedded IPv4 addresses too."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    if address.scope_id is not None:
        return False
    low = int(address) & 0xFFFFFFFF
    if address.ipv4_mapped is not None or address in _NAT64:
        return is_public(IPv4Address(low))
    if address not in _GLOBAL_V6 or any(address in network for network in _SPECIAL_V6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP or is_public(IPv4Address(low))


def resolve(host: str, port: int) -> list[str]:
    """Returns a host's addresses, as text, in the system's order. Raises OSError or UnicodeError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Network:
    """What a fetch may reach. The defaults are the public internet; tests put a server of their own in its place."""

    ports: frozenset[int] = frozenset({80, 443})
    is_allowed: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], Sequence[str]] = resolve
    tls: SSLContext | None = None  # None trusts the usual certificate authorities


class Deadline:
    """One moment by which everything must be done."""

    def __init__(self, timeout_s: float) -> None:
        self._end = monotonic() + timeout_s

    def left_s(self) -> float:
        """Returns the seconds left, more than 0. Raises TimeoutError when there are none."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses, within the deadline; given to httpcore as the only way to open a socket."""

    def __init__(self, network: Network, deadline: Deadline) -> None:
        self._network = network
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises AddressForbiddenError when any of the host's addresses is, else as httpcore's own backend does."""
        addresses = self._checked_addresses(host, port)
        for index, address in enumerate(addresses):
            # A silent address may not use up the time of those after it.
            share_s = self._deadline.left_s() / (len(addresses) - index)
            try:
                stream = self._sockets.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if index == len(addresses) - 1:
                    raise
            else:
                return _TimedStream(stream, self._deadline)
        raise httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        raise AddressForbiddenError(path)

    def _checked_addresses(self, host: str, port: int) -> list[str]:
        """Refuses a host with both public and other addresses: an honest one has no reason to."""
        addresses = self._resolve(host, port)
        for address in addresses:
            if not self._network.is_allowed(ip_address(address)):
                raise AddressForbiddenError(host)
        return addresses

    def _resolve(self, host: str, port: int) -> list[str]:
        """Asks in a thread of its own, for the system's resolver knows no deadline."""
        answers: list[Sequence[str]] = []
        failures: list[Exception] = []

        def ask() -> None:
            try:
                answers.append(self._network.resolve(host, port))
            except Exception as error:
                failures.append(error)

        thread = threading.Thread(target=ask, name=f"resolve {host}", daemon=True)
        thread.start()
        thread.join(self._deadline.left_s())
        if failures:
            raise httpcore.ConnectError(f"{host} can't be resolved") from failures[0]
        if not answers:
            raise TimeoutError
        return list(answers[0])


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every read and write ends by the deadline, so that a slow drip can't go on for ever."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s())
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
