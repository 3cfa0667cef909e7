"""Where torch computes. No machine of ours has a GPU: the meta device stands in for one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.commands import call, ok
from triodia.network.random import new_network
from triodia.tasks.catalog import get_task
from triodia.train import device as accelerator
from triodia.train.attach import attach
from triodia.train.augment import augment
from triodia.train.device import find_device
from triodia.train.model import SpikingModel
from triodia.train.settings import Settings
from triodia_hw.errors import MissingTool, TriodiaError

DIGITS = get_task("digits")


def test_names(monkeypatch):
    monkeypatch.setattr(accelerator.torch.cuda, "is_available", lambda: False)
    assert find_device("cpu") == find_device("auto") == torch.device("cpu")
    with pytest.raises(MissingTool, match=r"^device cuda needs a GPU .* use --device cpu$"):
        find_device("cuda")
    with pytest.raises(TriodiaError, match=r"^device must be one of cpu, auto, cuda, not 'tpu'$"):
        find_device("tpu")
    monkeypatch.setattr(accelerator.torch.cuda, "is_available", lambda: True)
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto") == find_device("cuda") == torch.device("cuda")


ADAPTS = {"tau_adapt": np.full(16, 9.0), "jump": np.full(16, 0.3)}


@pytest.mark.parametrize(
    "change", [{}, {"tau_syn": np.full(16, 3.0)}, {"refractory": [1] * 16}, ADAPTS]
)
def test_nothing_stays_behind_on_the_cpu(change):
    """Torch refuses an operation on tensors of two devices, the meta device's too."""
    net = attach(new_network(16, 0), DIGITS, DIGITS.load().subset(60, 20), 0, Settings())
    model = SpikingModel(replace(net, **change)).to("meta")
    x, lengths = torch.zeros(5, 8, 8, device="meta"), torch.full((5,), 8, device="meta")
    x, lengths = augment(x, lengths, noise=0.1, warp=0.1, shift=0.1)
    trace = model(x, lengths, 0.1)
    trace.v_out.sum().backward()
    assert {t.device.type for t in (*trace, model.w_rec.grad, model.w_in.grad)} == {"meta"}
    with pytest.raises(RuntimeError, match="device"):
        model(torch.zeros(5, 8, 8), lengths)


def test_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(accelerator.torch.cuda, "is_available", lambda: False)
    net, out = tmp_path / "n.net", tmp_path / "t.net"
    ok(capsys, "new", "-o", net, "--neurons", 8)
    for command in (["train", net, "-o", out], ["study", "lnp"]):
        code, _, err = call(capsys, *command, "--device", "cuda")
        assert code == 3 and "use --device cpu" in err and not out.exists()
    done = ok(
        capsys, "train", net, "-o", out, "--task", "digits", "--epochs", 1, "--device", "auto"
    )
    assert done["device"] == "cpu" and done["epochs"] == 1
