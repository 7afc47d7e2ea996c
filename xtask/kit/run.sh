#!/usr/bin/env bash
# Everything that waits for a GPU: ./run.sh [FOLDER FOR RESULTS], then send that folder back.
# Needs Linux on x86-64 with glibc 2.35, an NVIDIA driver (525 or later); for the comparison Python with torch, numpy, scipy,
# safetensors (PYTHON=... names it); for the checkers compute-sanitizer.
set -u
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:-results}"
python="${PYTHON:-python3}"
mkdir -p "$out"
export TAU_COMMIT="$(cat "$here/commit")"
failed=0

# A step: its name, then the command. What it says goes to a file of that name.
step() {
    local name="$1"
    shift
    echo "== $name: $*"
    if timeout 1200 "$@" >"$out/$name.txt" 2>&1; then
        echo "   ok"
    else
        echo "   FAILED (exit code $?): see $out/$name.txt"
        failed=1
    fi
}

step machine nvidia-smi
step doctor "$here/tau" doctor --device cuda --full
# Expected: expected.txt, what the same program found on a processor.
step training "$here/tau" doctor --device cuda --training --neurons 500 --n 30
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck synccheck initcheck; do
        step "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 "$here/tau" doctor --device cuda
    done
else
    echo "== no compute-sanitizer: its four checks are left out"
fi
step bench-alone "$here/tau-bench" --device cuda --what update --seconds 1 --json "$out/cuda-alone.json"
if "$python" -c "import torch, numpy, scipy, safetensors; assert torch.cuda.is_available()"; then
    # The rest of the sizes: the same without --hidden, --n and --weights, about an hour.
    step bench "$here/tau-bench" --device cuda --what update --against pytorch --python "$python" \
        --peers "$here" --seconds 1 --hidden 100,500 --n 5,30 --weights trained --json "$out/cuda.json"
else
    echo "== $python has no torch for this GPU: no comparison"
fi
exit "$failed"
