"""The engine's end of the guard's pipe: what it reads, what it passes on, and that nothing there holds up the loop."""

from __future__ import annotations

from control.guard_link import GuardLink, pipe
from control.guard_messages import ARMED, DISARMED, MARK, QUIT, RESET, TICK, TRIP, encode
from control.guard_reports import ArmAnswer, Heartbeat, OffReceived
from control.state import BenchState
from tests.control.fakes import rig

BEAT = Heartbeat(
    t_s=10.0, armed=False, cause="io/estop is open", reaction_s=0.001, realtime="", trouble=(), ports=(0, 4711), pid=1
)


def test_the_link_hears_trips_and_notices_a_guard_that_is_gone() -> None:
    ours, theirs = pipe()
    now_s = [10.0]
    link = GuardLink(ours, lambda: now_s[0])
    assert (link.heartbeat, link.cause, link.is_connected) == (None, "", False)
    theirs.send(BEAT)
    theirs.send(OffReceived(7, 10.0))
    assert link.alive()
    assert (link.heartbeat, link.cause, link.is_connected) == (BEAT, "io/estop is open", True)
    assert link.reports == [OffReceived(7, 10.0)]
    now_s[0] = 10.19
    assert link.alive()
    now_s[0] = 10.21
    assert not link.alive()
    now_s[0] = 10.0
    theirs.close()
    assert not link.alive()
    link.close()


def test_the_link_passes_on_what_the_engine_does() -> None:
    ours, theirs = pipe()
    link, made = GuardLink(ours, lambda: 10.0), rig()
    made.loop.parts.sinks.append(link)
    made.to(BenchState.CONNECTED)
    numbers = [link.arm()]
    assert theirs.recv_bytes() == encode(ARMED, numbers[0])
    made.to(BenchState.ARMED)
    made.turns(1)
    assert theirs.recv_bytes() == TICK
    made.loop.trip("io/estop is open")
    made.turns(1)
    assert sorted((theirs.recv_bytes(), theirs.recv_bytes())) == [TICK, TRIP + b"io/estop is open"]
    numbers += [link.reset("pressed by mistake"), link.disarm()]
    link.mark(b"SINK:POW 1990\n")
    link.quit()
    said = [theirs.recv_bytes() for _ in range(4)]
    reset, disarmed = encode(RESET, numbers[1], "pressed by mistake"), encode(DISARMED, numbers[2])
    assert said == [reset, disarmed, MARK + b"SINK:POW 1990\n", QUIT]
    assert len(set(numbers)) == 3
    theirs.send(ArmAnswer(numbers[2], armed=False, cause=""))
    assert link.alive()
    assert [link.answer(number) is not None for number in numbers] == [False, False, True]
    theirs.close()
    link.quit()
    assert not link.alive()
    link.close()


def test_a_guard_that_is_stopped_never_holds_up_the_loop_and_hears_every_word_but_one_tick_later() -> None:
    ours, theirs = pipe()
    link, made = GuardLink(ours, lambda: 10.0), rig()
    made.loop.parts.sinks.append(link)
    made.to(BenchState.CONNECTED)
    for _ in range(400):  # a Unix pipe is full after 278; nobody reads the other end
        link.disarm()
    made.turns(1000)
    link.trip("asked for")
    said = [theirs.recv_bytes() for _ in range(402)]
    assert [message[:1] for message in said[:400]] == [DISARMED] * 400
    assert sorted(said[400:]) == [TICK, TRIP + b"asked for"]
    assert not theirs.poll()
    link.close()
    theirs.close()
