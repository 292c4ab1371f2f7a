"""Transcripts of the bidirectional supply: what its driver sends in order, and what the instrument replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.scpi.supply import Supply
    from tests.drivers.scripted import Line

IDENTITY: Line = (
    b"*IDN?\n",
    b"EA Elektro-Automatik GmbH&Co.KG, PSB 10060-120, 2023120002, V3.06 24.05.2023 V3.03 05.10.2022 V1.0.0\n",
)
RATINGS: Line = (b"SYST:NOM:VOLT?;:SYST:NOM:CURR?;:SYST:NOM:POW?\n", b"60.00V;120.0A;3000W\n")
MEASURE = b"MEAS:ARR?;:STAT:QUES:COND?;:VOLT?;:CURR?;:SINK:CURR?\n"
MEASURED = b"12.30V, -4.50A, -55W;"
LOCAL, REMOTE, ON = 1 << 9, 1 << 10, 1 << 11
AT_REST = b";0.00V;0.00A;0.00A\n"
EXCHANGE: Line = (MEASURE, MEASURED + b"3072" + AT_REST)
SETTINGS = b"SYST:ALAR:ACT:OTEM?;:SYST:ALAR:ACT:PFA?;:SYST:CONF:OUTP:REST?;:POW:STAG:AFT:REM?;:SYST:COMM:MON:TIM?\n"
SUPERVISED = b"SYST:COMM:MON:ACT?\n"
KEPT: tuple[Line, ...] = ((SETTINGS, b"OFF;OFF;OFF;OFF;2\n"), (SUPERVISED, b"ON\n"))
STATUS = b"STAT:QUES:COND?\n"
QUIET: tuple[Line, ...] = ((STATUS, b"3072\n"), (b"SYST:ERR:ALL?\n", b'0,"No error"\n'))
MET: tuple[Line, ...] = (IDENTITY, RATINGS, EXCHANGE)  # output on under remote control: nothing is changed
PROTECTIONS = b"VOLT:PROT?;:CURR:PROT?;:SINK:CURR:PROT?\n"
READY: tuple[Line, ...] = ((STATUS, b"3072\n"), *KEPT)
WRITTEN: tuple[Line, ...] = (
    (b"POW 3000;:SINK:POW 3000\n", b""),
    (b"VOLT:PROT 20.000;:CURR:PROT 100.000;:SINK:CURR:PROT 100.000\n", b""),
)


def exchange_at(driver: Supply, current_a: float) -> None:
    driver.set_current(current_a)
    driver.poller.call(driver.exchange)


def protecting(volts: bytes, source: bytes, sink: bytes) -> Line:
    return (PROTECTIONS, b"%bV;%bA;%bA\n" % (volts, source, sink))
