"""Hardware is what is proven to be hardware: another machine, or an adapter; no test asks a network."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.benchfile.read import read_bench, read_recorded_bench
from drivers.evidence_class import (
    HIL,
    PACK,
    SIM,
    Machine,
    Origin,
    explain_class,
    find_can_origin,
    find_class_limit,
    find_evidence_class,
    find_instrument_origin,
    is_can_adapter,
    list_own_addresses,
    resolve_host,
)

if TYPE_CHECKING:
    from drivers.benchfile import Bench

HIL24 = Path(__file__).resolve().parents[2] / "fixtures" / "benches" / "hil24.toml"
NAMES = {
    "supply.lab": ("192.0.2.10",),
    "two-homes.lab": ("192.0.2.11", "127.0.0.1"),
    "other-name.lab": ("192.0.2.1",),
    "benchpc": ("127.0.1.1",),
    "six.lab": ("2001:db8::10",),
    "mapped.lab": ("::ffff:192.0.2.1",),
}


def resolve(host: str) -> tuple[str, ...]:
    """A name service of this test alone; numbers are read as the system reads them, without asking anybody."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return NAMES.get(host, ())
    return tuple(str(one[4][0]) for one in found)


MACHINE = Machine(
    resolve,
    own_addresses=lambda: frozenset({"127.0.0.1", "192.0.2.1", "2001:db8::1"}),
    own_names=lambda: frozenset({"workstation", "workstation.lab", "localhost"}),
    is_can_adapter=lambda name: name == "can0",
)


def origin(address: str, peer: str = "") -> Origin:
    return find_instrument_origin("supply", address, peer, MACHINE).origin


@pytest.mark.parametrize(
    "address",
    [
        "emulated:supply",
        "127.0.0.1:5025",
        "127.1:5025",
        "0.0.0.0:5025",
        "localhost:5025",
        "LOCALHOST:5025",
        "localhost.:5025",
        "bench.localhost:5025",
        "workstation:5025",
        "Workstation.lab:5025",
        "benchpc:5025",
        "192.0.2.1:5025",
        "other-name.lab:5025",
        "mapped.lab:5025",
        "two-homes.lab:5025",
        "[::1]:5025",
        "::1:5025",
        "[::ffff:127.0.0.1]:5025",
        "2001:db8::1:5025",
        "239.1.2.3:5025",
        "TCPIP::127.0.0.1::5025::SOCKET",
        "tcpip0::LocalHost::5025::socket",
        "TCPIP0::[::1]::5025::SOCKET",
        "TCPIP0::127.1::inst0::INSTR",
    ],
)
def test_this_machine_is_software_however_it_is_spelled(address: str) -> None:
    assert origin(address) is Origin.SOFTWARE


@pytest.mark.parametrize(
    "address", ["nowhere.lab:5025", ":5025", "5025", "", "TCPIP::nowhere.lab::5025::SOCKET", "ASRL/dev/pts/3::INSTR"]
)
def test_what_nobody_knows_is_not_known(address: str) -> None:
    assert origin(address) is Origin.UNKNOWN


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.10:5025",
        "supply.lab:5025",
        "six.lab:5025",
        "[2001:db8::10]:5025",
        "TCPIP0::192.0.2.10::5025::SOCKET",
        "TCPIP::supply.lab::INSTR",
        "USB0::0x1AB1::0x0E11::DP8C1234::INSTR",
        "GPIB0::12::INSTR",
        "ASRL3::INSTR",
        "ASRLCOM4::INSTR",
        "ASRL/dev/ttyUSB0::INSTR",
    ],
)
def test_another_machine_and_a_wire_are_hardware(address: str) -> None:
    assert origin(address) is Origin.HARDWARE


def test_a_serial_port_that_leads_to_a_pseudo_terminal_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").symlink_to("/dev/pts/3")
    assert origin(f"ASRL{tmp_path}/ttyUSB0::INSTR") is Origin.UNKNOWN


def test_the_connected_peer_decides_where_the_name_had_led_elsewhere() -> None:
    assert origin("supply.lab:5025", peer="192.0.2.1") is Origin.SOFTWARE
    assert origin("supply.lab:5025", peer="192.0.2.10") is Origin.HARDWARE
    assert origin("nowhere.lab:5025", peer="192.0.2.10") is Origin.HARDWARE
    assert origin("localhost:5025", peer="192.0.2.10") is Origin.SOFTWARE


@pytest.mark.parametrize(
    ("interface", "channel", "expected"),
    [
        ("emulated", "bms", Origin.SOFTWARE),
        ("virtual", "x", Origin.SOFTWARE),
        ("loopback_udp", "127.0.0.1:20000", Origin.SOFTWARE),
        ("udp_multicast", "239.74.163.2", Origin.SOFTWARE),
        ("UDP_Multicast", "ff15:7079:7468:6f6e:6465:6d6f:6d63:6173", Origin.SOFTWARE),
        ("socketcan", "vcan0", Origin.SOFTWARE),
        ("socketcan", "VCAN0", Origin.SOFTWARE),
        ("socketcan", "vxcan1", Origin.SOFTWARE),
        ("socketcan", "can0", Origin.HARDWARE),
        ("socketcan", "can7", Origin.UNKNOWN),
        ("pcan", "PCAN_USBBUS1", Origin.HARDWARE),
        ("slcan", "/dev/ttyACM0", Origin.HARDWARE),
        ("slcan", "/dev/pts/4", Origin.UNKNOWN),
        ("slcan", "socket://127.0.0.1:3000", Origin.UNKNOWN),
        ("socketcand", "can0", Origin.UNKNOWN),
        ("somebody's plug-in", "1", Origin.UNKNOWN),
    ],
)
def test_a_can_bus_is_hardware_where_an_adapter_is_known(interface: str, channel: str, expected: Origin) -> None:
    assert find_can_origin("dut", interface, channel, MACHINE).origin is expected


def test_no_interface_of_this_machine_is_taken_for_an_adapter_by_a_strange_name() -> None:
    assert not is_can_adapter("../../../")
    assert not is_can_adapter("lo")
    assert not is_can_adapter("")


def test_this_machine_knows_its_own_loopback() -> None:
    assert "127.0.0.1" in list_own_addresses()
    assert resolve_host("127.1") in {("127.0.0.1",), ()}  # a system that does not read it knows nothing of it


REAL = {
    '"emulated:cell_simulator"': '"192.0.2.11:5025"',
    '"emulated:supply"': '"supply.lab:5025"',
    '"emulated:io_box"': '"192.0.2.12:5025"',
    'interface = "emulated"': 'interface = "socketcan"',
    'channel = "bms"': 'channel = "can0"',
}


def real_bench(before: str = "", after: str = "") -> Bench:
    """The emulated bench with real instruments in place of its own, and one more change."""
    text = HIL24.read_text(encoding="utf-8")
    for declared, real in REAL.items():
        text = text.replace(declared, real)
    assert before in text
    return read_recorded_bench("real.toml", text.replace(before, after) if before else text)


@pytest.mark.parametrize(
    ("before", "after", "found", "limit"),
    [
        ("supply.lab:5025", "supply.lab:5026", HIL, PACK),
        ("supply.lab:5025", "nowhere.lab:5025", SIM, PACK),
        ("supply.lab:5025", "127.1:5025", SIM, SIM),
        ("supply.lab:5025", "0.0.0.0:5025", SIM, SIM),
        ("supply.lab:5025", "LOCALHOST:5025", SIM, SIM),
        ("supply.lab:5025", "workstation:5025", SIM, SIM),
        ("192.0.2.11:5025", "emulated:cell_simulator", SIM, SIM),
        ("192.0.2.12:5025", "two-homes.lab:5025", SIM, SIM),
        ('channel = "can0"', 'channel = "vcan0"', SIM, SIM),
        ('channel = "can0"', 'channel = "can7"', SIM, PACK),
        ('interface = "socketcan"', 'interface = "virtual"', SIM, SIM),
    ],
)
def test_one_link_in_software_makes_the_bench_sim(before: str, after: str, found: str, limit: str) -> None:
    bench = real_bench(before, after)
    assert find_evidence_class(bench, machine=MACHINE) == found
    assert find_class_limit(bench, MACHINE) == limit


def test_a_peer_that_is_this_machine_makes_the_bench_sim() -> None:
    bench = real_bench()
    assert find_evidence_class(bench, {"supply": "192.0.2.10"}, MACHINE) == HIL
    assert find_evidence_class(bench, {"supply": "192.0.2.1"}, MACHINE) == SIM


def test_the_emulated_bench_is_sim_for_everybody() -> None:
    bench = read_bench(HIL24)
    assert (find_evidence_class(bench, machine=MACHINE), find_class_limit(bench, MACHINE)) == (SIM, SIM)


def test_the_reason_names_each_link_that_is_no_hardware() -> None:
    links = [
        find_instrument_origin("supply", "127.1:5025", machine=MACHINE),
        find_instrument_origin("io_box", "192.0.2.12:5025", machine=MACHINE),
        find_can_origin("dut", "socketcan", "vcan0", MACHINE),
    ]
    said = explain_class(links)
    assert "supply" in said
    assert "dut" in said
    assert "io_box" not in said
    assert explain_class(links[1:2]) == ""
