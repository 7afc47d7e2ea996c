"""The network in numpy: python forward.py compares it with the trajectory beside it."""
from pathlib import Path

import numpy as np

here = Path(__file__).parent
p = {k: a.astype(float) for k, a in np.load(here / "network.npz").items()}
tau = np.maximum(p["tau"], 1)  # effective tau, in steps
phi = {
    "leaky-relu": lambda s: np.where(s > 0, s, 0.01 * s),
    "relu": lambda s: np.maximum(s, 0),
    "tanh": np.tanh,
    "sigmoid": lambda s: 1 / (1 + np.exp(-s)),
}["ACTIVATION"]

def step(h, x):  # h: (trial, neuron), x: (trial, channel)
    u = h @ p["w_rec"].T + p["b_rec"] + x @ p["w_in"].T + p["b_in"]
    STEP

def run(h, inputs):  # inputs: (time, trial, channel); states: (time, trial, neuron)
    return np.array([h := step(h, x) for x in inputs])

def far(found, stored):  # largest difference, as a share of the largest number
    return np.abs(found - stored).max() / np.abs(stored).max()

if __name__ == "__main__":
    t = np.load(here / "trajectory.npz")
    states = run(t["initial"], t["inputs"])
    apart = [far(states, t["states"])]
    for k in range(int(p["heads"])):
        y = states[-1] @ p[f"readout.{k}.weight"].T + p[f"readout.{k}.bias"]
        apart.append(far(y, t[f"outputs.{k}"]))
    print(f"states {apart[0]:.1e}, outputs {max(apart[1:], default=0):.1e} off")
    assert max(apart) < 1e-6, "a different network or trajectory"
