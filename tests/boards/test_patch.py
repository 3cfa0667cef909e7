import re

import numpy as np
import pytest

from triodia_boards.flow.formats import FORMATS
from triodia_boards.flow.patch import PatchError, patch, read_back

ECP5 = FORMATS["ecp5"]

# Width of a block's words: how many of them it holds.
DEPTH = {36: 512, 18: 1024, 9: 2048, 4: 4096, 2: 8192, 1: 16384}


def block(words, width):
    """The 2048 values of 9 bits that hold ``words``, computed the plain way."""
    each = 9 if width >= 9 else 8
    values = [0] * 2048
    for a, word in enumerate(words):
        for b in range(width):
            place = a * width + b
            values[place // each] |= ((word >> b) & 1) << (place % each)
    return values


def section(number, values):
    rows = [values[k : k + 8] for k in range(0, 2048, 8)]
    lines = "\n".join(" ".join(f"{v:03x}" for v in row) for row in rows)
    return f".bram_init {number}\n{lines}\n\n"


def config(memories, extra=()):
    """Configuration of memories ``(width, words, tile width)``, their blocks in mixed order."""
    blocks = list(extra)
    for width, words, tile in memories:
        for low in range(0, width, tile):
            for first in range(0, len(words), DEPTH[tile]):
                some = words[first : first + DEPTH[tile]]
                blocks.append(block([(w >> low) & ((1 << tile) - 1) for w in some], tile))
    order = np.random.default_rng(len(blocks)).permutation(len(blocks))
    sections = "".join(section(number, blocks[k]) for number, k in enumerate(order))
    head = ".device LFE5U-25F\n\n.tile R1C1:PLC2\narc: A1 B2\nword: SLICEA.K0.INIT 0000ffff\n\n"
    return f"{head}{sections}.tile R2C2:EBR\nenum: EBR0.MODE DP16KD\n"


def words(width, depth, seed):
    rng = np.random.default_rng(seed)
    return [int.from_bytes(rng.bytes(8), "little") % (1 << width) for _ in range(depth)]


SHAPES = [
    [(36, 512, 36)],
    [(21, 512, 36), (17, 1024, 18)],
    [(21, 1536, 36), (8, 2048, 9), (31, 512, 36)],
    [(4, 4096, 4), (2, 1024, 2), (1, 1024, 1)],
    [(13, 2048, 9), (40, 512, 36), (17, 3072, 18)],
    [(5, 4096, 4)],
]


def case(shapes):
    marks = [words(width, depth, 10 + k) for k, (width, depth, _) in enumerate(shapes)]
    wanted = [words(width, depth, 50 + k) for k, (width, depth, _) in enumerate(shapes)]
    memories = [(f"m{k}", width, marks[k], wanted[k]) for k, (width, _, _) in enumerate(shapes)]
    routed, done = (
        config([(width, w[k], tile) for k, (width, _, tile) in enumerate(shapes)])
        for w in (marks, wanted)
    )
    return routed, done, memories


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_patch(shapes):
    """The patched text equals, bit for bit, the text made from the wanted words."""
    routed, done, memories = case(shapes)
    patched, slices = patch(routed, memories, ECP5)
    assert patched == done != routed
    assert slices == sum(width * depth // 256 for width, depth, _ in shapes)
    assert read_back(routed, patched, memories, ECP5) == [wanted for *_, wanted in memories]
    assert read_back(routed, routed, memories, ECP5) == [marks for _, _, marks, _ in memories]


def test_read_back_sees_a_wrong_bit():
    routed, done, memories = case(SHAPES[1])
    lines = done.splitlines()
    at = next(k for k, line in enumerate(lines) if re.match(r"[0-9a-f]{3} ", line))
    lines[at] = f"{int(lines[at][:3], 16) ^ 1:03x}{lines[at][3:]}"
    assert read_back(routed, "\n".join(lines) + "\n", memories, ECP5) != [w for *_, w in memories]


def test_zeros_can_be_written():
    """Contents may repeat; only the placeholders must be unlike each other."""
    routed, _, memories = case(SHAPES[2])
    zeros = [(name, width, marks, [0] * len(marks)) for name, width, marks, _ in memories]
    patched, _ = patch(routed, zeros, ECP5)
    assert read_back(routed, patched, zeros, ECP5) == [zero for *_, zero in zeros]
    assert not re.search(r"^[0-9a-f ]*[1-9a-f][0-9a-f ]*$", patched.split("INIT 0000ffff")[1], re.M)


def test_missing_placeholder():
    routed, _, memories = case(SHAPES[0])
    memories.append(("lost", 9, words(9, 512, 99), [0] * 512))
    text = r"^memory lost is in 0 places of the routed design instead of one; build it again$"
    for use in (
        lambda: patch(routed, memories, ECP5),
        lambda: read_back(routed, routed, memories, ECP5),
    ):
        with pytest.raises(PatchError, match=text):
            use()


def test_placeholder_in_two_places():
    _, _, memories = case(SHAPES[0])
    marks = memories[0][2]
    routed = config([(36, marks, 36)], extra=[block(marks, 36)])
    text = r"^memory m0 is in 2 places of the routed design instead of one; build it again$"
    with pytest.raises(PatchError, match=text):
        patch(routed, memories, ECP5)


def test_equal_placeholders():
    routed, _, memories = case(SHAPES[0])
    text = r"^two placeholder slices are alike; change the placeholder seed$"
    with pytest.raises(PatchError, match=text):
        patch(routed, [*memories, ("again", *memories[0][1:])], ECP5)


def test_no_blocks_at_all():
    _, _, memories = case(SHAPES[0])
    with pytest.raises(PatchError, match=r"^memory m0 is in 0 places .*$"):
        patch(".device LFE5U-25F\n", memories, ECP5)


def test_lost_block():
    """A block missing from the read-back configuration is an error, not zeros."""
    routed, done, memories = case(SHAPES[0])
    gone = done.replace(".bram_init 0\n", ".bram_init 7\n")
    with pytest.raises(PatchError, match=r"^block RAM 0 is not in the patched design; build it"):
        read_back(routed, gone, memories, ECP5)


ICE40 = FORMATS["ice40"]


def ice40_config(columns):
    """Configuration whose blocks hold ``columns`` of 256 bits, 16 a block, unused ones zero."""
    sections = []
    for number in range(-(-len(columns) // 16)):
        words = [0] * 256
        for place, column in enumerate(columns[16 * number : 16 * number + 16]):
            for a, bit in enumerate(column):
                words[a] |= bit << place
        rows = [words[k : k + 16] for k in range(0, 256, 16)]  # a line has 16 words, last first
        lines = ["".join(f"{w:04x}" for w in reversed(row)) for row in rows]
        sections.append(f".ram_data {8 + number} 1\n" + "\n".join(lines) + "\n\n")
    return f".device 8k\n\n.io_tile 1 0\n000\n\n{''.join(sections)}.sym 1 name\n"


def test_ice40_patch():
    """Columns of 256 words lie in blocks in any order; other text stays."""
    shapes = [(14, 512), (3, 256)]
    marks = [words(width, depth, 10 + k) for k, (width, depth) in enumerate(shapes)]
    wanted = [words(width, depth, 50 + k) for k, (width, depth) in enumerate(shapes)]
    memories = [(f"m{k}", w, marks[k], wanted[k]) for k, (w, _) in enumerate(shapes)]

    def shown(contents):
        columns = [
            [(word >> bit) & 1 for word in some[first : first + 256]]
            for (width, _), some in zip(shapes, contents, strict=True)
            for first in range(0, len(some), 256)
            for bit in range(width)
        ]
        order = np.random.default_rng(1).permutation(len(columns))
        return ice40_config([columns[k] for k in order])

    patched, slices = patch(shown(marks), memories, ICE40)
    assert patched == shown(wanted) != shown(marks)
    assert slices == 14 * 2 + 3
    assert read_back(shown(marks), patched, memories, ICE40) == wanted


@pytest.mark.parametrize("width", [2, 4, 8, 16])
def test_ice40_words_of_every_width(width):
    """As Yosys' brams_map.v has them: its ``slice_init``, bit by bit."""
    old, new = (words(width, 4096 // width, seed) for seed in (1, 2))

    def lines(memory):
        init = "".join(f"{word:0{width}b}"[::-1] for word in memory)
        for index in range(16):
            bits = ""
            for ri in range(256):
                low = int(f"{ri & 15:04b}"[::-1], 2)
                bits += init[index * 256 + (ri >> 4) * 16 + low]
            yield f"{int(bits[::-1], 2):064x}\n"

    config = ".ram_data 8 1\n" + "".join(lines(old)) + "\n"
    memories = [("some", width, old, new)]
    patched, slices = patch(config, memories, ICE40)
    assert slices == 16
    assert patched == ".ram_data 8 1\n" + "".join(lines(new)) + "\n"
    assert read_back(config, patched, memories, ICE40) == [new]
