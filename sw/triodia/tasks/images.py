"""Images as series of rows: Fashion-MNIST from Debian's package, CIFAR from the user's files."""

import gzip
import os
from pathlib import Path

import numpy as np

from triodia_hw.errors import MissingTool, TriodiaError

from .samples import TaskData, from_parts

__all__ = ["FOLDER", "load_cifar10", "load_cifar100", "load_fashion_mnist", "read_idx"]

FOLDER = "TRIODIA_DATA"  # environment variable: folder with fashion-mnist/, cifar-10/, cifar-100/


def _folder(name: str, get: str) -> Path:
    """The folder of a data set."""
    for path in (Path(os.environ.get(FOLDER, "data")) / name, Path("/usr/share/datasets") / name):
        if path.is_dir():
            return path
    raise MissingTool(f"The samples of {name} are missing from the folder ${FOLDER}/{name}. {get}.")


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of a gzipped IDX file (LeCun's format: 0 0 8 rank, sizes, data).

    Raises
    ------
    TriodiaError
        If the file cannot be read or is not such a file.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise TriodiaError(f"{path} cannot be read as a gzipped IDX file: {error}.") from error
    rank = content[3] if content[:3] == b"\0\0\x08" else 0
    shape = tuple(np.frombuffer(content, ">u4", rank, 4)) if len(content) >= 4 + 4 * rank else ()
    if not rank or len(content) != 4 + 4 * rank + int(np.prod(shape)):
        raise TriodiaError(f"{path} is damaged or not an IDX file of bytes; download it again.")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load_fashion_mnist() -> TaskData:
    """Fashion-MNIST: a row of 28 pixels (0 to 1) per step."""
    folder = _folder("fashion-mnist", "On Debian, run: apt-get install dataset-fashion-mnist")
    parts = []
    for split in ("train", "t10k"):
        x = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
        y = read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
        parts.append(_as_rows(x, y))
    return from_parts(*parts)


def _as_rows(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images ``(K, rows, ...)`` of bytes as series of rows."""
    rows = x.reshape(len(x), x.shape[1], -1).astype(np.float32) / 255
    return rows, np.full(len(x), x.shape[1], np.int64), y.astype(np.int64)


def _cifar(paths: list[Path], labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Binary CIFAR: ``labels`` bytes, the last of which counts, then 3 x 32 x 32 bytes."""
    size = labels + 3072
    try:
        content = b"".join(path.read_bytes() for path in paths)
    except OSError as error:
        raise TriodiaError(f"A binary file of CIFAR cannot be read: {error}.") from error
    if not content or len(content) % size:
        raise TriodiaError(
            f"{paths[0].parent} does not hold the binary version of CIFAR; download it again."
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    images = records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return _as_rows(images, records[:, labels - 1])


def load_cifar10() -> TaskData:
    """CIFAR-10: a row of 32 x 3 values (0 to 1) per step."""
    folder = _folder("cifar-10", "Unpack the binary version of CIFAR-10 there")
    train = [folder / f"data_batch_{k}.bin" for k in range(1, 6)]
    return from_parts(_cifar(train, 1), _cifar([folder / "test_batch.bin"], 1))


def load_cifar100() -> TaskData:
    """CIFAR-100 with fine labels: a row of 32 x 3 values (0 to 1) per step."""
    folder = _folder("cifar-100", "Unpack the binary version of CIFAR-100 there")
    return from_parts(_cifar([folder / "train.bin"], 2), _cifar([folder / "test.bin"], 2))
