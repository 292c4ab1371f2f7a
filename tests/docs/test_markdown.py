"""Links of all pages lead somewhere; code in them compiles, parses, and names commands that exist."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
import typer

from tests.docs.command_line import find_error
from tests.docs.markdown import ROOT, Block, anchors, blocks, links, pages
from workbench.cli import app

if TYPE_CHECKING:
    from pathlib import Path

PAGES = pages()
BLOCKS = [block for page in PAGES for block in blocks(page)]
KNOWN = {"python", "toml", "sh", "ini", "", "{toctree}"}
COMMAND = re.compile(
    r"(?:python3?|py|\.venv/bin/python|\.venv\\Scripts\\python) main\.py(?P<rest>.*)|(?:^|bin/)pulsebms (?P<own>.*)"
)
IN_TEXT = re.compile(r"`(?:python main\.py|main\.py) ([^`]+)`")


def at(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}:{block.line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    wrong: list[str] = []
    for line, target in links(page):
        if re.match(r"[a-z]+:", target):
            continue  # another site: not asked for offline
        name, _, anchor = unquote(target).partition("#")
        there = (page.parent / name).resolve() if name else page
        if not (there.is_file() and there.is_relative_to(ROOT)):
            wrong.append(f"{line}: {target} is no file of this repository")
        elif anchor and anchor not in anchors(there):
            wrong.append(f"{line}: {name or page.name} has no heading #{anchor}, but {sorted(anchors(there))}")
    assert wrong == []


def test_every_page_of_the_guide_is_in_its_table_of_contents() -> None:
    listed = set(re.findall(r"^([\w/*-]+)$", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"), re.MULTILINE))
    guide = {str(page.relative_to(ROOT / "docs").with_suffix("")) for page in PAGES if ROOT / "docs" in page.parents}
    listed = {name for name in listed if not name.startswith(("autoapi/", "decisions/0"))}
    assert {name for name in guide - {"index"} if not name.startswith("decisions/0")} == listed


def test_the_list_of_decisions_is_whole() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = [target for _, target in links(folder / "README.md")]
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def test_every_block_is_of_a_kind_that_is_checked_here() -> None:
    assert {(at(block), block.language) for block in BLOCKS if block.language not in KNOWN} == set()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=at)
def test_python_compiles(block: Block) -> None:
    assert ast.parse(block.text).body


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "toml"], ids=at)
def test_toml_parses(block: Block) -> None:
    assert tomllib.loads(block.text)


def commands_in_blocks() -> list[tuple[str, list[str]]]:
    """Each command of this program in a block, as words, with its place."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCKS:
        if block.language in {"python", "toml"}:
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            if matched := COMMAND.search(line):
                rest = matched["rest"] if matched["own"] is None else matched["own"]
                found.append((at(block), shlex.split(rest, comments=True)))
    return found


def commands() -> list[tuple[str, list[str]]]:
    """The same, and each command in the text, which may be a part of one."""
    found = commands_in_blocks()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found += [(str(page.relative_to(ROOT)), shlex.split(words)) for words in IN_TEXT.findall(text)]
    return found


def options_of(command: Any) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {
        "--help",
        "-h",
    }


@pytest.mark.parametrize(("place", "words"), commands())
def test_a_command_names_a_verb_and_options_that_exist(place: str, words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    known = options_of(command)
    waiting = [word.rstrip(",") for word in words]
    while waiting and hasattr(command, "commands"):
        if waiting[0].startswith("-"):
            break
        name = waiting.pop(0)
        if name == "VERB":
            return
        inner = command.commands.get(name)
        assert inner is not None, f"{place}: there is no verb {name}; there are {sorted(command.commands)}"
        command = inner
        known |= options_of(command)
    options = {word.partition("=")[0] for word in waiting if word.startswith("-")}
    assert options - known == set(), place


@pytest.mark.parametrize(("place", "words"), commands_in_blocks())
def test_the_program_takes_a_command_that_is_to_be_copied(place: str, words: list[str]) -> None:
    assert find_error(words) == "", place


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("edge --bundle new.bundle", "trust"),
        ("fleet backup b.zip --db f.sqlite --keep 3", "No such option: --keep"),
        ("fleet demo --nodes many", "valid integer"),
        ("fleet demo now", "unexpected extra argument"),
        ("fleet restart", "no verb restart"),
        ("fleet demo --nodes 3 &", ""),
        ("--version", ""),
    ],
)
def test_a_command_that_the_program_refuses_is_found(text: str, error: str) -> None:
    found = find_error(text.split())
    assert (error in found) if error else not found


def test_make_targets_that_pages_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named: set[str] = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named |= set(re.findall(r"`make ([a-z-]+)`", text))
    for block in BLOCKS:
        named |= set(re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE))
    assert named - targets == set()


def test_the_verbs_of_the_readme_are_all_there_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    root: Any = typer.main.get_command(app)
    table = text[text.index("| verb | does |") :].split("\n\n")[0]
    verbs = [str(name) for name, command in root.commands.items() if name != "window" and not command.hidden]
    assert [name for name in verbs if not re.search(rf"[ `]{re.escape(name)}\b", table)] == []
