# amaranth: UnusedElaboratable=no
"""Drivers in C and Python of the folder, on the simulated machine behind its bus."""

import subprocess
from dataclasses import replace

import pytest

from tests.hw.test_wrappers import simulate
from tests.support.networks import random_events, random_image
from triodia_hw.export.folder import export_folder
from triodia_hw.machine.image import save_image

BENCH = r"""
#include <stdint.h>
static uint32_t (*read32)(uint32_t);
static void (*write32)(uint32_t, uint32_t);
#define NET_READ32(base, offset) read32((uint32_t)(base) + (uint32_t)(offset))
#define NET_WRITE32(base, offset, value) write32((uint32_t)(base) + (uint32_t)(offset), value)
#include "net_driver.h"
void connect(uint32_t (*r)(uint32_t), void (*w)(uint32_t, uint32_t)) { read32 = r; write32 = w; }
void reset(void) { net_reset(0); }
void step(const int32_t *payload, int last, int32_t *value, uint8_t *spikes)
{
    net_step(0, payload, last, value, spikes);
}
unsigned classify(const int32_t *payload, unsigned steps)
{
    return net_classify(0, payload, steps);
}
void enable_irq(uint32_t bits) { net_enable_irq(0, bits); }
uint32_t pending_irq(void) { return net_pending_irq(0); }
void count(uint32_t *counts) { net_count(0, counts); }
void load(const uint8_t *blocks, uint32_t bytes) { net_load(0, blocks, bytes); }
"""
PLAIN = '#include "net_driver.h"\nint main(void) { net_reset(0x40000000u); return 0; }\n'
GCC = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Wno-unused-function"]
CASES = {
    "axi-lite": {"lanes": 2, "readouts": 3},
    "wishbone": {"lanes": 1, "readouts": 2, "state_bits": 24, "neurons": 9},
}


def other_image(image):
    """Another network for the same machine, with its readouts at the same places."""
    neurons = replace(image.neurons, threshold=image.neurons.threshold + 3)
    return replace(image, neurons=neurons, weight=-image.weight.clip(-127))


@pytest.mark.parametrize("interface", CASES)
def test_equal_the_reference(interface, tmp_path, monkeypatch):
    image = random_image(1, **CASES[interface])
    kit = tmp_path / "kit"
    export_folder(image, kit, interface, name="net")
    for name, text in (("bench.c", BENCH), ("plain.c", PLAIN)):
        (kit / name).write_text(text)
    subprocess.run([*GCC, "-c", "plain.c"], cwd=kit, check=True)
    subprocess.run([*GCC, "-shared", "-fPIC", "bench.c", "-o", "driver.so"], cwd=kit, check=True)
    monkeypatch.setenv("TRIODIA_KIT", str(kit))
    sequences = [random_events(image, 6, seed) for seed in (1, 2)]
    how = {
        "bench": "driver_bench",
        "interface": interface,
        "readouts": CASES[interface]["readouts"],
        "other": str(tmp_path / "other.image"),
    }
    save_image(other_image(image), tmp_path / "other.image")
    text = simulate(tmp_path, image, sequences, monkeypatch, **how)
    assert "PASS=1" in text
