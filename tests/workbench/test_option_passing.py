"""Options before a verb: each is handed on to the verb, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

import workbench.cli
from tests.workbench.own_cli import cli
from workbench.option_passing import pass_to_verb
from workbench.verbs import bundle, certify, doctor, run, window


class Kept:
    """A verb that keeps what it was called with."""

    def __init__(self) -> None:
        self.given: tuple[object, ...] = ()

    def main(self, report: object, *given: object, **more: object) -> bool:
        self.given = (*given, *more.values())
        return True


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    verb = Kept()
    for module in (doctor, run, certify, window):
        monkeypatch.setattr(module, "main", verb.main)
    monkeypatch.setattr(bundle, "build", verb.main)
    return verb


@pytest.mark.parametrize(
    "words",
    [
        ("doctor",),
        ("run",),
        ("certify",),
        ("window",),
        (),
        ("bundle", "build", "runs/one", "--key", "me.key"),
    ],
)
def test_options_before_a_verb_are_the_verbs(
    words: tuple[str, ...], kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(monkeypatch, "--bench", "mine.toml", *words) == 0
    assert Path("mine.toml") in kept.given


def test_every_option_before_a_verb_is_handed_on_and_the_verbs_own_goes_before(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(monkeypatch, "--bench", "mine.toml", "--out", "there", "run", "--duration", "3") == 0
    assert kept.given[:3] == (Path("mine.toml"), 3.0, Path("there"))
    assert cli(monkeypatch, "--bench", "mine.toml", "run", "--bench", "other.toml") == 0
    assert kept.given[0] == Path("other.toml")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--bench", "mine.toml", "selftest"), "mine.toml cannot be read"),
        (("--bench", "mine.toml", "measure", "wire"), "--bench is not an option of"),
        (("--out", "there", "doctor"), "--out is not an option of"),
        (("--bench", "mine.toml", "bundle", "show", "some.bundle"), "--bench is not an option of"),
        (("--out", "there", "replay", "runs/one"), "--out is not an option of"),
        (("--fault", "x", "run"), "No such option"),
    ],
)
def test_an_option_before_a_verb_that_does_not_have_it_is_refused(
    words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(monkeypatch, *words) == 2
    assert says in capsys.readouterr().err


def test_every_verb_hands_on_or_refuses_the_options_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    root: Any = typer.main.get_command(workbench.cli.app)
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            continue
        taken = {parameter.name for parameter in command.params}
        context = root.make_context("main.py", ["--bench", "mine.toml", "--out", "there", name])
        context.invoked_subcommand = name
        if {"bench", "out"} <= taken:
            pass_to_verb(context)
            assert context.default_map[name] == {"bench": Path("mine.toml"), "out": Path("there")}, name
        else:
            with pytest.raises(typer.BadParameter):
                pass_to_verb(context)
