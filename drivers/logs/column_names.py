"""The names of columns in the exports of cyclers and loggers, as data: what each one holds, and who writes it so.

A name is written here in lower case, without its unit and without anything but letters and digits; a single letter
keeps its case, because `t` is a time and `T` a temperature. Of two names for the same thing, the earlier one wins.

Sources: [PB] documentation of PyProBE, cyclers. [BE] BEEP, "Cycler data requirements". [GA] galvani, BioLogic.py.
[NE] NewareNDA, dicts.py. [BD] Battery Data Format, table of columns. [MA] exports of Maccor as other readers list them.
[DS] the columns of published data sets: LG HG2 and Panasonic 18650PF (Kollmeyer, Digatron), INR 18650-20R and A123
(CALCE, Arbin), Leaf cell (ORNL, Bitrode), NASA PCoE, BMW i3 (TUM), LFP (Fisher).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from drivers.logs import units


class Role(StrEnum):
    """What a column is for."""

    TIME = "time"
    DATE = "date"  # used where no column holds the time of the test
    STEP_TIME = "step_time"  # used where no other time is there: it starts again at each step
    VOLTAGE = "voltage"
    CURRENT = "current"
    TEMPERATURE = "temperature"
    AH = "ah"
    CHARGE_AH = "charge_ah"
    DISCHARGE_AH = "discharge_ah"
    STATE = "state"  # charge, discharge or rest as a word


QUANTITY: Final = {
    Role.TIME: units.TIME,
    Role.DATE: units.TIME,
    Role.STEP_TIME: units.TIME,
    Role.VOLTAGE: units.VOLTAGE,
    Role.CURRENT: units.CURRENT,
    Role.TEMPERATURE: units.TEMPERATURE,
    Role.AH: units.CHARGE,
    Role.CHARGE_AH: units.CHARGE,
    Role.DISCHARGE_AH: units.CHARGE,
}

NAMES: Final[dict[Role, tuple[str, ...]]] = {
    Role.TIME: (
        "testtime",  # Arbin [PB][DS], Maccor "Test Time (sec)" [PB], BDF "Test Time / s" [BD]
        "test",  # Maccor "Test (Sec)" [MA]
        "totaltime",  # Neware [PB]
        "progtime",  # Digatron [DS]
        "runtime",
        "elapsedtime",
        "time",  # BioLogic "time/s" [GA], Bitrode "Time(s)", Digatron "Time [s]" [DS]
        "t",  # NASA [DS]
        "timesec",
        "seconds",
        "unixtime",  # BDF [BD]
    ),
    Role.DATE: (
        "datetime",  # Arbin [PB]
        "dpttime",  # Maccor [PB]
        "timestamp",  # Digatron [DS], NewareNDA [NE]
        "realtime",  # Neware
        "absolutetime",
        "date",  # Neware [PB]
    ),
    Role.STEP_TIME: ("steptime", "relativetime", "step"),  # "step" only with a unit of time: Maccor "Step (Sec)" [MA]
    Role.VOLTAGE: (
        "voltage",  # Arbin, Digatron, Neware, Maccor, Bitrode, BDF
        "volts",  # Maccor [MA]
        "ewe",  # BioLogic [GA]
        "ecell",  # BioLogic [GA]
        "eweece",  # BioLogic [GA]
        "cellvoltage",
        "batteryvoltage",  # TUM [DS]
        "packvoltage",
        "terminalvoltage",
        "voltagemeasured",  # NASA [DS]
        "vt",  # Fisher [DS]
        "vtmeasured",  # Fisher [DS]
        "vcell",
        "volt",
        "vol",  # Neware, earlier versions
        "potential",  # Novonix
        "V",
        "U",
        "v",
        "u",
    ),
    Role.CURRENT: (
        "current",  # Arbin, Digatron, Neware, Maccor, Bitrode, BDF
        "amps",  # Maccor [MA]
        "i",  # BioLogic "I/mA", "<I>/mA" [GA]
        "I",
        "cellcurrent",
        "batterycurrent",  # TUM [DS]
        "packcurrent",
        "currentmeasured",  # NASA, Fisher [DS]
        "icell",
        "amp",
        "cur",  # Neware, earlier versions
    ),
    Role.TEMPERATURE: (
        "celltemperature",
        "surfacetemperature",  # BDF [BD]
        "batterytemperature",  # TUM [DS]
        "batterytemp",  # Panasonic [DS]
        "temperature",  # Digatron [DS]
        "temperature1",  # Arbin [DS]
        "auxtemperature1",  # Arbin [PB]
        "temperaturet1",  # BDF [BD]
        "temp1",  # Maccor [PB]
        "temp",
        "t1",  # Neware [PB]
        "temperaturemeasured",  # NASA [DS]
        "auxtemperature",
        "T",
    ),
    Role.AH: (
        "ahaccu",  # Digatron [DS]
        "netcapacity",  # BDF [BD]
        "qqo",  # BioLogic "(Q-Qo)/mA.h" [GA]
        "ah",  # Panasonic [DS]
        "capacity",  # Digatron, Bitrode [DS], Neware and Maccor, both for each step [PB]
        "cap",  # Maccor "Cap. [Ah]" [MA]
        "amphr",  # Maccor "Amp-hr" [MA]
        "qchargedischarge",  # BioLogic [GA]
        "stepcapacity",  # BDF [BD]
        "cumulativecapacity",  # BDF [BD]
    ),
    Role.CHARGE_AH: (
        "chargecapacity",  # Arbin [PB], NewareNDA [NE]
        "chargingcapacity",  # BDF [BD]
        "chgcap",  # Neware [PB]
        "qcharge",  # BioLogic [GA]
        "ahcha",  # Digatron
        "capacitycharge",
    ),
    Role.DISCHARGE_AH: (
        "dischargecapacity",  # Arbin [PB], NewareNDA [NE]
        "dischargingcapacity",  # BDF [BD]
        "dchgcap",  # Neware [PB]
        "qdischarge",  # BioLogic [GA]
        "ahdch",  # Digatron
        "capacitydischarge",
    ),
    Role.STATE: (
        "steptype",  # Neware [PB], BDF [BD]
        "mode",  # Bitrode [DS]; BioLogic's is a number
        "md",  # Maccor [MA]
        "state",  # Maccor [MA]
        "status",  # NewareNDA [NE], Digatron
    ),
}

# A log is of the first maker of whom it has all these names; the makers agree that a charging current is positive.
VENDORS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("Arbin", frozenset({"testtime", "current", "voltage", "steptime", "stepindex"})),
    ("Arbin", frozenset({"testtime", "current", "voltage", "chargecapacity", "dischargecapacity"})),
    ("Digatron", frozenset({"progtime", "voltage", "current"})),
    ("Digatron", frozenset({"voltage", "current", "ahaccu"})),
    ("Maccor", frozenset({"cyc", "amps", "volts"})),
    ("Maccor", frozenset({"dpttime", "current", "voltage"})),
    ("BioLogic", frozenset({"ewe"})),
    ("BioLogic", frozenset({"ecell"})),
    ("Neware", frozenset({"steptype", "totaltime", "current", "voltage"})),
    ("Neware", frozenset({"chgcap", "dchgcap", "current", "voltage"})),
    ("Bitrode", frozenset({"exclude", "steptime", "current", "voltage", "mode"})),
)
UNSIGNED: Final = frozenset({"Maccor"})  # the current has no sign; a column says charge or discharge
_BDF: Final = re.compile(r"^[A-Z][\w ]* / [^/ ]+$")
_BDF_LEAST: Final = 3  # names of the form `Test Time / s`

_CHARGES: Final = re.compile(r"cha|chg|chrg|^c$|ladung|^cc?cv$")
_DISCHARGES: Final = re.compile(r"dis|dch|^d$|entlad")


def simplify(name: str) -> str:
    """Return a name without unit as the table writes it: `Aux_Temperature_1` as `auxtemperature1`."""
    last = name.rpartition(".")[2] or name  # of a nested name, as in `battery_tests.Current`
    kept = re.sub(r"[^A-Za-z0-9]", "", last if re.search(r"[A-Za-z]", last) else name)
    return kept if len(kept) == 1 else kept.lower()


def find_vendor(headers: tuple[str, ...]) -> str:
    """Return the maker whose names these headers are, else nothing."""
    names = {simplify(units.split_unit(header)[0]) for header in headers}
    if "testtime" in names and sum(bool(_BDF.match(header)) for header in headers) >= _BDF_LEAST:
        return "BDF"
    return next((vendor for vendor, signature in VENDORS if signature <= names), "")


def read_direction(word: object) -> int:
    """Return 1 for a word that means charge, -1 for discharge, 0 for any other."""
    text = re.sub(r"[^a-z]", "", str(word).lower())
    if _DISCHARGES.search(text):
        return -1
    return 1 if _CHARGES.search(text) else 0
