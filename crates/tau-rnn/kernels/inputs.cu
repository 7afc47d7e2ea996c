// What a batch shows: inputs and ones behind the neurons, states before the first step.
#include "common.cuh"
#include "random.cuh"

struct ShowGiven {
    Shape shape;
    // (time, trial, channel), from the first step on that is shown.
    const float* inputs;
    // Rows of activity; slot t gets the input of step t + 1.
    real* h;
};

// Steps + 1 slots, the last without an input. Grid: ⌈(steps + 1) rows / THREADS⌉.
KERNEL(THREADS, show_given, ShowGiven) {
    const Shape& s = a.shape;
    index row = (index)blockIdx.x * THREADS + threadIdx.x;
    index t = row / s.rows, trial = row % s.rows;
    if (t > s.steps) {
        return;
    }
    real* extra = a.h + row * s.stride + s.hidden;
    bool shown = trial < s.trials && t < s.steps;
    for (int c = 0; c < s.channels; c++) {
        extra[c] = shown ? (real)a.inputs[(t * s.trials + trial) * s.channels + c] : (real)0;
    }
    // Not in padded rows: without bias and input they stay where they are and cannot overflow.
    extra[s.channels] = trial < s.trials ? 1 : 0;
}

struct Start {
    Shape shape;
    // (trial, neuron), rows `given_stride` apart; null for drawn states.
    const real* given;
    int given_stride;
    // h(0) = scale · U[0, 1), number trial · hidden + neuron of the stream.
    real scale;
    Key key;
    real* h;
};

// Grid: ⌈rows stride / THREADS⌉.
KERNEL(THREADS, start, Start) {
    const Shape& s = a.shape;
    index at = (index)blockIdx.x * THREADS + threadIdx.x;
    index trial = at / s.stride, neuron = at % s.stride;
    if (trial >= s.rows || neuron >= s.hidden) {
        return;
    }
    real value = 0;
    if (trial < s.trials && a.given) {
        value = a.given[trial * a.given_stride + neuron];
    } else if (trial < s.trials && a.scale != 0) {
        value = a.scale * (real)unit(a.key, trial * s.hidden + neuron);
    }
    a.h[at] = value;
}

struct Collect {
    Shape shape;
    // Rows of activity from the first step on.
    const real* h;
    // (time, trial, neuron).
    real* to;
};

// The states without their padding. Grid: ⌈steps trials hidden / THREADS⌉.
KERNEL(THREADS, collect, Collect) {
    const Shape& s = a.shape;
    index at = (index)blockIdx.x * THREADS + threadIdx.x;
    index neuron = at % s.hidden, row = at / s.hidden;
    index trial = row % s.trials, t = row / s.trials;
    if (t < s.steps) {
        a.to[at] = a.h[(t * s.rows + trial) * s.stride + neuron];
    }
}
