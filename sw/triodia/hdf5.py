"""What an HDF5 file must not hold, whoever wrote it: cycles, other files, sizes out of nothing."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

__all__ = ["check_hdf5", "open_hdf5"]

_SMALL = 1 << 20  # bytes that a data set may have without storing them
_DENSEST = 1100  # bytes that deflate makes of one, at most


_HEAP = b"GCOL\x01\0\0\0"  # how a heap of strings and lists begins, by HDF5's file format


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """The file at ``path``, checked, to read from.

    Raises
    ------
    OSError, ValueError
        If there is no such file, or it is damaged; and what h5py raises.
    """
    _check_heaps(path)
    with h5py.File(path) as file:
        check_hdf5(file)
        yield file


def _check_heaps(path: Path) -> None:
    """Refuse a heap with a free space of no length, at which HDF5 2.0 never ends."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_HEAP)
        while at >= 0:
            place = at + 16
            end = min(at + _number(content, at + 8), len(content))
            while place + 16 <= end:
                length = _number(content, place + 8)
                used = 16 + (length + 7) // 8 * 8
                step = used if any(content[place : place + 2]) else length
                if step == 0:
                    raise ValueError(f"the heap at byte {at} is damaged")
                place += step
            at = content.find(_HEAP, at + 1)


def _number(content: mmap.mmap, at: int) -> int:
    return int.from_bytes(content[at : at + 8], "little")


def check_hdf5(file: h5py.File) -> None:
    """Refuse links, and data sets whose values are not in the file: a reader would hang or swell.

    Raises
    ------
    ValueError
        Naming the entry, and what is wrong with it.
    """
    seen, groups = set(), [("", file["/"])]
    while groups:
        prefix, group = groups.pop()
        for name in group:
            where = f"{prefix}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{where} is a link; copy what it leads to")
            item = group[name]
            if isinstance(item, h5py.Dataset):
                _check_stored(where, item)
            elif isinstance(item, h5py.Group):
                address = h5py.h5o.get_info(item.id).addr
                if address in seen:
                    raise ValueError(f"{where} is in the file twice")
                seen.add(address)
                groups.append((where, item))


def _check_stored(where: str, item: h5py.Dataset) -> None:
    if item.is_virtual or item.external:
        raise ValueError(f"the values of {where} are in another file; copy them")
    declared, stored = item.size or 0, item.id.get_storage_size()
    declared *= item.dtype.itemsize
    if declared > max(_SMALL, _DENSEST * stored):
        raise ValueError(f"{where} has {declared} bytes, of which {stored} are in the file")
