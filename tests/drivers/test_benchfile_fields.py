"""Every key of a bench file: each kind of mistake in it is answered in words, and the guide knows it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, get_args, get_origin

import pytest
from pydantic import BaseModel

from drivers.benchfile import Bench, read_bench
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
HIL24 = ROOT / "fixtures" / "benches" / "hil24.toml"
GUIDE = (ROOT / "docs" / "bench-files.md").read_text(encoding="utf-8")
GOOD = HIL24.read_text(encoding="utf-8")
LINES = GOOD.splitlines()
KEYS = [(n, found[1]) for n, line in enumerate(LINES, 1) if (found := re.match(r"([a-z0-9_]+) = ", line))]
TYPES = {
    "true": "true",
    "-7.5": "-7.5",
    '"odd / word"': '"odd / word"',
    "1979-05-27": '"1979-05-27"',
    "[[]]": "...",
    "{ odd = 1 }": "...",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benches")
    for file in HIL24.parent.iterdir():
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def read(folder: Path) -> Callable[[str | bytes], Bench]:

    def read_content(content: str | bytes) -> Bench:
        path = folder / "bench.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_bench(path)

    return read_content


def with_line(number: int, text: str) -> str:
    return "\n".join([*LINES[: number - 1], text, *LINES[number:]])


def refused(read: Callable[[str | bytes], Bench], content: str | bytes) -> BenchFileError | None:
    try:
        read(content)
    except BenchFileError as error:
        return error
    return None


@pytest.mark.parametrize("value", TYPES)
@pytest.mark.parametrize(("number", "key"), KEYS)
def test_a_value_of_another_type_is_answered_with_line_key_value_bound_and_a_next_step(
    folder: Path, read: Callable[[str | bytes], Bench], number: int, key: str, value: str
) -> None:
    error = refused(read, with_line(number, f"{key} = {value}"))
    if error is None:  # some fields take it, and then it stands there
        assert value in {"true", "-7.5", '"odd / word"', "{ odd = 1 }"}
        free = {"attended", "active", "ambient_degc", "expect", "channel", "interface", "channels", "settings"}
        assert key in free | {"thresholds"}  # the sheet is looked for once somebody certifies
        return
    if "has no bench limit" in str(error):  # a pattern may be anything; what it leaves without a limit is named
        assert (key, error.bound) == ("channels", "a bench limit")
        return
    assert (error.where, error.line) == (str(folder / "bench.toml"), number)
    assert re.search(rf"(^|\.){key}\b", str(error.key))
    assert error.bound
    assert error.hint
    assert re.fullmatch(rf"{re.escape(str(folder))}/bench\.toml:{number} [^;]+; [^;]+", str(error))
    json.dumps(error.as_json())
    if error.key and str(error.key).endswith(f".{key}") and " should be " in str(error):
        assert f"{key} = {TYPES[value]} should be " in str(error)


@pytest.mark.parametrize("number", sorted({n for n, line in enumerate(LINES, 1) if line.startswith("[")}))
def test_an_unknown_key_in_any_section_is_named_with_those_that_are_known(
    read: Callable[[str | bytes], Bench], number: int
) -> None:
    error = refused(read, with_line(number, f"{LINES[number - 1]}\nodd_key = 1"))
    assert error is not None
    assert error.line == number + 1
    assert re.search(r"odd_key is not known; known keys: \w+", str(error))


@pytest.mark.parametrize(
    ("begins", "instead", "said"),
    [
        ("address", 'address = "192.0.2.10"', '= "192.0.2.10" is not an address; write host:port, for instance'),
        ("address", 'address = "192.0.2.10:0"', "is not an address"),
        ("address", 'address = "192.0.2.10:65536"', "is not an address"),
        ("address", 'address = "192.0.2.10:5025 "', "is not an address"),
        ("address", 'address = ":5025"', "is not an address"),
        ("address", 'address = "TCPIP::192.0.2.10::5025::SOCKET"', "is not an address"),
        ("address", 'address = "emulated:"', "is not an address"),
        ("address", 'address = "emulated:supply"', '= "emulated:supply" is also the address of cell_simulator'),
        ("mode", 'mode = "pack"', '= "pack" is not supported yet; use "hil"'),
        ("closure", 'closure = "signal"', '= "signal" is not supported yet; use "shunt-loop"'),
        ("kind", 'kind = "ngi_n83640"', "cell_simulator.kind = \"ngi_n83640\" should be 'ngi_n83624'"),
        ("name", 'name = " hil24"', "a name in one line, without a slash, and without a space at either end"),
        ("name", 'name = "a\\nb"', "a name in one line"),
        ("ramp_a_s", "ramp_a_s = 1e9", "gate.ramp_a_s = 1000000000.0 should be at most 10000"),
        (
            'channels = "bms/',
            'channels = "bms/temperature_1"',
            "has no bench limit for bms/temperature_2; add a [[limit]] with",
        ),
        (
            'channels = "supply/current',
            'channels = "io/other"',
            'has no bench limit for supply/current; add a [[limit]] with channels = "supply/current" and bench',
        ),
        (
            'channels = "supply/current',
            'channels = "suply/current"',
            'limit[2].channels has no bench limit for supply/current; correct "suply/current", or add',
        ),
    ],
)
def test_a_value_that_no_bench_can_have_is_refused(
    read: Callable[[str | bytes], Bench], begins: str, instead: str, said: str
) -> None:
    number = next(n for n, line in enumerate(LINES, 1) if line.startswith(begins))
    error = refused(read, with_line(number, instead))
    assert error is not None
    assert said in "\n".join([str(one) for one in error.all])


def test_a_safe_step_that_nobody_takes_is_refused(read: Callable[[str | bytes], Bench]) -> None:
    number = next(n for n, line in enumerate(LINES, 1) if line.startswith("# ---") and "lanes" in line)
    error = refused(read, with_line(number, '[[safe]]\nstep = "cells off"\nwithin_ms = 500'))
    assert error is not None
    assert error.line == number + 1
    assert 'safe[2].step = "cells off" is not supported yet; remove the step' in str(error)


def test_a_role_without_an_active_lane_is_refused(read: Callable[[str | bytes], Bench]) -> None:
    number = next(n for n, line in enumerate(LINES, 1) if line.startswith("active"))
    error = refused(read, with_line(number, "active = false"))
    assert "has 0 active twin lanes (none); set active = true on exactly one twin lane" in str(error)


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode(), GOOD.replace("\n", "\r").encode()],
    ids=["mark", "CRLF", "CR"],
)
def test_files_of_any_editor_are_read_and_their_lines_counted(
    read: Callable[[str | bytes], Bench], content: bytes
) -> None:
    assert read(content).bench.name == "hil24"
    error = refused(read, content.replace(b"hold_ms = 100", b"hold_ms = -1"))
    assert error is not None
    assert LINES[(error.line or 0) - 1].startswith("hold_ms")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.encode("utf-16"), "bench.toml is UTF-16 text; save it as UTF-8"),
        (b'[bench]\nname = "25 \xb0C"', 'bench.toml:2 is not UTF-8 text: byte 0xB0, "°" in Windows code; save it'),
        (
            b"a = " + b"[" * 5000,
            "bench.toml:1 is nested more than 32 levels deep; make it smaller; a bracket or a quote may not be closed",
        ),
        (b"", "bench.toml:1 bench is missing; add bench"),
    ],
)
def test_what_is_no_toml_is_refused_in_words(
    folder: Path, read: Callable[[str | bytes], Bench], content: bytes, said: str
) -> None:
    assert str(refused(read, content)).startswith(f"{folder}/{said}")


def test_a_folder_is_no_bench_file(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match="cannot be read: Is a directory; name another"):
        read_bench(tmp_path)


def sections(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table that a bench file may have, with the name that its heading carries in the guide."""
    if name:
        yield name, model
    for key, field in model.model_fields.items():
        inner = [part for part in (field.annotation, *get_args(field.annotation)) if is_table(part)]
        for part in inner[:1]:
            yield from sections(part, key)


def is_table(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def described() -> dict[str, dict[str, list[str]]]:
    """Heading -> key -> the other cells of its row in the guide."""
    found: dict[str, dict[str, list[str]]] = {}
    for chapter in GUIDE.split("\n## `")[1:]:
        heading = re.split(r"[\]` ]", chapter.lstrip("["))[0]
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|$", chapter.replace("| |", "|  |"), re.MULTILINE)
        found[heading] = {key: cells for key, *cells in rows}
    return found


@pytest.mark.parametrize(("name", "model"), sorted({(name, model) for name, model in sections(Bench)}, key=str))
def test_the_guide_knows_every_key_and_its_bounds_and_no_other(name: str, model: type[BaseModel]) -> None:
    rows = described()[name]
    assert set(rows) == set(model.model_fields)
    for key, field in model.model_fields.items():
        _, bounds, says = rows[key]
        assert says
        assert ("*optional*" in says) is not field.is_required()
        if spoken := spoken_bounds(field):
            assert bounds == spoken, f"{name}.{key}"


def spoken_bounds(field: FieldInfo) -> str:
    """Bounds of a number, a choice or a flag as the guide writes them; empty for what it says in its own words."""
    if field.annotation is bool:
        return "`true`, `false`"
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    bound = {
        kind: f"{value:g}" if value < 1e4 else str(value)
        for part in field.metadata
        for kind in ("ge", "gt", "le")
        if (value := getattr(part, kind, None)) is not None
    }
    low = f"above {bound['gt']}" if "gt" in bound else bound.get("ge", "")
    if "le" in bound:
        return f"{low}{',' if 'gt' in bound else ''} to {bound['le']}"
    return f"{low} or more" if "ge" in bound else low
