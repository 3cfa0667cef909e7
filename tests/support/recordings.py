"""Small event files in the formats of the field, written by their published layouts."""

import h5py
import numpy as np

__all__ = ["gesture_folder", "moving", "nmnist_folder", "ours", "shd_folder"]


def moving(samples, seed, *, classes=2, channels=10, span=0.2):
    """A spike that runs up or down the channels, one sample each: times in seconds, channels, y."""
    rng, found = np.random.default_rng(seed), []
    y = np.arange(samples) % classes
    for label in y:
        times = np.sort(rng.uniform(0, span, 60))
        place = times / span if label == 0 else 1 - times / span
        jitter = rng.integers(-1, 2, times.size)
        found.append((times, np.clip(place * channels + jitter, 0, channels - 1).astype(int)))
    return found, y


def ours(found, y, suffix=""):
    """Arrays of our own format."""
    start = np.concatenate([[0], np.cumsum([len(t) for t, _ in found])])
    times, channels = (np.concatenate([pair[k] for pair in found]) for k in range(2))
    arrays = {"times": times, "channels": channels, "offsets": start, "y": y}
    return {name + suffix: value for name, value in arrays.items()}


def shd_file(path, samples, seed):
    found, y = moving(samples, seed, channels=700, span=0.5)
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (samples,), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (samples,), h5py.vlen_dtype(np.uint16))
        for k, (t, c) in enumerate(found):
            times[k], units[k] = t.astype(np.float16), c.astype(np.uint16)
        file["labels"] = y.astype(np.uint16)
    return found, y


def shd_folder(folder, name="shd"):
    """Two files as SHD's; returns the training samples."""
    folder.mkdir()
    shd_file(folder / f"{name}_test.h5", 10, 1)
    return shd_file(folder / f"{name}_train.h5", 20, 0)


def nmnist_bytes(t, x, y, p):
    """Five bytes per event, with a mark (y = 240) each time the clock's 13 bits start again."""
    rows, turns = [], 0
    for event in zip(t, x, y, p, strict=True):
        while event[0] >= (turns + 1) << 13:
            rows.append((0, 240, 0, 0, 0))
            turns += 1
        rest = int(event[0]) - (turns << 13)
        rows.append((event[1], event[2], event[3] << 7 | rest >> 16, rest >> 8 & 255, rest & 255))
    return np.array(rows, np.uint8).tobytes()


def nmnist_folder(folder, digits=2, each=3):
    """A folder as N-MNIST's; returns its events by path."""
    rng, found = np.random.default_rng(0), {}
    for part in ("Train", "Test"):
        for digit in range(digits):
            for k in range(each):
                path = folder / part / str(digit) / f"{k:05d}.bin"
                path.parent.mkdir(parents=True, exist_ok=True)
                t = np.sort(rng.integers(0, 60_000, 30))
                x, y = rng.integers(0, 34, (2, 30))
                p = rng.integers(0, 2, 30)
                path.write_bytes(nmnist_bytes(t, x, y, p))
                found[path] = (t, x, y, p)
    return found


def gesture_folder(folder, classes=3):
    """A folder of DVS-Gesture as Tonic unpacks it: x, y, p and milliseconds in columns."""
    rng = np.random.default_rng(0)
    for part in ("ibmGestureTrain", "ibmGestureTest"):
        for user in ("user01_led", "user02_lab"):
            (folder / part / user).mkdir(parents=True)
            for label in range(classes):
                t = np.sort(rng.integers(100, 400, 50))
                events = np.stack([*rng.integers(0, 128, (2, 50)), rng.integers(0, 2, 50), t], 1)
                np.save(folder / part / user / f"{label}.npy", events.astype(float))
