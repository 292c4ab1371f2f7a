"""Faults requested on the command line: `NAME[,KEY=VALUE ...][,at=SECONDS][,for=SECONDS]`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from workbench.session.bench_info import ChoiceParameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.bench_info import FaultSpec, NumberParameter

AT, FOR = "at", "for"
FIRST_S: Final = 1.0  # a run settles before the first fault


@dataclass(frozen=True, eq=False)  # the same fault may be planned twice
class Planned:
    """Inject `name` `at_s` after the start; clear it `for_s` later, or at the end of the run."""

    name: str
    parameters: dict[str, float | str]
    at_s: float = FIRST_S
    for_s: float = math.inf


def planned(text: str, offered: Sequence[FaultSpec]) -> Planned:
    """Parse one `--fault`; hyphens mean spaces in the name. Raise `Usage`, which lists the known names and values."""
    name, *settings = (part.strip() for part in text.split(","))
    spec = next((spec for spec in offered if name.replace("-", " ") == spec.name), None)
    if spec is None:
        raise Usage(f"--fault {name} is unknown", value=name, hint=f"faults: {'; '.join(map(usage, offered))}")
    values = dict(_pair(setting, spec) for setting in settings)
    at_s = _seconds(values.pop(AT, FIRST_S), AT)
    for_s = _seconds(values.pop(FOR, math.inf), FOR)
    known = {parameter.name: parameter for parameter in spec.parameters}
    if unknown := sorted(values.keys() - known.keys()):
        raise Usage(f"--fault {name} has no {unknown[0]}", key=unknown[0], hint=f"write {usage(spec)}")
    parameters: dict[str, float | str] = {}
    for key, parameter in known.items():
        value = values.get(key)
        parameters[key] = (
            _word(parameter, value) if isinstance(parameter, ChoiceParameter) else _number(parameter, value)
        )
    return Planned(spec.name, parameters, at_s, for_s)


def usage(spec: FaultSpec) -> str:
    """Return how to write one fault, with the bounds of its parameters and, in brackets, their defaults."""
    return ",".join([_hyphenate(spec.name), *(f"{p.name}={p.bounds} [{_default(p)}]" for p in spec.parameters)])


def format_planned(fault: Planned) -> str:
    """Return a planned fault as `--fault` takes it, with every value that it has by default."""
    values = [f"{key}={value if isinstance(value, str) else f'{value:g}'}" for key, value in fault.parameters.items()]
    end = [f"{FOR}={fault.for_s:g}"] if math.isfinite(fault.for_s) else []
    return ",".join([_hyphenate(fault.name), *values, f"{AT}={fault.at_s:g}", *end])


def _hyphenate(name: str) -> str:
    return name.replace(" ", "-")


def _default(parameter: NumberParameter | ChoiceParameter) -> str:
    return parameter.options[0] if isinstance(parameter, ChoiceParameter) else f"{parameter.default:g}"


def _pair(setting: str, spec: FaultSpec) -> tuple[str, str]:
    key, equals, value = setting.partition("=")
    if not equals:
        raise Usage(f"--fault: {setting!r} is not KEY=VALUE", value=setting, hint=f"write {usage(spec)}")
    return key.strip(), value.strip()


def _seconds(text: str | float, key: str) -> float:
    seconds = _float(text)
    if not seconds >= 0.0:
        raise Usage(
            f"--fault: {key}={text} is not a time",
            key=key,
            value=text,
            bound=[0.0, None],
            hint="give seconds, 0 or more",
        )
    return seconds


def _number(parameter: NumberParameter, text: str | None) -> float:
    value = parameter.default if text is None else _float(text)
    if not parameter.allows(value):
        bound = [parameter.low, parameter.high]
        kind = "a whole number" if parameter.whole else "a number"
        hint = f"give {kind} in {parameter.bounds}"
        raise Usage(
            f"--fault: {parameter.name}={text} is out of bounds", key=parameter.name, value=text, bound=bound, hint=hint
        )
    return value


def _word(choice: ChoiceParameter, text: str | None) -> str:
    word = choice.options[0] if text is None else text
    if not choice.allows(word):
        options = list(choice.options)
        hint = f"give one of {', '.join(options)}"
        raise Usage(f"--fault: {choice.name}={text} is unknown", key=choice.name, value=text, bound=options, hint=hint)
    return word


def _float(text: str | float) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
