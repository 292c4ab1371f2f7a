"""The metrics of edges and fleet (docs/fleet-protocol.md): names, datatypes, aliases, values in Sparkplug's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from drivers.jsonvalues import nan_to_null
from edge_bridge.sparkplug.payload import DataType, SparkplugMetric

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar: TypeAlias = float | int | str | None  # the value of a metric of a row or of a status
BD_SEQ: Final = "bdSeq"
REBIRTH: Final = "Node Control/Rebirth"
ROW_BOOT, ROW_SEQ = "Row/Boot", "Row/Seq"
GAP_BOOT, GAP_FIRST, GAP_LAST = "Gap/Boot", "Gap/First", "Gap/Last"
CURRENT, VOLTAGE, SOC, SOC_STD = "Pack/Current", "Pack/Voltage", "Pack/SoC", "Pack/SoC Std"
CELL_MIN, CELL_MAX, TEMPERATURE = "Cells/Voltage Min", "Cells/Voltage Max", "Temperature/Max"
BMS_STATE, BMS_FAULT = "BMS/State", "BMS/Fault"
VERDICT, VERDICT_REASON = "Gate/Verdict", "Gate/Reason"
DEPTH, EVICTED, ACKNOWLEDGED = "Outbox/Depth", "Outbox/Evicted", "Outbox/Acknowledged"
ACKNOWLEDGED_BY = "Outbox/Acknowledged By"  # the id of the host
KEPT, RESEND = "Outbox/Kept", "Outbox/Resend"  # acknowledged rows that are still here; those to be sent again
SHA256, NAME, EVIDENCE, SERIAL = "Bundle/Sha256", "Bundle/Name", "Bundle/Evidence", "Bundle/Serial"
DESIRED, STATE, REASON, RECEIVED = "Bundle/Desired", "Bundle/State", "Bundle/Reason", "Bundle/Received"
POLICY_STATE, POLICY_STEPS, POLICY_DIFFERENCE = "Policy/State", "Policy/Steps", "Policy/Difference"
POLICY_VIOLATIONS, POLICY_INTERVENTIONS, POLICY_OUTSIDE = (
    "Policy/Violations",
    "Policy/Interventions",
    "Policy/Outside",
)
SOH, SOH_STD, SOH_MIN = "Pack/SoH", "Pack/SoH Std", "Cells/SoH Min"
GROWTH, GROWTH_STD = "Pack/Resistance Growth", "Pack/Resistance Growth Std"
SIZE, OFFSET, CHUNK = "Bundle/Size", "Bundle/Offset", "Bundle/Chunk"
COMMAND_ID, COMMAND_REQUEST = "Command/Id", "Command/Request"  # of a command; the request of a person that made it
ANSWERED, ANSWERED_REQUEST, ANSWER = "Command/Answered", "Command/Answered Request", "Command/Answer"  # the newest one

TYPES: Final[dict[str, DataType]] = {
    BD_SEQ: DataType.INT64,
    REBIRTH: DataType.BOOLEAN,
    ROW_BOOT: DataType.STRING,
    ROW_SEQ: DataType.UINT64,
    GAP_BOOT: DataType.STRING,
    GAP_FIRST: DataType.UINT64,
    GAP_LAST: DataType.UINT64,
    CURRENT: DataType.DOUBLE,
    VOLTAGE: DataType.DOUBLE,
    SOC: DataType.DOUBLE,
    SOC_STD: DataType.DOUBLE,
    CELL_MIN: DataType.DOUBLE,
    CELL_MAX: DataType.DOUBLE,
    TEMPERATURE: DataType.DOUBLE,
    BMS_STATE: DataType.INT64,
    BMS_FAULT: DataType.INT64,
    VERDICT: DataType.STRING,
    VERDICT_REASON: DataType.STRING,
    DEPTH: DataType.UINT64,
    EVICTED: DataType.UINT64,
    SHA256: DataType.STRING,
    NAME: DataType.STRING,
    EVIDENCE: DataType.STRING,
    SERIAL: DataType.UINT64,
    DESIRED: DataType.STRING,
    STATE: DataType.STRING,
    REASON: DataType.STRING,
    RECEIVED: DataType.UINT64,
    ACKNOWLEDGED: DataType.STRING,
    SIZE: DataType.UINT64,
    OFFSET: DataType.UINT64,
    CHUNK: DataType.BYTES,
    ACKNOWLEDGED_BY: DataType.STRING,
    POLICY_STATE: DataType.STRING,
    POLICY_STEPS: DataType.UINT64,
    POLICY_DIFFERENCE: DataType.DOUBLE,
    POLICY_VIOLATIONS: DataType.UINT64,
    POLICY_INTERVENTIONS: DataType.UINT64,
    POLICY_OUTSIDE: DataType.UINT64,
    SOH: DataType.DOUBLE,
    SOH_STD: DataType.DOUBLE,
    SOH_MIN: DataType.DOUBLE,
    GROWTH: DataType.DOUBLE,
    GROWTH_STD: DataType.DOUBLE,
    KEPT: DataType.STRING,
    RESEND: DataType.STRING,
    COMMAND_ID: DataType.STRING,
    COMMAND_REQUEST: DataType.STRING,
    ANSWERED: DataType.STRING,
    ANSWERED_REQUEST: DataType.STRING,
    ANSWER: DataType.STRING,
}
HEALTH: Final = (SOH, SOH_STD, SOH_MIN, GROWTH, GROWTH_STD)  # in the order of `StateOfHealth.describe_pack`
_BY_NAME: Final = (
    BD_SEQ,
    REBIRTH,
    ACKNOWLEDGED,
    ACKNOWLEDGED_BY,
    RESEND,
    DESIRED,
    SIZE,
    OFFSET,
    CHUNK,
    COMMAND_ID,
    COMMAND_REQUEST,
)  # commands use names, not aliases
ALIASES: Final = {name: place for place, name in enumerate(TYPES, 1) if name not in _BY_NAME}


def make_birth_metrics(values: Mapping[str, Scalar], t_ms: int) -> tuple[SparkplugMetric, ...]:
    """Make every metric of a birth; a metric that is not in `values` is null."""
    known: dict[str, Scalar] = {REBIRTH: False, **values}
    return tuple(
        SparkplugMetric(name, ALIASES.get(name), datatype, to_metric_value(known.get(name), datatype), t_ms)
        for name, datatype in TYPES.items()
    )


def make_data_metrics(
    values: Mapping[str, Scalar], t_ms: int, *, historical: bool = False
) -> tuple[SparkplugMetric, ...]:
    """Make the metrics of a data message; leave out a name that no birth declares."""
    return tuple(
        SparkplugMetric(
            None if name in ALIASES else name,
            ALIASES.get(name),
            TYPES[name],
            to_metric_value(value, TYPES[name]),
            t_ms,
            historical,
        )
        for name, value in values.items()
        if name in TYPES
    )


def to_metric_value(value: Scalar, datatype: DataType) -> Scalar:
    """Convert `value` to its datatype; an unknown number is null."""
    if datatype is DataType.DOUBLE and isinstance(value, (int, float)):
        return nan_to_null(float(value))
    return value
