"""Opens what a run leaves behind, as an analyst would: open_files.py RUN EXPORTED [torch].

With `torch`, PyTorch must be there; without, it is used if it is.
"""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import load_file

run, exported = map(Path, sys.argv[1:3])
metrics = pd.read_csv(run / "metrics.csv")
assert list(metrics.columns) == [
    "epoch", "head", "label", "n", "test_loss", "accuracy", "training_loss", "solved", "milestones",
    "wall_s",
], list(metrics.columns)
assert metrics.accuracy.between(0, 1).all() and metrics.solved.dtype == bool
assert metrics.epoch.is_monotonic_increasing

status = json.loads((run / "status.json").read_text())
assert status["format"] == 1, status
assert status["epochs"] == metrics.epoch.max(), status
manifest = json.loads((run / "manifest.json").read_text())
assert manifest["threads"] >= 1 and manifest["wall_s"] == status["wall_s"], manifest
assert {"spec.toml", "metrics.csv", "latest.safetensors"} <= manifest["files"].keys(), manifest

reached = " ".join(metrics.milestones.dropna()).split()
n = max(int(name[1:]) for name in reached if name.startswith("N"))
assert reached[-1] == "final" and (run / "checkpoints" / "final.safetensors").exists()
checkpoint = run / "checkpoints" / f"N{n:03}.safetensors"
network = load_file(checkpoint)
hidden = network["tau"].size
assert network["w_rec"].shape == (hidden, hidden) and (np.diag(network["w_rec"]) == 0).all()
with safe_open(checkpoint, framework="numpy") as file:
    header = json.loads(file.metadata()["tau_rnn"])
assert header["config"]["hidden_size"] == hidden
assert max(json.loads(header["metadata"]["task"])["n"]) == n

latest = load_file(run / "latest.safetensors")
assert latest["momentum.w_rec"].shape == (hidden, hidden)

arrays = np.load(exported / "network.npz")
assert all((arrays[name] == values).all() for name, values in load_file(exported / "network.safetensors").items())
assert (arrays["w_rec"] == network["w_rec"]).all()
print(subprocess.run([sys.executable, "forward.py"], cwd=exported, check=True, text=True,
                     capture_output=True).stdout.strip())

try:
    import torch
    from safetensors.torch import load_file as load_torch
except ImportError:
    if "torch" in sys.argv[3:]:
        raise
    print("opened with pandas, numpy, safetensors (torch is not installed: not tried)")
else:
    tensors = load_torch(exported / "network.safetensors")
    recurrent = torch.nn.Linear(hidden, hidden)
    recurrent.load_state_dict({"weight": tensors["w_rec"], "bias": tensors["b_rec"]})
    x = torch.ones(1, hidden)
    assert torch.allclose(recurrent(x), x @ tensors["w_rec"].T + tensors["b_rec"])
    print("opened with pandas, numpy, safetensors, torch")
