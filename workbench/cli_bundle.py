"""The verbs of `bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.extras import refuse_without_extras
from workbench.option_passing import pass_to_verb
from workbench.options import AsJson, BenchFile, Out, RunFolder, TrustedKeys
from workbench.report import Report
from workbench.run_verb import run_verb

bundle = typer.Typer(
    name="bundle",
    help="Make keys; build, verify and show signed configurations.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
BundleFile = Annotated[Path, typer.Argument(metavar="FILE", help="Bundle file.")]


@bundle.callback()
def default(context: typer.Context) -> None:
    """Pass options before the verb to the verb."""
    pass_to_verb(context)
    refuse_without_extras(f"bundle {context.invoked_subcommand}")


@bundle.command("key", short_help="Make a pair of keys.")
def bundle_key(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the signer; the files are NAME.key and NAME.pem.")
    ],
    out: Out = Path("keys"),
    *,
    as_json: AsJson = False,
) -> None:
    """Make a private key, which stays where bundles are signed, and the public one, which edges trust."""
    from workbench.verbs import bundle as verb

    run_verb(Report("bundle key", as_json), verb.key, name, out)


@bundle.command("build", short_help="Build one signed file from a run.")
def bundle_build(
    run_folder: RunFolder,
    *,
    private: Annotated[Path, typer.Option("--key", metavar="FILE", help="The private key that signs.")],
    bench: BenchFile = EMULATED_BENCH,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder that certify wrote; it is included and counts for the evidence class."
        ),
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the bundle; default: the bench's name.")] = "",
    serial: Annotated[
        int | None, typer.Option(min=0, help="Serial; an edge refuses a lower one. Default: date and time as a number.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Days until it expires.")] = 365,
    made: Annotated[
        str, typer.Option(metavar="TIME", help="Time of the build, such as 2026-03-01T12:00:00Z; default: now.")
    ] = "",
    accept: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            help="Accept a certificate of some cases only (certify --only), or a run with an injected fault; "
            "the reason is written into the bundle.",
        ),
    ] = "",
    pack_type: Annotated[
        str,
        typer.Option(metavar="TYPE", help="Kind of pack that it is for; default: cells of the bench, such as 24s12p."),
    ] = "",
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A policy that promote has promoted; an edge runs it in shadow.")
    ] = None,
    promotion: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --policy: the folder that promote wrote.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write; default: NAME-SERIAL.bundle here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build and sign a bundle from a sealed run; the same run, key, serial and times give the same bytes."""
    from workbench.verbs import bundle as verb

    run_verb(
        Report("bundle build", as_json), verb.build, run_folder, private, bench, certificate,
        name=name, serial=serial, days=days, made=made, accept=accept, pack_type=pack_type, policy=policy,
        promotion=promotion, out=out,
    )  # fmt: skip


@bundle.command("verify", short_help="Verify a bundle.")
def bundle_verify(
    file: BundleFile,
    trust: TrustedKeys,
    lowest_serial: Annotated[int, typer.Option(min=0, help="Refuse a lower serial.")] = 0,
    *,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="DIR", help="State folder of an edge; refuse what that edge would as older."),
    ] = None,
    pack_type: Annotated[
        str, typer.Option("--pack-type", metavar="TYPE", help="Refuse a bundle for another type of pack.")
    ] = "",
    refuse_sim: Annotated[
        bool, typer.Option("--refuse-sim", help="Refuse a bundle with evidence from simulation only.")
    ] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Also replay its golden vectors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge a bundle by the keys in DIR: exit 1 and the reason when it is refused."""
    from edge_bridge.bundle.verify import Acceptance
    from workbench.verbs import bundle as verb

    accept = Acceptance(not refuse_sim, lowest_serial, state, pack_type)
    run_verb(Report("bundle verify", as_json), verb.verify, file, trust, accept=accept, replay=replay)


@bundle.command("show", short_help="Show what a bundle contains, unverified.")
def bundle_show(file: BundleFile, *, as_json: AsJson = False) -> None:
    """Print the contents of a bundle without verifying it."""
    from workbench.verbs import bundle as verb

    run_verb(Report("bundle show", as_json), verb.show, file)
