"""The same work in PyTorch, numpy and scipy, for `cargo xtask bench` to time beside ours.

    pip install torch numpy scipy safetensors

Reads one JSON object a line and answers with one. Written as a careful user would write it: what
does not depend on the state is done once for all steps.

    {"do": "load", "file": ..., "slope": ..., "learning_rate": ..., "momentum": ..., "clip": ...}
                                        a few updates in each mode; the faster one is kept
    {"do": "update", "count": ..., "warm_up": ...}
                                        seconds of that many updates, from the loaded weights on,
                                        after others that take warm_up seconds
    {"do": "simulate", "file": ..., "slope": ..., "burn_in": ...}    seconds of the simulation
    {"do": "tau_net", "lags": ...}      seconds of tau_net of that activity

The threads of torch and of numpy are those of OMP_NUM_THREADS and its like.
"""

import json
import sys
import time

import numpy as np
import torch
from safetensors.numpy import load_file


class Update:
    """Training of one network on one batch."""

    def __init__(self, request):
        self.request = request
        arrays = {k: torch.from_numpy(values) for k, values in load_file(request["file"]).items()}
        self.inputs, self.labels = arrays.pop("inputs"), arrays.pop("labels").long()
        self.initial = torch.zeros(self.inputs.shape[1], len(arrays["tau"]))
        self.p = {name: values.clone().requires_grad_() for name, values in arrays.items()}
        self.optimiser = torch.optim.SGD(
            self.p.values(),
            lr=request["learning_rate"],
            momentum=request["momentum"],
            nesterov=True,
        )

    def loss(self):
        p = self.p
        decay = 1 - 1 / p["tau"].clamp(min=1.0)
        gain = 1 / p["tau"].clamp(min=1.0)
        drive = self.inputs @ p["w_in"].T + (p["b_in"] + p["b_rec"])
        h, w = self.initial, p["w_rec"].T
        for u in drive:
            s = decay * h + gain * (u + h @ w)
            h = torch.nn.functional.leaky_relu(s, self.request["slope"])
        y = h @ p["readout.0.weight"].T + p["readout.0.bias"]
        return torch.nn.functional.cross_entropy(y, self.labels)

    def update(self):
        with torch.no_grad():
            self.p["w_rec"].fill_diagonal_(0)
        self.optimiser.zero_grad()
        loss = self.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.p.values(), self.request["clip"])
        self.optimiser.step()
        return loss.item()


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def load(request):
    took = {}
    for flush in (True, False):
        torch.set_flush_denormal(flush)
        trained = Update(request)
        loss = trained.update()
        took[flush] = min(seconds(trained.update) for _ in range(2))
    flush = took[True] <= took[False]
    torch.set_flush_denormal(flush)
    mode = "flush-denormal" if flush else "default"
    return {"loss": loss, "peer": f"pytorch {torch.__version__}, {mode}"}


def simulate(request):
    """Activity (trial, step, neuron) of a network that is driven."""
    p = load_file(request["file"])
    slope = np.float32(request["slope"])
    gain = 1 / np.maximum(p["tau"], 1)
    w, bias = (p["w_rec"] * gain[:, None]).T.copy(), gain * (p["b_rec"] + p["b_in"])
    w_in, decay = gain[:, None] * p["w_in"], 1 - gain
    steps, trials, _ = p["inputs"].shape
    activity = np.empty((steps - request["burn_in"], trials, len(gain)), np.float32)
    h = np.zeros((trials, len(gain)), np.float32)
    for t in range(steps):
        s = decay * h + h @ w + p["inputs"][t] @ w_in.T + bias
        h = np.where(s > 0, s, slope * s)
        if t >= request["burn_in"]:
            activity[t - request["burn_in"]] = h
    return activity


def tau_net(activity, lags):
    """The published way: autocorrelation by FFT over all activity, two bounded fits, AIC."""
    from scipy.optimize import curve_fit

    steps, trials, units = activity.shape
    size = 1 << (2 * steps - 1).bit_length()
    found = np.zeros((lags + 1, units))
    for trial in range(trials):
        x = activity[:, trial].astype(np.float64)
        x -= x.mean(axis=0)
        f = np.fft.rfft(x, size, axis=0)
        r = np.fft.irfft(f * f.conj(), size, axis=0)[: lags + 1]
        found += r / (steps - np.arange(lags + 1))[:, None] / trials
    k = np.arange(lags + 1)

    def one(k, a, tau):
        return a * np.exp(-k / tau)

    def two(k, a, c, tau_1, tau_2):
        return a * (c * np.exp(-k / tau_1) + (1 - c) * np.exp(-k / tau_2))

    taus = []
    for unit in range(units):
        if found[0, unit] <= 0:
            taus.append(np.nan)
            continue
        y = found[:, unit] / found[0, unit]
        best = (np.inf, np.nan)
        for model, start, top in ((one, (1, 5), (1, 100)), (two, (1, 0.5, 5, 50), (1, 1, 100, 100))):
            try:
                fit, _ = curve_fit(model, k, y, start, bounds=(0, top), maxfev=2000)
            except RuntimeError:
                continue
            rest = np.sum((y - model(k, *fit)) ** 2)
            aic = 2 * len(fit) + len(k) * np.log(max(rest, 1e-300) / len(k))
            best = min(best, (aic, max(fit[1:] if model is one else fit[2:])))
        taus.append(best[1])
    return taus


def main():
    loaded = activity = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "load":
            loaded, answer = request, load(request)
        elif request["do"] == "update":
            trained, start = Update(loaded), time.perf_counter()
            while time.perf_counter() - start < request["warm_up"]:
                trained.update()
            trained = Update(loaded)
            trained.update()
            took = seconds(lambda: [trained.update() for _ in range(request["count"])])
            answer = {"seconds": took}
        elif request["do"] == "simulate":
            start = time.perf_counter()
            activity = simulate(request)
            answer = {"seconds": time.perf_counter() - start, "mean": float(activity.mean())}
        else:
            start = time.perf_counter()
            taus = tau_net(activity, request["lags"])
            answer = {"seconds": time.perf_counter() - start, "median": float(np.nanmedian(taus))}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
