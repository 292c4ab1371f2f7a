"""What each route does, as far as permission is concerned: one table. A route without a line here is never served."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import compile_path

from edge_bridge.fleet.people.roles import FleetAction

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX: Final = "/api/v1"
LIVE: Final = "LIVE"  # in place of a method: a WebSocket


class Reach(StrEnum):
    """Which sites a route concerns."""

    FLEET = "fleet"  # all of them: the person needs the role at all sites
    DEVICE = "device"  # the site of the device that the path names
    SITE = "site"  # the site that the path names
    FILTERED = "filtered"  # the route itself shows and changes only what the person may


@dataclass(frozen=True, slots=True)
class RouteRule:
    """The action of one route."""

    method: str
    path: str
    action: FleetAction
    reach: Reach


_TABLE: Final = """
GET    /openapi.json                    open             fleet
GET    /health/live                     open             fleet
GET    /health/ready                    open             fleet
POST   /session                         open             fleet
POST   /claim                           open             fleet
GET    /enrolment/authority             open             fleet
POST   /enrolment                       open             fleet
POST   /enrolment/renewal               open             fleet
GET    /session                         own              fleet
DELETE /session                         own              fleet
DELETE /sessions                        own              fleet
PUT    /password                        own              fleet
GET    /tokens                          own              fleet
POST   /tokens                          own              fleet
DELETE /tokens/{token}                  own              fleet
GET    /accounts                        manage-accounts  fleet
POST   /accounts                        manage-accounts  fleet
GET    /accounts/{name}                 manage-accounts  fleet
PUT    /accounts/{name}/password        manage-accounts  fleet
PUT    /accounts/{name}/disabled        manage-accounts  fleet
PUT    /accounts/{name}/roles           grant            filtered
GET    /audit                           read-audit       fleet
GET    /audit/head                      read-audit       fleet
GET    /devices                         view             filtered
GET    /devices/{node}                  view             device
GET    /devices/{node}/latest           view             device
GET    /devices/{node}/rows             view             device
GET    /devices/{node}/history          view             device
GET    /devices/{node}/completeness     view             device
GET    /devices/{node}/gaps             view             device
GET    /devices/{node}/why-offline      view             device
GET    /devices/{node}/bms-names        view             device
GET    /devices/{node}/commands         view             device
POST   /devices/{node}/commands         command          device
POST   /devices/{node}/estimates        view             device
POST   /devices/{node}/forecasts        view             device
GET    /jobs/{job}                      view             filtered
DELETE /jobs/{job}                      view             filtered
POST   /devices/{node}/bundles          approve          device
GET    /sites                           view             filtered
GET    /sites/{site}                    view             site
PUT    /sites/{site}                    edit-sites       fleet
DELETE /sites/{site}                    edit-sites       fleet
GET    /groups                          view             filtered
GET    /bundles                         view             filtered
POST   /bundles                         propose          filtered
GET    /bundles/{sha256}                view             filtered
GET    /rollouts                        view             filtered
POST   /rollouts                        propose          filtered
GET    /rollouts/{rollout}              view             filtered
DELETE /rollouts/{rollout}              approve          filtered
POST   /rollouts/{rollout}/approve      approve          filtered
POST   /rollouts/{rollout}/pause        revert           filtered
POST   /rollouts/{rollout}/resume       approve          filtered
POST   /rollouts/{rollout}/revert       revert           filtered
LIVE   /live                            view             filtered
GET    /events                          view             filtered
GET    /alarms                          view             filtered
GET    /analytics/sites                 view             filtered
GET    /analytics/days                  view             filtered
GET    /analytics/days.csv              view             filtered
GET    /analytics/days.parquet          view             filtered
POST   /alarms/{alarm}/acknowledge      acknowledge      filtered
"""


def find_rule(method: str, path: str) -> RouteRule | None:
    """Return the rule of a request, None if there is none. A path without a variable part comes first."""
    for matcher, rules in _MATCHERS:
        if matcher.match(path):
            return rules.get(method)
    return None


def find_methods(path: str) -> list[str]:
    """Return the methods of a path, nothing for an unknown one."""
    for matcher, rules in _MATCHERS:
        if matcher.match(path):
            return sorted(rules.keys() - {LIVE})
    return []


def read_path_value(rule: RouteRule, path: str, name: str) -> str:
    """Return what stands in the place of `{name}` of the rule's path."""
    found = compile_path(rule.path)[0].match(path)
    return "" if found is None else found.group(name)


def describe_access(schema: dict[str, Any], *, with_accounts: bool) -> None:
    """Add to an OpenAPI schema which action each operation is, and how a client signs in."""
    if with_accounts:
        schema.setdefault("components", {})["securitySchemes"] = {
            "session": {"type": "apiKey", "in": "cookie", "name": "pulsebms"},
            "token": {"type": "http", "scheme": "bearer"},
        }
    for path, operations in schema.get("paths", {}).items():
        for method, operation in operations.items():
            rule = find_rule(method.upper(), path)
            if rule is None:
                continue
            operation["x-action"] = rule.action.value
            if with_accounts and rule.action is not FleetAction.OPEN:
                operation["security"] = [{"session": []}, {"token": []}]


def _parse(table: str) -> list[RouteRule]:
    rules = list[RouteRule]()
    for line in table.split("\n"):
        if line.strip():
            method, path, action, reach = line.split()
            rules.append(RouteRule(method, PREFIX + path, FleetAction(action), Reach(reach)))
    return rules


def _compile(rules: Iterable[RouteRule]) -> list[tuple[Any, dict[str, RouteRule]]]:
    by_path: dict[str, dict[str, RouteRule]] = {}
    for rule in rules:
        by_path.setdefault(rule.path, {})[rule.method] = rule
    ordered = sorted(by_path.items(), key=lambda item: item[0].count("{"))
    return [(compile_path(path)[0], methods) for path, methods in ordered]


RULES: Final = (*_parse(_TABLE), RouteRule("GET", "/metrics", FleetAction.VIEW, Reach.FLEET))
_MATCHERS: Final = _compile(RULES)
