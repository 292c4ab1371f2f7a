"""A built bundle uploaded to a fleet: verified with the fleet's keys, stored whole, its evidence as it was signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.people.roles import FleetRole
from tests.edge_bridge.fleet.api.people import serve_people

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.bundling.build import BuiltBundle, BundleOrder


@pytest.mark.timeout(300)  # a bundle is built and verified twice
def test_a_built_bundle_is_taken_once_and_shows_its_evidence(
    tmp_path: Path, built: BuiltBundle, order: BundleOrder
) -> None:
    trust = tmp_path / "trust"
    trust.mkdir()
    public = order.private.with_suffix(".pem")
    (trust / public.name).write_bytes(public.read_bytes())
    with serve_people(tmp_path, trust=trust) as api:
        api.add("ann", FleetRole.OPERATOR)
        session, octets = api.begin_session("ann"), {"Content-Type": "application/octet-stream"}
        answers = [api.ask("POST", "/bundles", session, content=built.data, headers=octets) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
        assert answers[0].json() == answers[1].json()
        found = api.ask("GET", f"/bundles/{answers[0].json()['sha256']}", session).json()
        assert (found["serial"], found["evidence_member"]) == (7, built.verified.bundle.evidence)
        context = api.app.state.context
        assert context.library.read(found["sha256"]) == built.data
        assert [one.action for one in context.reader.read_audit(None, 10)] == ["bundle.upload"]
