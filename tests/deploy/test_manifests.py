"""The files of `deploy/` that no container engine and no cluster runs here: each by the checker of its own kind."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.docs.command_line import find_error

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
DOCKERFILES: Final = sorted((DEPLOY / "docker").glob("*.Dockerfile"))
MANIFESTS: Final = sorted((DEPLOY / "kubernetes").glob("*.yml"))
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
# The schema that compose-spec.io publishes, unmodified (Apache-2.0, beside it), as check-jsonschema 0.39.0 ships it.
COMPOSE_SCHEMA: Final = Path(__file__).with_name("compose-spec") / "compose-spec.json"
COMPOSE_SCHEMA_SHA256: Final = "d549057ebc2925f39f62799eab0db7b9e2c18b35b6c00595199116da3ed10e64"
UNITS: Final = sorted((DEPLOY / "systemd").glob("*"))
SERVICE_KEYS: Final = {
    *("build", "cap_drop", "command", "depends_on", "deploy", "environment", "healthcheck", "image", "logging"),
    *("networks", "ports", "read_only", "restart", "secrets", "security_opt", "shm_size", "tmpfs", "user", "volumes"),
}


def run(*words: str) -> None:
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def objects() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def pods() -> list[tuple[str, dict[str, Any]]]:
    found = list[tuple[str, dict[str, Any]]]()
    for one in objects():
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found.append((one["kind"], spec["template"]["spec"]))
    return found


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.stem)
def test_a_dockerfile_passes_hadolint_and_runs_as_nobody(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    run(str(Path(sys.executable).with_name("hadolint")), str(file))
    assert len(re.findall(r"^FROM ", text, re.MULTILINE)) == 2
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", text, re.MULTILINE)
    assert not re.search(r":latest", text)


def test_what_a_dockerfile_copies_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    packages = {"control", "drivers", "edge_bridge", "fixtures", "twin", "workbench"}
    assert not packages & set(ignored)
    assert not {"pyproject.toml", "constraints.txt", "README.md", "LICENSE", "main.py"} & set(ignored)
    assert {".git", ".venv"} <= set(ignored)


def test_the_kubernetes_objects_have_the_form_of_their_kinds() -> None:
    run(str(Path(sys.executable).with_name("kubernetes-validate")), "--strict", "--quiet", *map(str, MANIFESTS))


def test_every_pod_is_restricted_limited_and_watched() -> None:
    assert len(pods()) == 5
    for kind, pod in pods():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            context = container["securityContext"]
            assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False)
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert (
                container["resources"]["limits"].keys()
                == container["resources"]["requests"].keys()
                == {"cpu", "memory"}
            )
            if kind not in {"CronJob", "Job"}:
                assert {"livenessProbe", "readinessProbe"} <= container.keys()
            mounts = {mount["name"] for mount in container["volumeMounts"]}
            claimed = {"data"} if kind == "StatefulSet" else set[str]()
            assert mounts == {volume["name"] for volume in pod["volumes"]} | claimed


def test_whoever_connects_is_named_by_a_policy() -> None:
    policies = [one for one in objects() if one["kind"] == "NetworkPolicy"]
    assert {"deny-all", "names", "mosquitto", "postgres", "host", "backup"} == {
        one["metadata"]["name"] for one in policies
    }
    everything = next(one["spec"] for one in policies if one["metadata"]["name"] == "deny-all")
    assert everything == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(one["metadata"]["namespace"] == "pulsebms" for one in objects() if one["kind"] != "Namespace")


def test_every_secret_and_claim_that_a_pod_names_exists() -> None:
    names = {(one["kind"], one["metadata"]["name"]) for one in objects()}
    for _, pod in pods():
        for volume in pod["volumes"]:
            if "secret" in volume:
                assert ("Secret", volume["secret"]["secretName"]) in names
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names


def find_compose_errors(content: dict[str, Any]) -> list[str]:
    schema = json.loads(COMPOSE_SCHEMA.read_text(encoding="utf-8"))
    check: Any = Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in check.iter_errors(content)]


def test_the_compose_file_follows_the_published_schema() -> None:
    assert hashlib.sha256(COMPOSE_SCHEMA.read_bytes()).hexdigest() == COMPOSE_SCHEMA_SHA256
    assert find_compose_errors(COMPOSE) == []
    wrong = copy.deepcopy(COMPOSE)
    wrong["services"]["host"]["memory_limit"] = "1G"
    assert "memory_limit" in find_compose_errors(wrong)[0]


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_of_the_compose_file_is_closed_limited_and_has_what_it_names(name: str) -> None:
    service: dict[str, Any] = COMPOSE["services"][name]
    assert service.keys() <= SERVICE_KEYS
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["user"] != "0:0" if "user" in service else "build" in service
    assert {"cpus", "memory"} == service["deploy"]["resources"]["limits"].keys()
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert not service["image"].endswith(":latest")
    secrets = {one if isinstance(one, str) else one["source"] for one in service.get("secrets", ())}
    assert secrets <= COMPOSE["secrets"].keys()
    for volume in service["volumes"]:
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists() or source == "./trust"  # the keys are the operator's
        else:
            assert source in COMPOSE["volumes"]
    assert service.get("depends_on", {}).keys() <= COMPOSE["services"].keys()
    if "build" in service:
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    else:
        assert "healthcheck" in service


def test_the_compose_file_opens_to_the_world_only_the_broker_and_the_api() -> None:
    ports = {name: one["ports"] for name, one in COMPOSE["services"].items() if "ports" in one}
    assert ports == {"mosquitto": ["8883:8883"], "host": ["8443:8443"], "grafana": ["127.0.0.1:3000:3000"]}
    assert COMPOSE["networks"]["inner"] == {"internal": True}


def test_every_host_serves_the_api_by_which_packs_enrol_and_people_sign_in() -> None:
    assert "--api=0.0.0.0:8443" in COMPOSE["services"]["host"]["command"]
    pod = next(pod for kind, pod in pods() if kind == "Deployment" and pod["containers"][0]["name"] == "host")
    assert "--api=0.0.0.0:8443" in pod["containers"][0]["args"]
    assert {"name": "https", "containerPort": 8443} in pod["containers"][0]["ports"]
    policies = {one["metadata"]["name"]: one["spec"] for one in objects() if one["kind"] == "NetworkPolicy"}
    assert {"ports": [{"protocol": "TCP", "port": 8443}]} in policies["host"]["ingress"]
    unit = (DEPLOY / "systemd" / "pulsebms-host.service").read_text(encoding="utf-8")
    # the file comes later, so it has the last word
    assert "Environment=API=0.0.0.0:8443\nEnvironmentFile=/etc/pulsebms/host.env\n" in unit
    assert " --api ${API} " in unit


def own_commands() -> list[tuple[str, list[str]]]:
    """Each command of this program in a manifest, a service or a unit, as words, with its place."""
    images = {"pulsebms-host", "pulsebms-edge"}
    found = [(f"compose: {name}", one["command"]) for name, one in COMPOSE["services"].items() if "build" in one]
    comments = (DEPLOY / "compose.yml").read_text(encoding="utf-8")
    found += [("compose: comment", words.split()) for words in re.findall(r"run --rm host (.+)", comments)]
    containers = [container for _, pod in pods() for container in pod["containers"] if container["image"] in images]
    scripts = [" ".join(["pulsebms", *one["args"]]) if "command" not in one else one["args"][0] for one in containers]
    scripts += [line for unit in UNITS for line in re.findall(r"^ExecStart=(.+)", unit.read_text(), re.MULTILINE)]
    for script in scripts:
        if matched := re.search(r"(?:^|bin/)pulsebms ([^']+)", script):
            found.append((script, shlex.split(re.sub(r"\$+\(.*?\)", "1", matched[1]))))
    return found


def test_every_program_of_ours_is_found() -> None:
    verbs = [" ".join(word for word in words[:2] if not word.startswith("-")) for _, words in own_commands()]
    assert sorted(verbs) == ["edge"] * 2 + ["fleet"] * 3 + ["fleet backup"] * 2 + ["fleet init"] * 2


@pytest.mark.parametrize(("place", "words"), own_commands())
def test_what_services_run_are_commands_that_this_program_takes(place: str, words: list[str]) -> None:
    assert find_error(words) == "", place


def test_the_folder_of_fleet_init_is_where_broker_and_host_of_the_cluster_read_it() -> None:
    init = next(pod["containers"][0]["args"] for kind, pod in pods() if kind == "Job")
    named = {word.removeprefix("--name=") for word in init if word.startswith("--name=")}
    folder = init[2]
    for name, words in (("host", "args"), ("mosquitto", "command")):
        pod = next(pod for _, pod in pods() if pod["containers"][0]["name"] == name)
        container = pod["containers"][0]
        assert any(folder in word for word in container[words])
        mount = next(one for one in container["volumeMounts"] if one["name"] == "fleet")
        assert folder.startswith(f"{mount['mountPath']}/")  # below it: the root of a volume may have a lost+found
        if name == "host":
            broker = next(word for word in container["args"] if word.startswith("--broker="))
            assert broker.removeprefix("--broker=mqtts://").partition(":")[0] in named  # of the broker's certificate


def test_the_units_are_ones_that_systemd_reads(tmp_path: Path) -> None:
    """The programs that they start are another file here, because this machine may have none of them."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd)")
    for unit in UNITS:
        text = re.sub(r"/opt/pulsebms/bin/pulsebms|/usr/sbin/mosquitto", "/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = [str(tmp_path / unit.name) for unit in UNITS]
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    ended = subprocess.run([program, "verify", *units], env=environment, capture_output=True, text=True, check=False)
    if "Failed to connect" in ended.stderr or "Failed to initialize manager" in ended.stderr:
        pytest.skip(f"systemd-analyze does not work here: {ended.stderr.strip().splitlines()[0]}")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("unit", [one for one in UNITS if one.suffix == ".service"], ids=lambda unit: unit.stem)
def test_systemd_calls_the_exposure_of_a_service_ok(unit: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt install systemd)")
    tenths = 20 if unit.stem == "pulsebms-edge" else 14  # as docs/fleet-operation.md says
    run(program, "security", "--offline=yes", f"--threshold={tenths}", str(unit))


def test_the_services_are_hardened() -> None:
    for unit in UNITS:
        if unit.suffix == ".service":
            text = unit.read_text(encoding="utf-8")
            for setting in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "UMask=0077"):
                assert setting in text, unit.name
            assert "User=pulsebms" in text
