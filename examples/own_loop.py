"""A training loop of your own: any loss, optimiser and data loader, then a file for quantize.

python own_loop.py          # writes own_loop.net
triodia quantize own_loop.net -o own_loop.image --data own_loop.npz
"""

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from triodia.nn import SpikingModel, new_network, save_network, with_inputs

torch.manual_seed(0)
rng = np.random.default_rng(0)

# Two classes: does the bump come on the first channel or on the second?
y = rng.integers(0, 2, 200)
x = rng.normal(0, 0.3, (200, 30, 2)).astype(np.float32)
for sample, label in zip(x, y, strict=True):
    start = rng.integers(0, 20)
    sample[start : start + 10, label] += 1
np.savez("own_loop.npz", x=x[:150], y=y[:150], x_test=x[150:], y_test=y[150:])

net = with_inputs(new_network(64, seed=0, density=0.2), x[:150], classes=2)
model = SpikingModel(net)
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
samples = TensorDataset(torch.tensor(net.scale_input(x[:150])), torch.tensor(y[:150]))

for epoch in range(15):
    losses = []
    for inputs, labels in DataLoader(samples, batch_size=25, shuffle=True):
        trace = model(inputs, torch.full((len(inputs),), 30))
        scores = trace.v_out.mean(1)
        loss = torch.nn.functional.cross_entropy(scores, labels)
        loss = loss + 0.1 * (trace.spikes.mean() - 0.05).abs()  # a second loss: few spikes
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}")

save_network(model.network(), "own_loop.net")
