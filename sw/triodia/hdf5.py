"""What an HDF5 file must not hold, whoever wrote it: cycles, other files, sizes out of nothing."""

import h5py

__all__ = ["check_hdf5"]

_SMALL = 1 << 20  # bytes that a data set may have without storing them
_DENSEST = 1100  # bytes that deflate makes of one, at most


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
