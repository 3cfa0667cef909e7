"""Fuzz one kind of file: ``python -m tests.support.hostile.target KIND CORPUS OPTIONS``.

Half of the changes keep the form of the file (``mutate.py``), the others are libFuzzer's own.
So are the options.
"""

import random
import sys
import tempfile
from pathlib import Path

from tests.support.fuzz import instrument
from tests.support.hostile.check import check, limited
from tests.support.hostile.kinds import KINDS
from tests.support.hostile.mutate import sound

__all__ = ["main"]

_PACKAGES = ("triodia.", "triodia_hw.machine", "triodia_hw.compile", "triodia_boards.", "nir.")


def main():
    """Fuzz until something is found, or as long as libFuzzer's options say."""
    import atheris

    kind = KINDS[sys.argv.pop(1)]
    for file in Path(sys.argv[1]).iterdir():
        sound(file.read_bytes())
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGES):
            instrument(atheris, list(vars(module).values()), name)

    def changed(data, most, seed):
        chance = random.Random(seed)
        if chance.random() < 0.5:
            return kind.change(data, chance)[:most]
        return atheris.Mutate(data, most)

    with tempfile.TemporaryDirectory() as folder, limited():
        place = Path(folder)
        atheris.Setup(sys.argv, lambda data: check(kind, place, data), custom_mutator=changed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
