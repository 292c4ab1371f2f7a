"""Who may do what."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.fleet.people.roles import (
    ALL_SITES,
    ROLES_OF,
    FleetAction,
    FleetRole,
    RoleGrant,
    find_sites,
    is_allowed,
    is_second_person,
    is_within,
)

# Written a second time on purpose: a change of the table must be meant.
PERMITTED: Final = {
    "viewer": "view",
    "operator": "view acknowledge command propose revert",
    "approver": "view acknowledge propose approve revert",
    "administrator": (
        "view acknowledge command propose approve revert edit-sites enrol grant manage-accounts read-audit"
    ),
}
GRANTS: Final = st.frozensets(
    st.builds(RoleGrant, st.sampled_from(FleetRole), st.sampled_from([ALL_SITES, "north", "south"])), max_size=4
)
SITES: Final = st.sampled_from([None, "north", "south", "west"])


@pytest.mark.parametrize("role", list(FleetRole))
def test_a_role_permits_what_the_table_says_and_only_at_its_site(role: FleetRole) -> None:
    for action in ROLES_OF:
        is_permitted = action.value in PERMITTED[role].split()
        assert is_allowed([RoleGrant(role)], action, None) is is_permitted
        assert is_allowed([RoleGrant(role, "north")], action, "north") is is_permitted
        assert not is_allowed([RoleGrant(role, "north")], action, "south")
        assert not is_allowed([RoleGrant(role, "north")], action, None), "a role at one site is none at all of them"


def test_every_action_has_its_line_and_a_stranger_may_only_what_is_open() -> None:
    assert set(FleetAction) - ROLES_OF.keys() == {FleetAction.OPEN, FleetAction.OWN}
    assert [action for action in FleetAction if is_allowed(None, action, None)] == [FleetAction.OPEN]
    assert [action for action in FleetAction if is_allowed([], action, None)] == [FleetAction.OPEN, FleetAction.OWN]


@given(GRANTS, GRANTS, st.sampled_from(sorted(ROLES_OF)), SITES)
def test_scopes_within_the_roles_permit_nothing_more(
    narrow: frozenset[RoleGrant], wide: frozenset[RoleGrant], action: FleetAction, site: str | None
) -> None:
    if is_within(narrow, wide) and is_allowed(narrow, action, site):
        assert is_allowed(wide, action, site)


@given(GRANTS, st.sampled_from(sorted(ROLES_OF)), st.sampled_from(["north", "south", "west"]))
def test_the_sites_of_an_action_are_those_where_it_is_permitted(
    grants: frozenset[RoleGrant], action: FleetAction, site: str
) -> None:
    sites = find_sites(grants, action)
    assert is_allowed(grants, action, site) is (sites is None or site in sites)


def test_nobody_approves_what_the_same_person_proposed() -> None:
    assert not is_second_person("eve", "eve")
    assert is_second_person("eve", "bob")
