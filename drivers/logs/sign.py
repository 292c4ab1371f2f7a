"""The direction of a positive current: given, or found by the counters, the words for the state and the voltage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.column_names import UNSIGNED, Role
from drivers.logs.response import judge_response
from drivers.logs.table import refuse_log

if TYPE_CHECKING:
    from drivers.logs.samples import Samples
    from drivers.logs.table import RepairJournal
    from drivers.snapshot import Floats

CHARGE: Final = "charge"
DISCHARGE: Final = "discharge"
SIGNS: Final = (CHARGE, DISCHARGE)
CLEAR: Final = 0.6  # of the weight that must speak for one direction
FLOWS: Final = 0.01  # of the greatest current; less is none
_GIVE: Final = "say which current is positive: --sign charge or --sign discharge"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that shows which current is positive: 1 for charge, -1 for discharge; `why` is a clause."""

    direction: int
    why: str


def orient_current(
    samples: Samples,
    sign: str | None,
    vendor: str,
    counted: bool,  # noqa: FBT001
    journal: RepairJournal,
) -> tuple[Samples, str]:
    """Return the samples with discharge positive, and what a positive current was in the log, empty where none flows.

    `counted` says that charge and discharge are counted apart.

    Raise `LogError` for a sign that is none and where nothing shows the direction.
    """
    if sign is not None and sign not in SIGNS:
        raise refuse_log(samples.path, f"has no sign {sign!r}", _GIVE, key="sign", value=sign)
    samples = _sign_by_state(samples, vendor, journal)
    current = samples[Role.CURRENT]
    if not np.abs(current).max(initial=0.0) > 0.0:
        journal.say("no current flows: its sign does not matter")
        return samples, ""
    found = _gather(samples, counted)
    if sign is not None:
        direction = 1 if sign == CHARGE else -1
        journal.say(f"positive current is {sign}, as given")
    elif found:
        direction = found[0].direction
        reversed_ = ": the sign is reversed against what the maker writes" if vendor and direction < 0 else ""
        journal.say(f"positive current is {_name(direction)}: {found[0].why}{reversed_}")
    elif vendor:
        direction = 1
        journal.say(f"positive current is charge, as {vendor} writes it: nothing in the log shows it")
    else:
        raise refuse_log(samples.path, "does not show which current is positive", _GIVE, key="sign")
    for other in found:
        if other.direction != direction:
            journal.count("sign_doubts", 1, f"against that, {other.why}: check the sign")
    return samples.put(Role.CURRENT, -direction * current + 0.0), _name(direction)


def _gather(samples: Samples, counted: bool) -> list[Evidence]:  # noqa: FBT001
    current = samples[Role.CURRENT]
    found: list[Evidence] = []
    if counted and Role.AH in samples:
        rise = np.diff(samples[Role.AH])
        between = (current[1:] + current[:-1]) / 2
        found.append(Evidence(_weigh(rise, between), "the counters of charge and discharge show it"))
    if Role.STATE in samples:
        header = samples.headers[Role.STATE]
        found.append(Evidence(_weigh(samples[Role.STATE], current), f"the words in column {header} show it"))
    response = judge_response(samples[Role.TIME], samples[Role.VOLTAGE], current)
    found.append(Evidence(response.direction, response.why))
    return [evidence for evidence in found if evidence.direction]


def _sign_by_state(samples: Samples, vendor: str, journal: RepairJournal) -> Samples:
    """Return the samples with a signed current, charge positive, where the log writes only its size and a state."""
    if Role.STATE not in samples:
        return samples
    current, state = samples[Role.CURRENT], samples[Role.STATE]
    greatest = float(np.abs(current).max(initial=0.0))
    flows = np.abs(current) > FLOWS * greatest
    both = (state[flows] > 0).any() and (state[flows] < 0).any()
    one_way = not (current < -FLOWS * greatest).any()
    if not one_way or not (both or (vendor in UNSIGNED and state[flows].any())):
        return samples
    header = samples.headers[Role.STATE]
    journal.count(
        "signed_rows", int(flows.sum()), f"the current has no sign: it takes that of the words in column {header}"
    )
    unknown = flows & (state == 0)
    if number := int(unknown.sum()):
        where = samples.locate(int(np.argmax(unknown)), Role.STATE)
        journal.count(
            "left_out", number, f"{number} rows left out: current flows, and no word says where to, first {where}"
        )
    return samples.put(Role.CURRENT, np.abs(current) * state).keep(~unknown)


def _weigh(evidence: Floats, current: Floats) -> int:
    """Return 1 where evidence, positive for charge, agrees with a positive current, -1 where it opposes it, else 0."""
    products = evidence * current
    weight = float(np.abs(products).sum())
    agreement = float(products.sum()) / weight if weight else 0.0
    return int(np.sign(agreement)) if abs(agreement) > CLEAR else 0


def _name(direction: int) -> str:
    return CHARGE if direction > 0 else DISCHARGE
