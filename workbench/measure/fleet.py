"""`measure fleet`: the most devices that a broker, a database and one host keep up with; then each part is killed."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.measure.job import describe_conditions, percentile
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from workbench.measure.fleet_load.fleet_stack import FleetStack, Part
    from workbench.measure.fleet_load.load_run import LoadRun, SteadyFigures
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_BARE: Final = "mosquitto_sub at the same broker"
LIVE: Final = MeasuredMetric("1 000 devices: row on the wire to a client of the live API, p99", "ms", "<", 100.0, _BARE)
_FULL: Final = "both cores are in use; the figure of core time below says by what"
MOST: Final = MeasuredMetric(
    "devices that send 1 row a second and are kept up with", "devices", ">=", 10_000.0, "", _FULL
)
API: Final = MeasuredMetric(
    "so many devices: row on the wire to a client of the live API, p99", "ms", "<", 100.0, _BARE, _FULL
)
COMMIT: Final = MeasuredMetric(
    "so many devices: row on the wire to its acknowledgement, p99", "ms", "<", 500.0, "", _FULL
)
LOST: Final = MeasuredMetric("so many devices: rows lost", "rows", "<=", 0.0)
TWICE: Final = MeasuredMetric("so many devices: rows stored twice", "rows", "<=", 0.0)
CORE: Final = MeasuredMetric(
    *("host, core time of a row of 30 metrics", "us", "<", 45.0, ""),
    "Python makes some objects for each row: to read it, to commit it, to acknowledge it, for the live API",
)
MEMORY: Final = MeasuredMetric(
    *("host, memory with so many devices", "MB", "<", 500.0, ""),
    "newest events for clients that come back, layouts and the last note of each node are kept",
)
STORE: Final = MeasuredMetric(
    "rows committed in PostgreSQL, 10 000 a commit", "rows/s", ">=", 10_000.0, "binary COPY into a table without a key"
)
RECOVERY: Final[dict[Part, MeasuredMetric]] = {
    "broker": MeasuredMetric("broker killed until all devices are acknowledged", "s", "<", 30.0),
    "host": MeasuredMetric("host killed until all devices are acknowledged", "s", "<", 30.0),
    "PostgreSQL": MeasuredMetric(
        *("PostgreSQL killed until all devices are acknowledged", "s", "<", 30.0, ""),
        "not found yet: it followed the kill of the host, after which not all devices were at their rate again",
    ),
}
KILLED_LOST: Final = MeasuredMetric("broker, host and PostgreSQL killed: rows lost", "rows", "<=", 0.0)
KILLED_TWICE: Final = MeasuredMetric("broker, host and PostgreSQL killed: rows stored twice", "rows", "<=", 0.0)
BUDGET: Final = MeasuredMetric("minutes a month without the service, by assumed failures", "min", "<", 43.2)
METRICS: Final = (
    *(MOST, LIVE, API, COMMIT, CORE, MEMORY, LOST, TWICE),
    *(*RECOVERY.values(), KILLED_LOST, KILLED_TWICE, BUDGET, STORE),
)

DEVICES, LIVE_DEVICES = 10_000, 1_000
LOADS: Final = (1.0, 0.8, 0.6, 0.4, 0.2)  # shares of the devices that are tried, one after the other
KILL_LOAD: Final = 0.6  # share of the devices that are kept up with: what waited meanwhile comes on top of the rate
SECONDS, LIVE_SECONDS = 60.0, 30.0
STEADY_S: Final = 3.0
ROUNDS: Final = 20  # commits of the store beside as many of the bare COPY
FEWEST, SHORTEST_S = 50, 5.0
SHORTEST_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The size of a measurement; the quoted one has a share of 1."""

    loads: tuple[int, ...]
    live_devices: int
    seconds: float
    live_seconds: float
    pause_s: float
    steady_s: float
    rounds: int

    @classmethod
    def make(cls, share: float) -> FleetPlan:
        """Return the plan for a share of the usual devices and times."""
        from workbench.measure.fleet_load.fleet_stack import RESTART_S  # noqa: PLC0415  # needs the extra fleet

        loads = tuple(dict.fromkeys(max(FEWEST, round(share * DEVICES * load)) for load in LOADS))
        return cls(
            loads,
            min(LIVE_DEVICES, loads[0]),
            max(SHORTEST_S, share * SECONDS),
            max(SHORTEST_S, share * LIVE_SECONDS),
            max(SHORTEST_PAUSE_S, share * RESTART_S),
            max(SHORTEST_PAUSE_S, share * STEADY_S),
            max(3, round(share * ROUNDS)),
        )


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure with 1 000 devices, then with as many as are kept up with, then kill each part.

    Leave it out where a server is missing.
    """
    from workbench.compose.broker import has_mosquitto  # noqa: PLC0415  # needs the extra fleet
    from workbench.demo.demo_postgres import find_server  # noqa: PLC0415
    from workbench.measure.fleet_load.fleet_stack import FleetStack  # noqa: PLC0415

    programs = find_server()
    if programs is None or not has_mosquitto():
        job.say("left out: it needs mosquitto and PostgreSQL (Debian: apt install mosquitto postgresql)")
        return
    plan, conditions = FleetPlan.make(job.share), describe_conditions()
    with FleetStack(programs, job.folder) as stack:
        if plan.loads[0] > plan.live_devices:
            yield from _measure_live(job, stack, plan, conditions)
        most = yield from _measure_most(job, stack, plan, conditions)
        yield from _measure_kills(job, stack, plan, max(FEWEST, round(KILL_LOAD * most)))
        job.say("committing rows, and copying them")
        yield _measure_commits(stack, plan, conditions)


@contextmanager
def _open_run(job: MeasureJob, stack: FleetStack, schema: str, devices: int, steady_s: float) -> Generator[LoadRun]:
    from edge_bridge.broker_address import parse_address  # noqa: PLC0415  # needs the extra fleet
    from workbench.measure.fleet_load.api_subscriber import ApiSubscriber  # noqa: PLC0415
    from workbench.measure.fleet_load.load_process import LoadProcess  # noqa: PLC0415
    from workbench.measure.fleet_load.load_run import LoadRun  # noqa: PLC0415
    from workbench.measure.fleet_load.stored_rows import make_schema  # noqa: PLC0415

    store = make_schema(stack.database.url, schema)
    stack.start_host(store)
    try:
        with (
            closing(ApiSubscriber(stack.api_url)) as subscriber,
            closing(LoadProcess(parse_address(stack.broker.url), devices)) as load,
        ):
            yield LoadRun(stack, store, load, subscriber, folder=job.folder, steady_s=steady_s)
    finally:
        stack.stop_host()


def _measure_live(job: MeasureJob, stack: FleetStack, plan: FleetPlan, conditions: str) -> Iterator[MeasureRow]:
    job.say(f"{plan.live_devices} devices, one row of 30 metrics a second each")
    with _open_run(job, stack, "live", plan.live_devices, plan.steady_s) as run:
        _settle(job, run)
        found = run.measure(plan.live_seconds)
    yield _make_delay_row(LIVE, found, f"{conditions}; {plan.live_devices} devices, {plan.live_seconds:g} s")


def _measure_most(
    job: MeasureJob, stack: FleetStack, plan: FleetPlan, conditions: str
) -> Generator[MeasureRow, None, int]:
    """Measure the largest load that is kept up with; return its devices."""
    for devices in plan.loads:
        job.say(f"{devices} devices, one row of 30 metrics a second each")
        with _open_run(job, stack, f"load_{devices}", devices, plan.steady_s) as run:
            most = devices if _settle(job, run) else 0
            if most or devices == plan.loads[-1]:
                yield MOST.make_row(most, None, f"{conditions}; tried: {', '.join(map(str, plan.loads))}")
                found = run.measure(plan.seconds)
                yield from _make_load_rows(plan, found, f"{conditions}; {devices} devices, {plan.seconds:g} s")
                yield from _count_rows(run, LOST, TWICE, "")
                return most
    return 0


def _make_delay_row(metric: MeasuredMetric, found: SteadyFigures, conditions: str) -> MeasureRow:
    ours, peer = (1e3 * percentile(delays_s, 99) for delays_s in (found.api_s, found.broker_s))
    half = 1e3 * percentile(found.api_s, 50)
    words = f"{conditions}, {len(found.api_s)} rows, p50 {half:.3g} ms; times of rows are whole ms"
    return metric.make_row(ours, peer if len(found.broker_s) else None, words)


def _make_load_rows(plan: FleetPlan, found: SteadyFigures, conditions: str) -> Iterator[MeasureRow]:
    if plan.loads[0] <= plan.live_devices:  # a short form, in which one load serves both
        yield _make_delay_row(LIVE, found, conditions)
    yield _make_delay_row(API, found, conditions)
    half, most = (1e3 * percentile(found.commit_s, percent) for percent in (50, 100))
    words = (
        f"until the acknowledgement, sent after the commit, reached the device; p50 {half:.3g} ms, at most {most:.3g}"
    )
    if found.skipped:
        words += f"; the devices missed {found.skipped} turns"
    yield COMMIT.make_row(1e3 * percentile(found.commit_s, 99), None, words)
    others = ", ".join(f"{name} {used_us:.0f}" for name, used_us in found.core_us.items() if name != "host")
    yield CORE.make_row(found.core_us["host"], None, f"{found.rows} rows; the others, us: {others}")
    yield MEMORY.make_row(found.host_mb, None, "resident, at the end of the steady load")


def _count_rows(run: LoadRun, lost: MeasuredMetric, twice: MeasuredMetric, when: str) -> Iterator[MeasureRow]:
    balance = run.count()
    words = f"{balance.made} rows, counted in the tables{when}"
    yield lost.make_row(balance.lost, None, words)
    yield twice.make_row(balance.twice, None, words)


def _measure_kills(job: MeasureJob, stack: FleetStack, plan: FleetPlan, devices: int) -> Iterator[MeasureRow]:
    from workbench.measure.fleet_load.downtime_budget import compute_downtime_min, format_budget  # noqa: PLC0415

    took_s = dict[str, float]()
    with _open_run(job, stack, "kills", devices, plan.steady_s) as run:
        for part, metric in RECOVERY.items():
            _settle(job, run)
            job.say(f"killing {part}")
            took_s[part] = run.kill(part, plan.pause_s)
            words = f"SIGKILL at {devices} rows/s; {plan.pause_s:g} s of it before it is started again"
            yield metric.make_row(took_s[part], None, words)
        yield from _count_rows(run, KILLED_LOST, KILLED_TWICE, " after all kills")
    for line in format_budget(took_s):
        job.say(line)
    yield BUDGET.make_row(compute_downtime_min(took_s), None, "failures as in the table below")


def _measure_commits(stack: FleetStack, plan: FleetPlan, conditions: str) -> MeasureRow:
    from workbench.measure.fleet_load.commit_speed import measure_commits  # noqa: PLC0415  # needs the extra fleet
    from workbench.measure.fleet_load.stored_rows import make_schema  # noqa: PLC0415

    ours_s, peer_s = measure_commits(make_schema(stack.database.url, "commits"), plan.loads[0], plan.rounds)
    ours, peer = (plan.loads[0] / percentile(took_s, 50) for took_s in (ours_s, peer_s))
    return STORE.make_row(ours, peer, f"{conditions}; median of {plan.rounds} commits of {plan.loads[0]} rows")


def _settle(job: MeasureJob, run: LoadRun) -> bool:
    keeps_up = run.settle()
    if not keeps_up:
        job.say("the fleet does not keep up: not all devices are acknowledged at their rate")
    return keeps_up
