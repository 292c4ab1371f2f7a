"""Edge and fleet with the commonest Sparkplug library, `sparkplug-client` of npm, over a real broker."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from edge_bridge import metrics
from edge_bridge.edge.clocks import MachineClocks
from edge_bridge.edge.node import EdgeNode, NodeNames
from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.uplink import Uplink
from edge_bridge.fleet.fleet_thread import FleetSession
from edge_bridge.mqtt import MqttLink
from fixtures.broker import start_broker
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from fixtures.broker import Broker

pytestmark = pytest.mark.live
PACKAGE: Final = "sparkplug-client@3.2.4"
INSTALL_S: Final = 60.0
WAIT_S: Final = 30.0
BOOT: Final = "00000000000000aa"

EDGE: Final = """
const client = require("sparkplug-client").newClient({
    serverUrl: process.argv[2], username: "", password: "", groupId: "pulsebms", edgeNode: "node-red", clientId: "js",
    version: "spBv1.0",
});
const metric = (name, type, value) => ({ name, type, value, timestamp: Date.now() });
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\\n");
function birth() {
    client.publishNodeBirth({ timestamp: Date.now(), metrics: [
        metric("Node Control/Rebirth", "Boolean", false), metric("Outbox/Acknowledged", "String", ""),
        metric("Outbox/Acknowledged By", "String", ""), metric("Row/Boot", "String", "0a"),
        metric("Row/Seq", "UInt64", 1), metric("Pack/Voltage", "Double", 88.5),
    ]});
    client.publishNodeData({ timestamp: Date.now(), metrics: [
        metric("Row/Boot", "String", "0a"), metric("Row/Seq", "UInt64", 1), metric("Pack/Voltage", "Double", 88.5),
    ]});
}
client.on("birth", birth);
client.on("ncmd", (payload) => {
    tell(payload.metrics.map(({ name, type, value }) => ({ name, type, value })));
    if (payload.metrics.some(({ name, value }) => name === "Node Control/Rebirth" && value === true)) birth();
});
process.stdin.on("end", () => { client.stop(); process.exit(0); }).resume();
"""
HOST: Final = """
const mqtt = require("mqtt"), sparkplug = require("sparkplug-payload").get("spBv1.0");
const client = mqtt.connect(process.argv[2]), tell = (what) => process.stdout.write(JSON.stringify(what) + "\\n");
const plain = (value) => value !== null && typeof value === "object" ? Number(value) : value;
client.on("connect", () => client.subscribe("spBv1.0/pulsebms/#", () => tell({ kind: "ready" })));
client.on("message", (topic, data) => {
    const payload = sparkplug.decodePayload(data), kind = topic.split("/")[2];
    tell({ kind, metrics: payload.metrics.map(({ name, alias, value }) => ({
        name, alias: alias === undefined ? null : Number(alias), value: plain(value) })) });
});
process.stdin.on("data", (line) => {
    const command = { timestamp: Date.now(), metrics: JSON.parse(line) };
    client.publish("spBv1.0/pulsebms/NCMD/pack-1", Buffer.from(sparkplug.encodePayload(command)));
}).on("end", () => client.end(true, () => process.exit(0)));
"""


class Script:
    """A program of Node.js; it tells one JSON value on each line of stdout."""

    def __init__(self, folder: Path, source: str, url: str) -> None:
        path = folder / "program.js"
        path.write_text(source, encoding="utf-8")
        node = shutil.which("node") or "node"
        self._process = subprocess.Popen(
            [node, str(path), url], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines = queue.Queue[str]()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def read(self, holds: Callable[[Any], bool], meanwhile: Callable[[], object] = lambda: None) -> Any:
        """Return the next value that `holds`; all before it are skipped."""
        found = list[Any]()

        def arrived() -> bool:
            meanwhile()
            while not self._lines.empty():
                found.append(json.loads(self._lines.get()))
                if holds(found[-1]):
                    return True
            return False

        wait_until(arrived, WAIT_S, "the library tells what is waited for", every_s=0.02)
        return found[-1]

    def write(self, value: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value))
        self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(WAIT_S)
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the library; skip where Node.js or the registry is not there."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("sparkplug-client: Node.js is not installed")
    folder = tmp_path_factory.mktemp("sparkplug-client")
    asked = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--cache", str(folder / "cache"), PACKAGE]
    try:
        done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("sparkplug-client: the npm registry does not answer")
    if done.returncode:
        pytest.skip(f"sparkplug-client cannot be installed: {done.stderr.strip()[-200:]}")
    return folder


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    made = start_broker(tmp_path / "broker")
    yield made
    made.stop()


def test_the_library_as_an_edge_reads_what_our_fleet_sends(library: Path, broker: Broker, tmp_path: Path) -> None:
    def is_of(name: str) -> Callable[[Any], bool]:
        return lambda told: told[0]["name"] == name

    with closing(FleetSession(broker.url, tmp_path / "fleet.db")) as fleet:
        wait_until(lambda: fleet.snapshot().connected, WAIT_S, "the fleet is online")
        with closing(Script(library, EDGE, broker.url)) as script:
            assert script.read(is_of("Outbox/Acknowledged")) == [
                {"name": "Outbox/Acknowledged", "type": "String", "value": "0a:1"},
                {"name": "Outbox/Acknowledged By", "type": "String", "value": "fleet"},
            ]
            wait_until(lambda: fleet.snapshot().totals.stored == 1, WAIT_S, "the row is shown")
            fleet.close()
            (node,) = fleet.snapshot().nodes
            assert (node.node, node.status["Pack/Voltage"]) == ("node-red", 88.5)
            with closing(FleetSession(broker.url, tmp_path / "fleet.db")) as again:
                told = script.read(is_of("Node Control/Rebirth"))
                assert told == [{"name": "Node Control/Rebirth", "type": "Boolean", "value": True}]
                script.read(is_of("Outbox/Acknowledged"))  # it was born again, and its row came once more
                assert again.snapshot().totals.stored == 1


@contextmanager
def our_edge(folder: Path, url: str, *, datatypes: bool) -> Generator[tuple[Outbox, Callable[[], None]]]:
    """An edge without a pack: its outbox, and a turn of it."""
    clocks, node = MachineClocks(), EdgeNode(NodeNames("pulsebms", "pack-1", "fleet"), 3, datatypes=datatypes)
    with closing(Outbox(folder / "o.sqlite", BOOT)) as outbox:
        link = MqttLink(url, "edge", lambda: node.make_will(clocks.stamp_ms()), node.subscriptions)
        uplink = Uplink(link, node, outbox, clocks, store_bd_seq=lambda _: None, log=lambda _: None)

        def turn() -> None:
            uplink.handle_events(link.poll(), {metrics.EVIDENCE: "SIM"})
            uplink.send_rows()

        with closing(link):
            yield outbox, turn


@pytest.mark.parametrize("datatypes", [True, False])
def test_the_library_as_a_host_reads_what_our_edge_sends(
    library: Path, broker: Broker, tmp_path: Path, *, datatypes: bool
) -> None:
    with (
        closing(Script(library, HOST, broker.url)) as script,
        our_edge(tmp_path, broker.url, datatypes=datatypes) as (outbox, turn),
    ):
        script.read(lambda told: told["kind"] == "ready")
        born = script.read(lambda told: told["kind"] == "NBIRTH", turn)["metrics"]
        names = {one["alias"]: one["name"] for one in born if one["alias"] is not None}
        assert {one["name"]: one["value"] for one in born}[metrics.EVIDENCE] == "SIM"
        outbox.put({metrics.VOLTAGE: 88.5, metrics.BMS_STATE: -3, metrics.VERDICT: "held", metrics.SOC: None}, 5, 0.0)
        outbox.commit(5, 0.0)
        row = script.read(lambda told: told["kind"] == "NDATA", turn)["metrics"]
        values = {names[one["alias"]]: one["value"] for one in row}
        sent = {metrics.ROW_BOOT: BOOT, metrics.ROW_SEQ: 1, metrics.VOLTAGE: 88.5, metrics.BMS_STATE: -3}
        sent |= {metrics.VERDICT: "held", metrics.SOC: None}
        assert values == (sent if datatypes else dict.fromkeys(sent))  # without datatypes it reads nothing
        script.write([{"name": metrics.ACKNOWLEDGED, "type": "String", "value": f"{BOOT}:1"}])
        wait_until(lambda: (turn(), outbox.depth == 0)[1], WAIT_S, "its acknowledgement is obeyed")
        script.write([{"name": metrics.REBIRTH, "type": "Boolean", "value": True}])
        script.read(lambda told: told["kind"] == "NBIRTH", turn)
