"""What doctor says of this machine and how to fix it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from workbench.verbs import doctor

if TYPE_CHECKING:
    import pytest


def test_real_time_permission_is_given_by_a_line_in_limits_d(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "has_realtime_permission", lambda: False)
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    check = doctor.check_realtime()
    assert not check.ok
    assert "echo 'ada - rtprio 99' | sudo tee /etc/security/limits.d/pulsebms.conf" in check.mend
    assert "setcap" not in check.mend, "a capability on this machine's Python would be everybody's"


def test_a_user_without_a_name_is_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def getuser() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(doctor, "has_realtime_permission", lambda: False)
    monkeypatch.setattr(getpass, "getuser", getuser)
    assert "'* - rtprio 99'" in doctor.check_realtime().mend
