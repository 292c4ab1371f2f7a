"""`fleet account` and `fleet audit`, as somebody at the console of the database runs them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import CheckFailed, Refused, Usage
from edge_bridge.fleet.people.passwords import verify_password
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from edge_bridge.fleet.store.open_store import open_store
from tests.edge_bridge.fleet.pack import asked
from workbench.report import Report
from workbench.verbs import fleet_people as verb

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "four words and more"  # noqa: S105  # of nobody


class Console:
    """The verbs with a database, a standard input and what they report."""

    def __init__(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.db, self._patch = db, monkeypatch
        self.report = Report("fleet account", as_json=True)

    def type(self, text: str) -> None:
        self._patch.setattr("sys.stdin", io.StringIO(text))

    def add(self, name: str, role: str = "administrator", site: str = "*", password: str = PASSWORD) -> None:
        self.type(f"{password}\n")
        verb.add(self.report, self.db, name, role=role, site=site)

    def change(self, statement: str) -> None:
        store = open_store(self.db)
        asked(store, statement)
        store.close()


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(tmp_path / "fleet.db", monkeypatch)


def test_accounts_are_made_changed_and_listed(console: Console) -> None:
    with pytest.raises(Refused, match="the first account"):
        console.add("eve", "viewer")
    console.add("eve")
    console.add("bob", "operator", "north")
    verb.change_role(console.report, console.db, "bob", role="viewer", site="*", is_given=True)
    verb.change_role(console.report, console.db, "bob", role="operator", site="north", is_given=False)
    verb.disable(console.report, console.db, "bob")
    verb.list_all(console.report, console.db)
    bob, eve = console.report.body["accounts"]
    assert (bob["roles"], bob["disabled_ms"] is not None) == ([["viewer", "*"]], True)
    assert (eve["roles"], eve["disabled_ms"]) == ([["administrator", "*"]], None)
    verb.enable(console.report, console.db, "bob")
    assert console.report.body["account"]["disabled_ms"] is None


def test_a_password_is_read_from_the_input_and_replaced(console: Console) -> None:
    console.add("eve")
    console.type("another four words\r\n")
    verb.reset_password(console.report, console.db, "eve")
    store = open_store(console.db)
    ((stored,),) = asked(store, "SELECT password FROM account")
    store.close()
    assert verify_password(stored, "another four words")
    for typed in ("", "\n", "short\n"):
        console.type(typed)
        with pytest.raises(Usage, match="12 to 256 characters"):
            verb.reset_password(console.report, console.db, "eve")


def test_two_passwords_that_differ_at_the_prompt_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    typed = iter([PASSWORD, PASSWORD, PASSWORD, "another"])
    monkeypatch.setattr("sys.stdin", Terminal())

    def read(_prompt: str) -> str:
        return next(typed)

    monkeypatch.setattr("getpass.getpass", read)
    assert verb.read_password("eve") == PASSWORD
    with pytest.raises(Usage, match="differ"):
        verb.read_password("eve")


@pytest.mark.parametrize(("role", "site"), [("boss", "*"), ("", "*"), ("viewer", ""), ("viewer", "a/b")])
def test_a_role_or_site_that_is_none_is_refused(role: str, site: str) -> None:
    with pytest.raises(Usage):
        verb.parse_grant(role, site)
    assert verb.parse_grant("viewer", "north") == RoleGrant(FleetRole.VIEWER, "north")


def test_the_log_is_exported_and_a_change_of_it_is_named(console: Console, tmp_path: Path) -> None:
    copy = tmp_path / "audit.jsonl"
    for name in ("eve", "bob", "ann"):
        console.add(name)
    verb.export_audit(console.report, console.db, copy)
    head = console.report.body["head"]
    assert [json.loads(line)["object"] for line in copy.read_text("utf-8").splitlines()] == ["eve", "bob", "ann"]
    assert json.loads(copy.read_text("utf-8").splitlines()[0])["who"].startswith("console")
    assert PASSWORD not in copy.read_text("utf-8")
    console.add("tom")
    for file in (None, copy):
        assert verb.verify_audit(console.report, console.db, file, "")
    assert verb.verify_audit(console.report, None, copy, head)
    console.change("DELETE FROM audit WHERE id >= 3")  # the end is cut off
    assert verb.verify_audit(console.report, console.db, None, "")
    for file, kept in ((copy, ""), (None, head)):
        with pytest.raises(CheckFailed, match=r"entry 3: .*cut off"):
            verb.verify_audit(console.report, console.db, file, kept)
    console.change("UPDATE audit SET object = 'tom' WHERE id = 2")
    with pytest.raises(CheckFailed, match="entry 2: its content was changed"):
        verb.verify_audit(console.report, console.db, None, "")
    assert console.report.body["broken"] == 2


@pytest.mark.parametrize(
    "content", ["", "{}\n", "no json\n", "[1]\n" * 3, "\0\n", '{"schema":"pulsebms.fleet.audit/2"}\n']
)
def test_a_file_that_is_no_export_is_refused_with_its_line(tmp_path: Path, content: str) -> None:
    path, report = tmp_path / "audit.jsonl", Report("fleet audit verify", as_json=True)
    path.write_text(content, encoding="utf-8")
    if not content:
        assert verb.verify_audit(report, None, path, "")
        return
    with pytest.raises(Usage) as refused:
        verb.verify_audit(report, None, path, "")
    assert refused.value.line == 1


def test_a_missing_file_or_head_is_refused(tmp_path: Path) -> None:
    report: Any = Report("fleet audit verify", as_json=True)
    with pytest.raises(Usage, match="No such file"):
        verb.verify_audit(report, None, tmp_path / "none", "")
    with pytest.raises(Usage, match="not NUMBER:HASH"):
        verb.verify_audit(report, tmp_path / "fleet.db", None, "12")
