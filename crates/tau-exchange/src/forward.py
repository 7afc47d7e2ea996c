"""The network in numpy: python forward.py compares it with the trajectory beside it."""
from pathlib import Path

import numpy as np

here = Path(__file__).parent
p = {k: a.astype(float) for k, a in np.load(here / "network.npz").items()}
cell, placement, activation = "CELL", "PLACEMENT", "ACTIVATION"
steps_per_unit = STEPS_PER_UNIT  # small steps in a step of the task; 1 unless the placement is continuous

def sigmoid(s):
    return 1 / (1 + np.exp(-s))

phi = {
    "leaky-relu": lambda s: np.where(s > 0, s, 0.01 * s),
    "relu": lambda s: np.maximum(s, 0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
}.get(activation)
tau = np.maximum(p["tau"], 1) * steps_per_unit  # effective tau, in small steps

def maps(h, x):  # recurrent and input map; of cells with gates, all gates side by side
    return h @ p["w_rec"].T + p["b_rec"], x @ p["w_in"].T + p["b_in"]

def leaky(h, x):
    u = sum(maps(h, x))
    if placement == "whole":
        return phi((1 - 1 / tau) * h + u / tau)
    return (1 - 1 / tau) * h + phi(u) / tau  # drive, continuous

def lstm(state, x):  # state: h of all neurons, then c
    h, c = np.split(state, 2, axis=1)
    i, f, g, o = np.split(sum(maps(h, x)), 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.hstack([sigmoid(o) * np.tanh(c), c])

def gru(h, x):
    (r, z, n), (r_x, z_x, n_x) = (np.split(u, 3, axis=1) for u in maps(h, x))
    r, z = sigmoid(r + r_x), sigmoid(z + z_x)
    return (1 - z) * np.tanh(n_x + r * n) + z * h

step = {"leaky": leaky, "lstm": lstm, "gru": gru}[cell]
neurons = p["w_rec"].shape[1]

def run(state, inputs):  # state: (trial, number), inputs: (time, trial, channel); h: (time, trial, neuron)
    return np.array([(state := step(state, x))[:, :neurons] for x in inputs])

def answer(h, k):  # head k at every step: (time, trial, output). A head with classes means the last one.
    return h @ p[f"readout.{k}.weight"].T + p[f"readout.{k}.bias"]

def far(found, stored):  # largest difference, as a share of the largest number
    return np.abs(found - stored).max() / np.abs(stored).max()

if __name__ == "__main__":
    t = np.load(here / "trajectory.npz")
    states = run(t["initial"], t["inputs"])
    apart = [far(states, t["states"])]
    for k in range(int(p["heads"])):
        apart.append(far(answer(states, k), t[f"outputs.{k}"]))
    print(f"states {apart[0]:.1e}, outputs {max(apart[1:], default=0):.1e} off")
    assert max(apart) < 1e-6, "a different network or trajectory"
