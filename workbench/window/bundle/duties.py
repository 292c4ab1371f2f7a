"""What the Bundle page has done in a process of its own: look, make keys, build, judge.

Cryptography, Parquet and the estimators that a build replays stay out of the window's process. A duty is a function of
picklable records; `serve` answers one after the other until the pipe closes.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import BundleRefused, PulseError, Refused, Usage
from drivers.timestamps import format_utc, make_serial
from edge_bridge.bundle import keys
from edge_bridge.bundle.archive import MAX_FILE
from edge_bridge.bundle.verify import verify
from workbench.bundling.page import page, read_untrusted
from workbench.outcome import Report
from workbench.verbs import bundle as verb
from workbench.window.bundle.model import Judged, NewKey, Wish
from workbench.window.bundle.shelving import look
from workbench.window.certify.certifier import sentence
from workbench.window.errands import trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

NO_TRUST: Final = "untrusted_folder"
_CLAIM: Final = "NOT VERIFIED"  # the page's own first line; here the head of the sheet says it


@dataclass
class Told(Report):
    """A report that keeps its lines instead of printing them."""

    lines: list[str] = field(default_factory=list[str])

    def line(self, text: str) -> None:
        self.lines.append(text)


def make_key(folder: Path, name: str) -> NewKey:
    """A pair in `folder`; raises what `keys.make_key` raises."""
    report = Told("bundle key")
    verb.key(report, name, folder)
    return NewKey(folder / f"{name}{keys.PRIVATE}", folder / f"{name}{keys.PUBLIC}", report.body["key_id"])


def trust(public: Path, folder: Path) -> Path:
    """Copy a public key into `folder`; raises `Refused` for another key under its name, `OSError`."""
    pem = keys.public_pem(keys.read_public(public))
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / public.name
    if copy.exists() and copy.read_bytes() != pem:
        raise Refused("holds another key already", where=str(copy), hint="rename one of them")
    copy.write_bytes(pem)
    return copy


def build(wish: Wish) -> Judged:
    """One signed file, which its own key vouches for, judged by the keys that are trusted; raises `PulseError`."""
    now = datetime.now(UTC).replace(microsecond=0)
    serial = make_serial(now) if wish.serial is None else wish.serial
    report = Told("bundle build")
    verb.build(
        report, wish.run, wish.private, wish.bench, wish.certificate,
        name=wish.name, serial=serial, days=wish.days, made=format_utc(now),
        out=wish.folder / f"{wish.name}-{serial}.bundle",
    )  # fmt: skip
    said = report.body
    made = shelved(wish.folder / f"{wish.name}-{serial}.bundle", wish.trust)
    return replace(made, golden=said["golden"], notes=tuple(said["notes"]))


def judge(file: Path, folder: Path) -> Judged:
    """By the keys in `folder`, golden vectors replayed; a refusal is an answer. Raises `Usage` for no file."""
    report, made = Told("bundle verify"), claims(file)
    if not folder.is_dir():
        return _refused(made, _nobody())
    try:
        verb.verify(report, file, folder, lowest_serial=0, allow_sim=True, replay=True)
    except PulseError as error:
        return _refused(made, error)
    golden = report.body["golden"]["sentence"]
    return replace(made, verified=True, signer=report.body["signer"], golden=golden)


def claims(file: Path) -> Judged:
    """What a file says of itself, believed by nobody; raises `Usage` when it cannot be read."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise Usage(f"cannot be read: {error.strerror}", where=str(file), hint="name a bundle file") from error
    made = Judged(file, hashlib.sha256(data).hexdigest())
    try:
        bundle, keyid = read_untrusted(data)
    except BundleRefused as error:
        return _refused(made, error)
    said = bundle.manifest
    told = tuple(line for line in page(bundle, keyid) if not line.startswith(_CLAIM))
    return replace(made, name=said.name, serial=said.serial, evidence=said.evidence, expires=said.expires, told=told)


def shelved(file: Path, folder: Path) -> Judged:
    """As `judge`, without replaying: quick enough for a list."""
    made = claims(file)
    if not made.name or not folder.is_dir():
        return _refused(made, _nobody()) if made.name else made
    try:
        found = verify(file.read_bytes(), folder, now=datetime.now(UTC))
    except BundleRefused as error:
        return _refused(made, error)
    return replace(made, verified=True, signer=found.signer)


def _nobody() -> BundleRefused:
    hint = "make a key, or copy the signer's public key (*.pem) into the trust folder"
    return BundleRefused("no key is trusted here yet", key=NO_TRUST, hint=hint)


def _refused(made: Judged, error: PulseError) -> Judged:
    """The refusal as two sentences; those of the verifier begin with what the file does or is."""
    of_file = isinstance(error, BundleRefused) and error.where in (None, str(made.file)) and error.key != NO_TRUST
    reason = f"it {error.what}" if of_file else error.what if error.where == str(made.file) else error.sentence
    return replace(
        made, verified=False, key=error.key or error.code, reason=sentence(reason), hint=sentence(error.hint)
    )


DUTIES: Final[dict[str, tuple[Callable[..., Any], str]]] = {
    "look": (partial(look, judged=shelved), "The folders cannot be looked at"),
    "make_key": (make_key, "The key cannot be made"),
    "trust": (trust, "The key cannot be trusted here"),
    "build": (build, "The bundle cannot be built"),
    "judge": (judge, "The bundle cannot be judged"),
}


def serve(pipe: Connection) -> None:
    """Answer `(duty, arguments)` with `("done", answer)` or `("failed", sentence, next step, details)`."""
    with suppress(EOFError, OSError):
        while True:
            name, given = pipe.recv()
            pipe.send(_answered(name, given))


def _answered(name: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
    duty, what = DUTIES[name]
    try:
        return "done", duty(*given)
    except Exception as error:  # noqa: BLE001  # whatever it is, a person is told, and the next duty is answered
        return trouble(what, error)
