"""All commands of the window, declared once: label, keys, when they are allowed, what they do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from control.state import BenchState
from workbench.session.actions import Action
from workbench.window import page_wiring
from workbench.window.bench_page.replay_controls import SKIP_S
from workbench.window.rail import PAGES
from workbench.window.runs_page.page import FORMATS

if TYPE_CHECKING:
    from workbench.window.window import Window


def declare(window: Window) -> None:
    """Fill the window's registry; replace the commands that the shell declared for the first second."""
    _bench(window)
    _view(window)
    _certify(window)
    page_wiring.declare(window)
    _layout(window)


def _bench(window: Window) -> None:
    controller, add = window.controller, window.commands.replace
    connected = partial(getattr, controller, "connected")
    course = window.certify.controller

    def able(action: Action) -> str:
        can, why = controller.can(action)
        return "" if can else why

    def arm_action() -> Action:
        states = {BenchState.TRIPPED: Action.RESET, BenchState.ARMED: Action.DISARM, BenchState.RUNNING: Action.DISARM}
        return states.get(controller.status.state, Action.ARM)

    def running() -> bool:
        return controller.status.state is BenchState.RUNNING

    add(
        "connect",
        lambda: "Disconnect the bench" if connected() else "Connect the bench",
        window.connect_or_disconnect,
        "Ctrl+Shift+C",
        why_not=lambda: able(Action.DISCONNECT) if connected() else able(Action.CONNECT) or course.why_no_connect(),
    )
    words = {Action.ARM: "Arm", Action.DISARM: "Disarm", Action.RESET: "Reset with a reason…"}
    add("arm", lambda: words[arm_action()], window.arm_or_other, "Ctrl+Shift+A", why_not=lambda: able(arm_action()))
    add(
        "run",
        lambda: "Stop the run" if running() else "Start a run",
        lambda: controller.stop() if running() else controller.start(),
        "F5",
        why_not=lambda: able(Action.STOP if running() else Action.START),
    )
    add("inject", "Inject a fault…", window.ask_fault, "Ctrl+I", why_not=window.why_no_fault)
    add("clear faults", "Clear all faults", window.clear_faults, why_not=window.why_nothing_to_clear)
    work, message = window.notices.work, window.notices.failure
    add("cancel work", "Cancel what is under way", work.stop, why_not=work.why_not)
    add("dismiss", "Close the message", message.hide, why_not=message.why_not)
    add("copy message", "Copy the message with its details", message.copy_all, why_not=message.why_not)
    add("acknowledge", "Acknowledge all alarms", window.bench.alarms.acknowledge_all, "Ctrl+K")
    add("show run", "Show this run in Runs", window.show_run, why_not=window.why_no_run)
    if window.can_open_bench:
        add("open bench", "Open a bench file…", window.ask_bench, "Ctrl+O", why_not=window.why_no_other_bench)
    for lane in controller.status.lanes:
        window.declare_lane(lane.role, lane.name)


def _view(window: Window) -> None:
    add, board = window.commands.replace, window.bench.board
    view = board.view
    add("palette", "Commands…", window.show_palette, "Ctrl+Shift+P")
    add("pause", lambda: "Resume the view" if view.paused else "Pause the view", window.pause_view, "Space")
    add("filter", "Filter signals, cases or runs", window.focus_filter, "Ctrl+F")
    for name in ("A", "B"):
        add(f"cursor {name}", f"Place cursor {name}", partial(view.place_usual, name), name)
    add("clear cursors", "Clear cursors", view.clear_cursors, "Shift+C")
    add("fit", "Fit all plots", window.fit_all, "Ctrl+0")
    add("longer", "Show a longer time", partial(view.zoom, 1), "Ctrl+-")
    add("shorter", "Show a shorter time", partial(view.zoom, -1), "Ctrl+=")
    add("plot chosen", "Put the chosen signals onto a plot", window.plot_chosen, "Ctrl+Return")
    for number, page in enumerate(PAGES, 1):
        add(f"page {page}", f"Go to {page}", partial(window.show_page, page), f"Ctrl+{number}")
    _past(window)


def _past(window: Window) -> None:
    add, transport = window.commands.replace, window.bench.transport
    add("open run", "Open and replay the chosen run", window.runs.open_selected, why_not=window.why_no_chosen_run)
    add("leave replay", "Leave the replay", window.bench.leave_replay, why_not=window.why_no_replay)
    add("play", "Play or pause the replay", transport.toggle, "Ctrl+P", why_not=window.why_no_replay)
    for words, keys, steps in (("back", "Alt+Left", -1), ("on", "Alt+Right", 1)):
        seek = partial(transport.skip, steps * SKIP_S)
        add(f"seek {words}", f"Go {SKIP_S:g} s {words} in the replay", seek, keys, why_not=window.why_no_replay)
    for words, keys, steps in (("slower", "Alt+Down", -1), ("faster", "Alt+Up", 1)):
        add(words, f"Replay {words}", partial(transport.change_speed, steps), keys, why_not=window.why_no_replay)
    for word in FORMATS:
        ask = partial(window.runs.ask_file, word)
        add(f"export {word}", f"Export the chosen run as {word}…", ask, why_not=window.why_no_chosen_run)
    add("refresh runs", "List the recorded runs again", window.runs.refresh)


def _certify(window: Window) -> None:
    add, page = window.commands.replace, window.certify
    course, outcome, picker = page.controller, page.result_bar, page.picker

    def why_no_ticks() -> str:
        return "" if picker.model.tickable and picker.model.visible else "No case can be ticked now."

    add("certify", "Certify: start", page.start, "F6", why_not=page.why_not_start)
    add("certify stop", "Certify: stop", course.stop, "Shift+F6", why_not=course.why_not_stop)
    add(
        "certify wrong",
        "Certify: next check that did not pass",
        page.show_next_failed,
        "F8",
        why_not=page.why_no_failed,
    )
    for words, on in (("all", True), ("none", False)):
        add(f"certify {words}", f"Certify: tick {words}", partial(picker.tick_visible, on=on), why_not=why_no_ticks)
    add("certify again", "Certify: tick what did not pass", picker.tick_not_passed, why_not=page.why_no_failed)
    add("certify suite", "Certify: open a folder of cases…", page.bar.ask_folder, why_not=course.why_busy)
    add("certify read", "Certify: read the suite again", page.read_again, why_not=course.why_busy)
    add("certify report", "Certify: open the report", outcome.open_report, why_not=outcome.why_no_report)
    add("certify folder", "Certify: show the certificate's folder", outcome.show_folder, why_not=outcome.why_no_result)
    add("certify bundle", "Certify: make a bundle…", outcome.make_bundle, why_not=outcome.why_no_bundle)
    add(
        "certify past",
        "Certify: open an earlier certificate…",
        page.certificate_list.ask_folder,
        why_not=course.why_busy,
    )
    add("certify leave", "Certify: back to the suite", course.leave, why_not=course.why_not_leave)


def _layout(window: Window) -> None:
    add = window.commands.replace
    add("theme", lambda: f"Use the {window.other_theme.name} theme", window.switch_theme, "Ctrl+T")
    add("reset layout", "Reset layout", window.bench.arrange)
    for name, dock in window.bench.docks.items():
        title = dock.windowTitle().lower()
        toggle = dock.toggleViewAction()
        add(f"dock {name}", partial(_dock_words, dock.isHidden, title), toggle.trigger)
        add(f"float {name}", f"Float or dock {title}", dock.turn_float)
    add("quit", "Quit", window.ask_quit, "Ctrl+Q")


def _dock_words(hidden: object, title: str) -> str:
    return f"Show {title}" if callable(hidden) and hidden() else f"Hide {title}"
