#!/usr/bin/env bash
# Everything that waits for a GPU: ./run.sh [FOLDER FOR RESULTS], see README.txt.
set -u
case "${1:-}" in
-h | --help)
    cat "$(dirname "$0")/README.txt"
    exit 0
    ;;
esac
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:-results}"
python="${PYTHON:-python3}"
device="${DEVICE:-cuda}"
mkdir -p "$out"
: >"$out/summary.txt"
ok=0
failed=0
missing=0

say() {
    echo "$1" | tee -a "$out/summary.txt"
}

# A step: minutes it may take, its name, then the command. What it says goes to a file of that name.
step() {
    local minutes="$1" name="$2" code
    shift 2
    echo "== $name (at most $minutes minutes): $*"
    timeout "$((minutes * 60))" "$@" >"$out/$name.txt" 2>&1
    code=$?
    case $code in
    0)
        ok=$((ok + 1))
        say "$name: ok"
        return 0
        ;;
    124) say "$name: FAILED, it took more than $minutes minutes" ;;
    *) say "$name: FAILED (exit code $code): $(tail -n 1 "$out/$name.txt")" ;;
    esac
    failed=$((failed + 1))
    return 1
}

# A step that cannot be done here.
left_out() {
    missing=$((missing + 1))
    say "$1: LEFT OUT, $2"
}

if command -v nvidia-smi >/dev/null; then
    step 1 machine nvidia-smi
else
    left_out machine "there is no nvidia-smi"
fi
if step 20 doctor "$here/tau" doctor --device "$device" --full --random-from 1; then
    step 20 exact "$here/tau-bench" --device "$device" --what exact
    step 30 training "$here/tau" doctor --device "$device" --training --neurons 500 --n 30
    if command -v compute-sanitizer >/dev/null; then
        for tool in memcheck racecheck synccheck initcheck; do
            step 20 "$tool" compute-sanitizer --tool "$tool" --error-exitcode 1 \
                "$here/tau" doctor --device "$device"
        done
    else
        left_out "memcheck, racecheck, synccheck, initcheck" "there is no compute-sanitizer"
    fi
    step 20 bench-alone "$here/tau-bench" --device "$device" --what update --hidden 100,500 \
        --n 5,30,100 --seconds 1 --json "$out/cuda-alone.json"
    if "$python" -c "import torch, numpy, scipy, safetensors; assert torch.cuda.is_available(), 'torch sees no GPU'" \
        >"$out/python.txt" 2>&1; then
        step 60 bench "$here/tau-bench" --device "$device" --what update --against pytorch \
            --python "$python" --peers "$here" --seconds 1 --hidden 100,500 --n 5,30 \
            --weights trained --json "$out/cuda.json"
    else
        left_out bench "$python: $(tail -n 1 "$out/python.txt")"
    fi
else
    left_out "everything else" "the doctor must be well first"
fi
say "$ok ok, $failed failed, $missing left out"
if [ "$failed" -gt 0 ]; then exit 1; fi
if [ "$missing" -gt 0 ]; then exit 4; fi
