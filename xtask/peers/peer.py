"""The same work in PyTorch, numpy and scipy, for `cargo xtask bench` to time beside ours.

    pip install torch numpy scipy safetensors

Reads one JSON object a line and answers with one. Written as a careful user would write it: what
does not depend on the state is done once for all steps.

    {"do": "load", "file": ..., "slope": ..., "learning_rate": ..., "momentum": ..., "clip": ...,
     "device": ..., "mode": ..., "tf32": ...}
                                        a few updates, with the leak in the matrix or beside it,
                                        on the CPU with subnormal numbers or without; the fastest
                                        way is kept; the loss before and after FIVE updates
    {"do": "update", "count": ..., "warm_up": ...}
                                        seconds of that many updates, from the loaded weights on,
                                        after others that take warm_up seconds
    {"do": "simulate", "file": ..., "slope": ..., "burn_in": ...}    seconds of the simulation
    {"do": "tau_net", "lags": ...}      seconds of tau_net of that activity

Modes: eager; graph (a CUDA graph of the whole update); compile (torch.compile); rnn, lstm, gru (cuDNN's
cells of that size, which compute something else: a yardstick).

The threads of torch and of numpy are those of OMP_NUM_THREADS and its like.
"""

import json
import sys
import time

import numpy as np
import torch
from safetensors.numpy import load_file


LIBRARY = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


class Update:
    """Training of one network on one batch."""

    def __init__(self, request):
        self.request = request
        device = request["device"]
        arrays = load_file(request["file"])
        arrays = {k: torch.from_numpy(values).to(device) for k, values in arrays.items()}
        self.inputs, self.labels = arrays.pop("inputs"), arrays.pop("labels").long()
        hidden = len(arrays["tau"])
        self.initial = torch.zeros(self.inputs.shape[1], hidden, device=device)
        self.p = {name: values.clone().requires_grad_() for name, values in arrays.items()}
        self.trained, self.loss = list(self.p.values()), self.published
        if request["mode"] in LIBRARY:
            self.cell = LIBRARY[request["mode"]](self.inputs.shape[2], hidden).to(device)
            self.head = torch.nn.Linear(hidden, 2).to(device)
            self.trained = [*self.cell.parameters(), *self.head.parameters()]
            self.loss = self.library
        elif request["mode"] == "compile":
            self.loss = torch.compile(self.published, dynamic=False)
        self.optimiser = torch.optim.SGD(
            self.trained,
            lr=request["learning_rate"],
            momentum=request["momentum"],
            nesterov=True,
        )
        self.graph = None
        if request["mode"] == "graph":
            self.capture()

    def capture(self):
        """Records the whole update, which is then replayed on the same memory."""
        before = [values.detach().clone() for values in self.trained]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.eager()
        torch.cuda.current_stream().wait_stream(side)
        # So that the recorded update makes them in the graph's own memory.
        self.optimiser.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.result = self.eager()
        with torch.no_grad():
            for values, old in zip(self.trained, before):
                values.copy_(old)
        for state in self.optimiser.state.values():
            state["momentum_buffer"].zero_()
        self.graph = graph

    def library(self):
        states, _ = self.cell(self.inputs)
        return torch.nn.functional.cross_entropy(self.head(states[-1]), self.labels)

    def published(self):
        p = self.p
        gain = 1 / p["tau"].clamp(min=1.0)
        drive = gain * (self.inputs @ p["w_in"].T + (p["b_in"] + p["b_rec"]))
        h, w = self.initial, p["w_rec"].T * gain
        if self.request["folded"]:
            w = w + torch.diag(1 - gain)
            for u in drive:
                h = torch.nn.functional.leaky_relu(torch.addmm(u, h, w), self.request["slope"])
        else:
            for u in drive:
                s = torch.addmm(u, h, w) + (1 - gain) * h
                h = torch.nn.functional.leaky_relu(s, self.request["slope"])
        y = h @ p["readout.0.weight"].T + p["readout.0.bias"]
        return torch.nn.functional.cross_entropy(y, self.labels)

    def eager(self):
        if self.request["mode"] not in LIBRARY:
            with torch.no_grad():
                self.p["w_rec"].fill_diagonal_(0)
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, self.request["clip"])
        self.optimiser.step()
        return loss

    def update(self):
        """One update; the loss as a tensor: on a GPU nobody waits for it."""
        if self.graph is None:
            return self.eager()
        self.graph.replay()
        return self.result


def seconds(work):
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


FIVE = 5


def load(request):
    """Tries every way of writing the same update and settles on the fastest."""
    torch.backends.cuda.matmul.allow_tf32 = request["tf32"]
    torch.backends.cudnn.allow_tf32 = request["tf32"]
    on_cpu = request["device"] == "cpu"
    if not on_cpu:
        torch.cuda.set_device(request["device"])
    # Each size is compiled for itself; what was compiled before counts against a limit.
    torch._dynamo.reset()
    took = {}
    # Flushing first: threads that start later take it over.
    for flush in (True, False) if on_cpu else (False,):
        torch.set_flush_denormal(flush)
        for folded in (False,) if request["mode"] in LIBRARY else (False, True):
            trained = Update(request | {"folded": folded})
            trained.update().item()
            once = seconds(trained.update)
            several = lambda: [trained.update() for _ in range(FIVE)]
            # Of a long update the first look is enough.
            looks = [once] if once > 0.05 else [seconds(several) / FIVE for _ in range(2)]
            took[flush, folded] = min(looks)
    flush, folded = min(took, key=took.get)
    torch.set_flush_denormal(flush)
    request["folded"] = folded
    trained = Update(request)
    losses = [trained.update().item() for _ in range(FIVE + 1)]
    way = ["leak in the matrix"] if folded else []
    if on_cpu:
        where = torch.backends.mkl.is_available() and "MKL" or "no MKL"
        way += ["flush-denormal"] if flush else []
    else:
        where = torch.cuda.get_device_name(request["device"])
        way += [request["mode"]] + (["TF32"] if request["tf32"] else [])
    peer = ", ".join([f"pytorch {torch.__version__}", where, *way])
    return {"loss": losses[0], "loss_after": losses[-1], "peer": peer}


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
            if loaded["device"] != "cpu":
                torch.cuda.synchronize()
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
