"""A foreign DBC: what nobody maps is let be, what is mapped is checked, and a proof that proves nothing is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.canbus.dut import open_steps
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchFileError
from tests.drivers.foreigndbc import DBC, MAP, changed, written

if TYPE_CHECKING:
    from pathlib import Path

AGAIN = """BO_ 257 Limits: 8 BMS
 SG_ Charge : 0|8@1+ (1,0) [0|0] "A" TST
"""


def refused(path: Path) -> str:
    with pytest.raises(BenchFileError) as caught:
        read_dut_map(path)
    return str(caught.value)


def with_verify(channel: str, value: str = "0.0") -> str:
    return changed(MAP, 'channel = "bms/contactor"\nopen = 0.0', f'channel = "{channel}"\nopen = {value}')


def test_what_nobody_maps_may_be_as_it_likes(tmp_path: Path) -> None:
    mapped = read_dut_map(written(tmp_path, dbc=DBC + AGAIN.replace("257 Limits", "600 Nobody")))
    assert mapped.row("bms/contactor").message == "Limits"


@pytest.mark.parametrize(
    ("dbc", "text", "said"),
    [
        (DBC.replace("BO_ 257 ", "BO_ 256 "), MAP, "shares identifier 0x100"),
        (DBC + AGAIN, MAP, '"Limits" names two messages'),
        (DBC.replace("BO_ 512 Ask: 8", "BO_ 512 Ask: 64"), MAP, 'Ask" has 64 bytes, more than a frame of classic CAN'),
        (DBC.replace("BO_ 256 State: 8", "BO_ 256 State: 12"), MAP, 'State" has 12 bytes'),
        (DBC.replace("Half : 32|8", "Half : 44|8"), MAP, "Limits.Half, which reaches beyond the 6 bytes"),
        (DBC.replace("SG_ Half", "SG_ Charge"), MAP.replace('"Half"', '"Charge"'), "occurs twice"),
        (DBC.replace("Reset : 8|1", "Reset : 7|1"), MAP, "Ask.Word and Ask.Reset, which overlap in their bits"),
    ],
)  # fmt: skip
def test_what_is_mapped_is_checked_by_name(tmp_path: Path, dbc: str, text: str, said: str) -> None:
    assert said in refused(written(tmp_path, dbc=dbc, text=text))


def test_flags_over_the_same_bits_as_a_byte_are_read(tmp_path: Path) -> None:
    dbc = changed(DBC, " SG_ Half", ' SG_ Byte : 16|8@1+ (1,0) [0|0] "" TST\n SG_ Half')
    mapped = read_dut_map(written(tmp_path, dbc=dbc, text=changed(MAP, '"Half"', '"Byte"')))
    assert mapped.messages["Limits"].decode(bytes([0, 0, 0x83, 0, 0, 0]))["Byte"] == 0x83
    assert mapped.messages["Limits"].decode(bytes([0, 0, 0x83, 0, 0, 0]))["Closed"] == 3


def test_an_open_that_is_said_on_one_page_is_verified_by_that_page(tmp_path: Path) -> None:
    (step,) = open_steps(read_dut_map(written(tmp_path, text=with_verify("bms/main"))), 1.0)
    assert step.verify.is_met(bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    for said in ([1, 1], [0, 0], [2, 0], [9, 0]):  # closed; another contact; other pages
        assert not step.verify.is_met(bytes([*said, 0, 0, 0, 0, 0, 0]))


def test_a_frame_that_lacks_the_verifying_bits_verifies_nothing(tmp_path: Path) -> None:
    (step,) = open_steps(read_dut_map(written(tmp_path)), 1.0)
    assert step.verify.is_met(bytes(3))
    assert step.verify.is_met(bytes(8))
    assert not step.verify.is_met(bytes(2))
    assert not step.verify.is_met(b"")


@pytest.mark.parametrize(
    ("channel", "value", "said"),
    [
        ("bms/level", "0.0", "State.Level is a floating-point number"),
        ("bms/half", "1.25", "does not fit into Limits.Half"),
        ("bms/contactor", "0.5", "does not fit into Limits.Closed"),
        ("bms/half", "120.0", "outside the range"),
        ("bms/nothing", "0.0", "not a mapped channel"),
    ],
)
def test_a_proof_that_cannot_be_compared_bit_by_bit_is_refused(
    tmp_path: Path, channel: str, value: str, said: str
) -> None:
    assert said in refused(written(tmp_path, text=with_verify(channel, value)))


def test_our_own_request_proves_nothing(tmp_path: Path) -> None:
    text = changed(MAP, 'message = "Limits"\nsignal = "Closed"', 'message = "Ask"\nsignal = "Reset"')
    assert "is Ask.Reset, which the workbench itself sends: that verifies nothing" in refused(
        written(tmp_path, text=text)
    )


def test_a_scaled_value_on_a_step_is_compared(tmp_path: Path) -> None:
    (step,) = open_steps(read_dut_map(written(tmp_path, text=with_verify("bms/half", "1.5"))), 1.0)
    assert step.verify.is_met(bytes([0, 0, 0, 0, 3, 0]))
    assert not step.verify.is_met(bytes([0, 0, 0, 0, 2, 0]))


def test_words_on_a_page_are_sent_with_that_page(tmp_path: Path) -> None:
    dbc = changed(DBC, "SG_ Word : 0|8", 'SG_ Kind M : 16|8@1+ (1,0) [0|0] "" BMS\n SG_ Word m5 : 0|8')
    ask = read_dut_map(written(tmp_path, dbc=dbc)).messages["Ask"]
    assert ask.encode({"Word": 2}) == bytes([2, 0, 5, 0, 0, 0, 0, 0])


def test_words_on_pages_that_never_meet_are_refused(tmp_path: Path) -> None:
    dbc = changed(DBC, "SG_ Word : 0|8", 'SG_ Kind M : 16|8@1+ (1,0) [0|0] "" BMS\n SG_ Word m5 : 0|8')
    assert "no page carries Reset together" in refused(written(tmp_path, dbc=changed(dbc, "Reset :", "Reset m4 :")))


@pytest.mark.parametrize(
    ("message", "counter", "checksum", "said"),
    [
        ("State", "Main", "Page", "on only one page"),
        ("Limits", "Half", "Half", "no separate bits"),
        ("Limits", "Closed", "Charge", "not one whole byte"),
    ],
)
def test_a_counter_or_checksum_that_proves_nothing_is_refused(
    tmp_path: Path, message: str, counter: str, checksum: str, said: str
) -> None:
    rule = f'[[protected]]\nmessages = ["{message}"]\ncounter = "{counter}"\nchecksum = "{checksum}"\n[heartbeat]'
    assert said in refused(written(tmp_path, text=changed(MAP, "[heartbeat]", rule)))
