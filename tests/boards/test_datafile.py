"""Board files of a user's own: what they say, and one sentence for what they cannot say."""

import pytest

from tests.support.commands import call, ok
from triodia_boards.catalog import BOARDS, get_board
from triodia_boards.datafile import BadBoard, board_of, new_board, read_board
from triodia_boards.parts import PARTS

GOOD = """
name = "mine"
family = "ecp5"
device = "LFE5U-25F"
package = "CABGA381"
speed = "6"
attributes = { IO_TYPE = "LVCMOS33" }
[clock]
pin = "G2"
mhz = 25
[serial]
rx = "M1"
tx = "L4"
attributes = { PULLMODE = "UP" }
[leds]
pins = ["B2", "C2"]
active = "low"
"""


def test_a_board_of_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    board = get_board(str(path))
    assert (board.name, board.clock_hz, board.oscillator_hz) == ("mine", 100_000_000, 25_000_000)
    assert board.part is PARTS["ecp5"]["LFE5U-25F"] and board.blocks == 56
    assert board.chip == ("--25k", "--package=CABGA381", "--speed=6")
    assert board.serial.pins == ("M1", "L4")
    assert dict(board.serial.attributes) == {"IO_TYPE": "LVCMOS33", "PULLMODE": "UP"}
    assert board.leds.inverted and board.reset is None
    led = board.make_platform().resources["led", 1]
    assert led.ios[0].names == ["C2"] and led.ios[0].invert
    assert board.digest() == read_board(path).digest()
    path.write_text(GOOD.replace('"M1"', '"M3"'))
    assert board.digest() != read_board(path).digest()


def test_a_board_like_another():
    text = 'name = "mine"\nlike = "icebreaker"\n[serial]\nrx = "3"\n[leds]\npins = ["2"]\n'
    mine, theirs = board_of(text, "f"), BOARDS["icebreaker"]
    assert (mine.name, mine.serial.pins, mine.leds.pins) == ("mine", ("3", "9"), ("2",))
    assert (mine.device, mine.clock, mine.reset) == (theirs.device, theirs.clock, theirs.reset)
    assert mine.serial.attributes == theirs.serial.attributes and mine.pll_pin


def test_a_xilinx_device_that_is_not_known():
    text = 'name = "mine"\nlike = "basys-3"\ndevice = "xc7k70t"\n'
    with pytest.raises(BadBoard, match=r"^f: device must be one of xc7a15t.*; for another, give "):
        board_of(text, "f")
    counts = {"luts": 41_000, "registers": 82_000, "blocks": 270, "multipliers": 240}
    text += "[resources]\n" + "".join(f"{k} = {v}\n" for k, v in counts.items())
    board = board_of(text, "f")
    assert {name: getattr(board, name) for name in counts} == counts


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('device = "', 'devise = "', "there is no key devise; did you mean device?"),
        ("[leds]", "[lights]", "there is no key lights; known are name, title, like, "),
        ('rx = "M1"', 'rxd = "M1"', "there is no key serial.rxd; did you mean serial.rx?"),
        ("mhz = 25", "mhz = '25'", "clock.mhz must be a number, not '25'."),
        ("mhz = 25", "mhz = true", "clock.mhz must be a number, not True."),
        ("mhz = 25", "mhz = nan", "clock.mhz must be between 1 and 1000, not nan."),
        ("mhz = 25", "mhz = 25\nmachine_mhz = 99.7", "clock must be one that the PLL makes of 25 "),
        ("mhz = 25", "", "clock.mhz is missing."),
        ('name = "mine"', "", "name is missing."),
        ('name = "mine"', 'name = "../mine"', "name must be at most 40 small letters, "),
        ('["B2", "C2"]', '["B2", 2]', "leds.pins must be a list of strings, not ['B2', 2]."),
        ('["B2", "C2"]', '["B2", "M1"]', "pin M1 must have one purpose, not 2."),
        ('["B2", "C2"]', '["B2", "C 2"]', "the pins of leds must be names on the package, "),
        ('pin = "G2"', 'pin = "CHANGE_ME"', "a pin of [clock] is still CHANGE_ME; write "),
        ('pin = "G2"', 'pin = "OSCG"', "clock.pin must be the pin of an oscillator, not OSCG: "),
        ('active = "low"', 'active = "0"', 'leds.active must be "high" or "low", not \'0\'.'),
        ('"ecp5"', '"ecp6"', "family must be one of ecp5, ice40, gowin, gw5a, xilinx, not 'ecp6'."),
        ("-25F", "-26F", "device must be one of LFE5U-12F, LFE5U-25F, "),
        ("CABGA381", "BG381", "package must be one of CABGA256, CSFBGA285, CABGA381, "),
        ('speed = "6"', "", 'speed must be "6", "7" or "8", not \'\'.'),
        ('speed = "6"', "speed = 6", "speed must be a string, not 6."),
        ("[leds]", "[resources]\nluts = 5\n[leds]", "[resources] must be left out: those of the "),
        ("[clock]", "clock]", "it is not TOML: "),
        ('= "LVCMOS33"', "= []", "the attribute IO_TYPE of clock must be a string, not []."),
        ("[serial]", "[reset]\n[serial]", "reset.pin is missing."),
        ("[clock]", "like = 'ulx4s'\n[clock]", "like must be a board that `triodia boards` lists"),
    ],
)
def test_what_is_refused(old, new, text):
    assert GOOD.count(old) == 1
    with pytest.raises(BadBoard) as error:
        board_of(GOOD.replace(old, new), "mine.toml")
    message = str(error.value)
    assert message.startswith(f"mine.toml: {text}") and "\n" not in message


def test_no_such_file(tmp_path):
    text = rf"^The board file {tmp_path}/none.toml cannot be read: No such file or directory\.$"
    with pytest.raises(BadBoard, match=text):
        get_board(f"{tmp_path}/none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadBoard, match=r"cannot be read: it is no text\.$"):
        read_board(tmp_path / "bytes.toml")


def test_a_new_file_needs_only_its_pins():
    text = new_board("mine")
    with pytest.raises(BadBoard, match=r"a pin of \[clock\] is still CHANGE_ME"):
        board_of(text, "f")
    for pin in ("G2", "M1", "L4"):
        text = text.replace('"CHANGE_ME"', f'"{pin}"', 1)
    board = board_of(text, "f")
    assert (board.clock.pins, board.serial.pins) == (("G2",), ("M1", "L4"))
    # Every key is explained, and every explained key exists.
    uncommented = "\n".join(
        line[2:] if line.startswith(("# [", "# pin", "# act", "# con", "# pack")) else line
        for line in text.splitlines()
    )
    for section in ("reset", "leds", "tools"):
        assert f"[{section}]" in uncommented


def test_the_command(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    made = ok(capsys, "board", "new", "mine", "-o", path, "--like", "icebreaker")
    assert made == {"board": "mine", "like": "icebreaker", "file": str(path)}
    assert read_board(path).device == "iCE40UP5K"
    before = path.read_bytes()
    code, _, err = call(capsys, "board", "new", "mine", "-o", path)
    assert (
        code == 2 and err == f"triodia: {path} exists already; name another file, or remove it.\n"
    )
    assert path.read_bytes() == before
    code, _, err = call(capsys, "board", "new", "mine", "-o", path, "--like", "icebraker")
    assert code == 2 and "like must be a board that `triodia boards` lists, not 'icebraker'" in err
    code, _, err = call(capsys, "board", "new", "My Board", "-o", tmp_path / "b.toml")
    assert code == 2 and "name must be at most 40 small letters" in err
    assert not (tmp_path / "b.toml").exists()
    code, _, err = call(capsys, "board", "news", "mine")
    assert code == 2 and err.count("\n") == 1
