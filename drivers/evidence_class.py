"""The class of evidence that the links of a bench can support; only this module distinguishes hardware from software.

A link counts as hardware only if that is proven: an instrument on another machine or on a wire of this one, a CAN
adapter. An unknown link counts as software. A maker's own virtual CAN channel cannot be distinguished from its adapter.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from drivers import source_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drivers.benchfile.model import Bench

CLASSES: Final = ("SIM", "HIL", "PACK")  # from software, from a bench, from a real pack; lowest first
SIM, HIL, PACK = CLASSES
EMULATED: Final = "emulated"  # an address or interface that the composition root replaces
SOFTWARE_BUSES: Final = frozenset({"virtual", "udp_multicast", "loopback_udp"})
SOFTWARE_CAN: Final = ("vcan", "vxcan")  # how Linux names interfaces without an adapter
ADAPTERS: Final = frozenset(  # python-can's interfaces that open an adapter themselves
    {
        "canalystii", "cantact", "etas", "gs_usb", "iscan", "ixxat", "kvaser", "neousys", "neovi", "nican", "nixnet",
        "pcan", "robotell", "seeedstudio", "serial", "slcan", "systec", "usb2can", "vector",
    }
)  # fmt: skip
VISA: Final = re.compile(r"(TCPIP|USB|GPIB|PXI|VXI|ASRL)(.*?)::(.+)", re.IGNORECASE)
SERIAL_PORT: Final = re.compile(r"\d+|COM\d+|/dev/(tty|cu\.).+", re.IGNORECASE)
NO_PEERS: Final[Mapping[str, str]] = MappingProxyType({})


def is_emulated(address: str) -> bool:
    """Return whether an address, or the interface of a device, reads `emulated` or `emulated:NAME`."""
    return address.partition(":")[0] == EMULATED


class Origin(StrEnum):
    """Where a link ends."""

    SOFTWARE = "software"
    UNKNOWN = "unknown"
    HARDWARE = "hardware"


@dataclass(frozen=True, slots=True)
class LinkOrigin:
    """Where the link of one source ends, and the reason for that result."""

    source: str
    origin: Origin
    reason: str


def resolve_host(host: str) -> tuple[str, ...]:
    """Return every numeric address of `host`; none if no name service knows it."""
    try:
        return tuple(sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}))
    except (OSError, ValueError):
        return ()


def list_own_addresses() -> frozenset[str]:
    """Return the numeric addresses of this machine's interfaces."""
    import psutil  # noqa: PLC0415  # not needed to read classes of evidence

    found = (address for addresses in psutil.net_if_addrs().values() for address in addresses)
    families = (socket.AF_INET, socket.AF_INET6)
    return frozenset(_numeric(address.address) for address in found if address.family in families)


def list_own_names() -> frozenset[str]:
    """Return this machine's own names."""
    name = socket.gethostname().casefold()
    return frozenset({name, name.partition(".")[0], "localhost"})


def is_can_adapter(name: str) -> bool:
    """Return whether the Linux network interface `name` belongs to a device; a software interface has none."""
    return name.isprintable() and "/" not in name and Path("/sys/class/net", name, "device").exists()


@dataclass(frozen=True, slots=True)
class Machine:
    """The names and interfaces known to this machine."""

    resolve: Callable[[str], tuple[str, ...]] = resolve_host
    own_addresses: Callable[[], frozenset[str]] = list_own_addresses
    own_names: Callable[[], frozenset[str]] = list_own_names
    is_can_adapter: Callable[[str], bool] = is_can_adapter


THIS_MACHINE: Final = Machine()


def find_evidence_class(bench: Bench, peers: Mapping[str, str] = NO_PEERS, machine: Machine = THIS_MACHINE) -> str:
    """Return the class of a session on `bench`: SIM unless every link is proven to be hardware."""
    if explain_class(find_links(bench, peers, machine)):
        return SIM
    return PACK if bench.bench.mode == "pack" else HIL


def find_class_limit(bench: Bench, machine: Machine = THIS_MACHINE) -> str:
    """Return the class that the file alone allows: SIM if a link is known to be software.

    The calling machine may not be the bench's: links unknown here were judged where the session ran.
    """
    return SIM if any(link.origin is Origin.SOFTWARE for link in find_links(bench, machine=machine)) else PACK


def find_links(
    bench: Bench, peers: Mapping[str, str] = NO_PEERS, machine: Machine = THIS_MACHINE
) -> tuple[LinkOrigin, ...]:
    """Return where each link of `bench` ends; `peers[instrument]` is the numeric address of a connected peer."""
    return (
        *(
            find_instrument_origin(name, section.address, peers.get(name, ""), machine)
            for name, section in bench.instruments.items()
        ),
        find_can_origin(source_names.DUT, bench.dut.interface, bench.dut.channel, machine),
    )


def explain_class(links: Iterable[LinkOrigin]) -> str:
    """Return why these links are no evidence of hardware, one part per link; empty if all are."""
    return "; ".join(f"{link.source} {link.reason}" for link in links if link.origin is not Origin.HARDWARE)


def find_instrument_origin(source: str, address: str, peer: str = "", machine: Machine = THIS_MACHINE) -> LinkOrigin:
    """Return where `address` (`host:port`, a VISA resource or `emulated:NAME`) ends; a connected `peer` counts too."""
    found = _from_address(source, address, machine)
    if peer and found.origin is not Origin.SOFTWARE:
        return _from_numbers(source, f"{address} (connected to {peer})", (peer,), machine)
    return found


def find_can_origin(source: str, interface: str, channel: str, machine: Machine = THIS_MACHINE) -> LinkOrigin:
    """Return where a CAN bus ends, by python-can's name of its interface and the channel."""
    kind, place = interface.casefold(), f"on {interface} {channel}"
    if is_emulated(interface) or kind in SOFTWARE_BUSES:
        return LinkOrigin(source, Origin.SOFTWARE, f"{place} is a bus in software")
    if kind == "socketcan" and channel.casefold().startswith(SOFTWARE_CAN):
        return LinkOrigin(source, Origin.SOFTWARE, f"{place} is a bus in software")
    if kind == "socketcan":
        is_adapter = machine.is_can_adapter(channel)
    else:
        is_adapter = kind in ADAPTERS and "://" not in channel and not channel.startswith("/dev/pts")
    if is_adapter:
        return LinkOrigin(source, Origin.HARDWARE, f"{place} is an adapter")
    return LinkOrigin(source, Origin.UNKNOWN, f"{place} is not known to be an adapter")


def _from_address(source: str, address: str, machine: Machine) -> LinkOrigin:
    if is_emulated(address):
        return LinkOrigin(source, Origin.SOFTWARE, f"at {address} is emulated")
    visa = VISA.fullmatch(address)
    if visa is None:
        return _from_host(source, address, address.rpartition(":")[0], machine)
    kind, board, rest = visa[1].upper(), visa[2], visa[3]
    if kind == "TCPIP":
        inner = rest[1:].partition("]")[0] if rest.startswith("[") else rest.partition("::")[0]
        return _from_host(source, address, inner, machine)
    if kind == "ASRL" and not SERIAL_PORT.fullmatch(os.path.realpath(board) if board.startswith("/") else board):
        return LinkOrigin(source, Origin.UNKNOWN, f"at {address} is not known to be a serial port")
    return LinkOrigin(source, Origin.HARDWARE, f"at {address} is on a wire of this machine")


def _from_host(source: str, address: str, host: str, machine: Machine) -> LinkOrigin:
    plain = host.strip("[]").casefold().rstrip(".")
    if plain in machine.own_names() or plain.endswith(".localhost"):
        return LinkOrigin(source, Origin.SOFTWARE, f"at {address} is on this machine")
    found = machine.resolve(plain) if plain else ()
    return _from_numbers(source, address, found, machine)


def _from_numbers(source: str, address: str, found: tuple[str, ...], machine: Machine) -> LinkOrigin:
    """Return the origin by numeric addresses: one of `found` on this machine makes the whole link software."""
    if not found:
        return LinkOrigin(source, Origin.UNKNOWN, f"at {address} is not found by any name service")
    own = machine.own_addresses()
    if any(_is_here(number, own) for number in found):
        return LinkOrigin(source, Origin.SOFTWARE, f"at {address} is on this machine")
    return LinkOrigin(source, Origin.HARDWARE, f"at {address} is another machine")


def _is_here(number: str, own: frozenset[str]) -> bool:
    """Return whether a numeric address is this machine's, or one that no single machine can have."""
    plain = _numeric(number)
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return True
    return address.is_loopback or address.is_unspecified or address.is_multicast or plain in own


def _numeric(number: str) -> str:
    """Return an address in its normal form: no zone, IPv4 if IPv6 only maps it."""
    plain = number.partition("%")[0]
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return plain
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
