"""Trains small networks in PyTorch and writes what happened, for `tests/parity.rs` to reproduce.

    python3 -m venv venv
    venv/bin/pip install torch==2.8.0 numpy==2.4.6 safetensors==0.8.0
    venv/bin/python make_fixtures.py [CASE ...]

Only needed to change the fixtures: the files beside this script are committed. The networks are
trained in float64 on the CPU with one thread. Every number that PyTorch is given comes from
`numbers` below, so a second run gives the same files up to the rounding of PyTorch's sums.

The leaky cell, its placements and the training are those of Khajehabdollahi et al. (ICLR 2024); see
crates/tau-rnn. The gated cells are PyTorch's own modules, with inputs of -1 and 1 for the bits. (Their
fixtures were made with torch 2.15; those of the others, with 2.8, were left as they are: name the
cases that are to be made.) Each `{case}.safetensors` holds

    initial.{name}     float32   parameters before the first update; names as in `Params::tensors`;
                                 no numbers for the tau of a gated cell
    final.{name}       float64   parameters after the last one, W's diagonal zeroed if it must be
    loss               float64   (update) loss of each update, before it
    batch.{k}.inputs   uint8     (time, trial, channel) bits; update u sees batch u mod (number of k)
    batch.{k}.initial  float32   (trial, neuron) h(0); absent when it is zero
    batch.{k}.labels   uint8     (trial, head)
    batch.{k}.targets  float32   (time, trial, output), in place of labels for a series

What a case is trained with (optimiser, placement, when a head starts) is written here in `CASES`
and in `tests/parity.rs`: if they differ, the test fails.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file


@dataclass
class Case:
    name: str
    hidden: int = 24
    channels: int = 1
    heads: int = 4
    # The last head takes no part before this update: it has no gradient.
    late_head_from: int = 0
    # torch.nn.LSTM or torch.nn.GRU in place of the leaky cell.
    cell: str | None = None
    drive: bool = False
    activation: str = "leaky_relu"
    fixed_tau: float | None = None
    self_connections: bool = False
    series: bool = False
    updates: int = 200
    batches: int = 20
    adam: float | None = None
    decay: float = 0.0


CASES = [
    Case("sgd_whole", late_head_from=100),
    Case("sgd_drive", hidden=32, heads=3, late_head_from=100, drive=True),
    Case("sgd_tanh", hidden=20, heads=2, activation="tanh"),
    Case("adam_late_head", heads=3, late_head_from=25, updates=50, adam=0.01),
    Case(
        "adam_series",
        hidden=20,
        channels=2,
        heads=1,
        drive=True,
        activation="tanh",
        fixed_tau=2.5,
        self_connections=True,
        series=True,
        updates=100,
        batches=10,
        adam=0.003,
        decay=0.02,
    ),
    # The paper's training of gated networks.
    Case("adam_lstm", cell="LSTM", hidden=12, heads=3, late_head_from=30, updates=100, batches=10, adam=1e-3),
    Case("adam_gru", cell="GRU", hidden=14, heads=3, late_head_from=30, updates=100, batches=10, adam=1e-3),
]
GATES = {"LSTM": 4, "GRU": 3}
OUTPUTS = 2


def numbers(seed, *shape):
    """Numbers in [0, 1), multiples of 2^-24: the upper bits of SplitMix64 (Steele et al. 2014)."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) * np.uint64(1 << 32) + np.arange(1, count + 1, dtype=np.uint64)
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)).reshape(shape)


def initial_params(case, seed):
    """The paper's laws, with W doubled so that 200 updates go through rich dynamics."""

    def uniform(offset, bound, *shape):
        return (np.float32(bound) * (2 * numbers(seed + offset, *shape) - 1)).astype(np.float32)

    hidden = case.hidden
    narrow = 1 / np.sqrt(hidden)
    if case.cell:
        # Three times PyTorch's law: gates that open and close.
        rows = GATES[case.cell] * hidden
        params = {
            "tau": np.zeros(0, np.float32),
            "w_rec": 3 * uniform(1, narrow, rows, hidden),
            "b_rec": 3 * uniform(2, narrow, rows),
            "w_in": 3 * uniform(3, narrow, rows, case.channels),
            "b_in": 3 * uniform(4, narrow, rows),
        }
        return params | initial_heads(case, seed)
    tau = 1 + numbers(seed, hidden)
    # At the bound (where the gradient still passes), just above it, below it from the start.
    tau[:6] = [1.0, 1.0009765625, 1.001953125, 1.00390625, 1.0078125, 0.75]
    if case.fixed_tau:
        tau[:] = case.fixed_tau
    params = {
        "tau": tau,
        "w_rec": 2 * uniform(1, narrow, hidden, hidden),
        "b_rec": uniform(2, narrow, hidden),
        "w_in": uniform(3, 1 / np.sqrt(case.channels), hidden, case.channels),
        "b_in": uniform(4, 1 / np.sqrt(case.channels), hidden),
    }
    return params | initial_heads(case, seed)


def initial_heads(case, seed):
    # Gated states are small: heads that hear them give gradients of which some are clipped.
    bound = np.float32((8 if case.cell else 1) / np.sqrt(case.hidden))

    def uniform(offset, *shape):
        return (bound * (2 * numbers(seed + offset, *shape) - 1)).astype(np.float32)

    heads = {}
    for head in range(case.heads):
        heads[f"readout.{head}.weight"] = uniform(5 + 2 * head, OUTPUTS, case.hidden)
        heads[f"readout.{head}.bias"] = uniform(6 + 2 * head, OUTPUTS)
    return heads


def make_batch(case, k, seed):
    """Bits with one probability for each trial; lengths and numbers of trials change with k."""
    steps, trials = 7 + (11 * k) % 15, [40, 33, 16, 32, 7][k % 5]
    chance = numbers(seed, 1, trials, 1)
    bits = (numbers(seed + 1, steps, trials, case.channels) < chance).astype(np.uint8)
    batch = {"inputs": bits}
    if case.series:
        # Running parity of the first channel, and the product of both one step ago.
        targets = np.zeros((steps, trials, OUTPUTS), np.float32)
        targets[:, :, 0] = np.cumsum(bits[:, :, 0], axis=0) % 2
        targets[1:, :, 1] = bits[:-1].prod(axis=2)
        batch["targets"] = targets
    else:
        memory = range(2, 2 + case.heads)
        parity = [bits[steps - n :, :, 0].sum(axis=0) % 2 for n in memory]
        batch["labels"] = np.stack(parity, axis=1).astype(np.uint8)
        if not case.cell:
            batch["initial"] = np.float32(0.1) * numbers(seed + 2, trials, case.hidden)
    return batch


def forward(case, params, batch):
    """Every state h(1) ... h(T)."""
    inputs = torch.tensor(batch["inputs"], dtype=torch.float64)
    if case.cell:
        module = getattr(torch.nn, case.cell)(case.channels, case.hidden, dtype=torch.float64)
        names = {"w_in": "weight_ih", "w_rec": "weight_hh", "b_in": "bias_ih", "b_rec": "bias_hh"}
        weights = {f"{theirs}_l0": params[ours] for ours, theirs in names.items()}
        # Without an initial state it is zero.
        states, _ = torch.func.functional_call(module, weights, (2 * inputs - 1,))
        return states
    trials = inputs.shape[1]
    if "initial" in batch:
        h = torch.tensor(batch["initial"], dtype=torch.float64)
    else:
        h = torch.zeros(trials, case.hidden, dtype=torch.float64)
    phi = getattr(torch.nn.functional, case.activation)
    a = 1 / torch.clamp(params["tau"], min=1.0)
    states = []
    for x in inputs:
        u = h @ params["w_rec"].T + params["b_rec"] + x @ params["w_in"].T + params["b_in"]
        h = (1 - a) * h + a * phi(u) if case.drive else phi((1 - a) * h + a * u)
        states.append(h)
    return torch.stack(states)


def loss_of(case, params, batch, active):
    states = forward(case, params, batch)

    def read(head, h):
        return h @ params[f"readout.{head}.weight"].T + params[f"readout.{head}.bias"]

    if case.series:
        targets = torch.tensor(batch["targets"], dtype=torch.float64)
        return torch.nn.functional.mse_loss(read(0, states), targets)
    labels = torch.tensor(batch["labels"], dtype=torch.int64)
    losses = [
        torch.nn.functional.cross_entropy(read(head, states[-1]), labels[:, head])
        for head in range(active)
    ]
    return sum(losses)


def train(case, params, batches):
    trained = [p for p in params.values() if p.requires_grad]
    if case.adam:
        optimiser = torch.optim.Adam(trained, lr=case.adam)
    else:
        optimiser = torch.optim.SGD(trained, lr=0.05, momentum=0.1, nesterov=True)
    curve, norms = [], []
    for update in range(case.updates):
        constrain(case, params)
        active = case.heads - (update < case.late_head_from)
        loss = loss_of(case, params, batches[update % len(batches)], active)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(trained, 2.0).item())
        if case.adam:
            optimiser.param_groups[0]["lr"] = case.adam / (1 + case.decay * update)
        optimiser.step()
        curve.append(loss.item())
    constrain(case, params)
    return np.array(curve), np.array(norms)


def constrain(case, params):
    if not case.self_connections and not case.cell:
        params["w_rec"].data.fill_diagonal_(0.0)


def make(case, seed, folder):
    initial = initial_params(case, seed)
    params = {name: torch.tensor(x, dtype=torch.float64) for name, x in initial.items()}
    for name, tensor in params.items():
        tensor.requires_grad_(name != "tau" or (case.fixed_tau is None and not case.cell))
    batches = [make_batch(case, k, seed + 100 + 3 * k) for k in range(case.batches)]
    loss, norms = train(case, params, batches)
    tau = params["tau"].detach().numpy()
    fell = int(((initial["tau"] >= 1) & (tau < 1)).sum())
    print(
        f"{case.name}: loss {loss[:10].mean():.4f} -> {loss[-10:].mean():.4f}, "
        f"clipped {int((norms > 2).sum())} of {len(norms)} (largest {norms.max():.2f}), tau below 1: {fell} fell"
    )
    if case.cell:
        assert 0 < (norms > 2).sum() < len(norms)
    if not case.adam:
        # What the fixtures are for must happen in them.
        assert fell > 0 and 0 < (norms > 2).sum() < len(norms)
    arrays = {"loss": loss}
    arrays |= {f"initial.{name}": x for name, x in initial.items()}
    arrays |= {f"final.{name}": x.detach().numpy() for name, x in params.items()}
    for k, batch in enumerate(batches):
        arrays |= {f"batch.{k}.{name}": x for name, x in batch.items()}
    arrays = {name: np.ascontiguousarray(x) for name, x in arrays.items()}
    save_file(arrays, folder / f"{case.name}.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for index, case in enumerate(CASES):
        if sys.argv[1:] and case.name not in sys.argv[1:]:
            continue
        make(case, 1000 * (index + 1), Path(__file__).parent)
