// One step of the cell, forward and back: a product and what follows it (src/cpu/leaky).
#include "common.cuh"
#include "step.cuh"

struct Forward {
    Shape shape;
    // h̃(t−1).
    const real* before;
    // h(t), to be written.
    real* after;
    // f(t), to be written; null if the leak is part of M.
    real* f;
    const real* matrix;
    const real* alpha;
    const real* decay;
    int activation;
};

// Grid: (⌈hidden / TILE⌉, rows / TILE).
KERNEL(THREADS, forward, Forward) {
    const Shape& s = a.shape;
    index first_row = (index)blockIdx.y * TILE;
    int first_column = blockIdx.x * TILE;
    int terms = round_up(s.hidden + s.channels + 1, TILE);
    SHARED(Quad, room, StepTile::ROOM);
    StepTile tile(room);
    tile.add(a.before + first_row * s.stride, s.stride, a.matrix + first_column, s.stride, terms);
    Quad sum = tile.total();
    int column = first_column + threadIdx.x % 8 * 4;
    index at = (first_row + threadIdx.x / 8) * s.stride + column;
    for (int c = 0; c < 4 && column + c < s.hidden; c++) {
        real value = phi(a.activation, sum.v[c]);
        if (a.f) {
            a.f[at + c] = value;
            value = leak(a.before[at + c], value, a.alpha[column + c], a.decay[column + c]);
        }
        a.after[at + c] = value;
    }
}

struct Backward {
    Shape shape;
    // e(t+1); null for the last step.
    const real* later;
    const real* matrix;
    Heads heads;
    // φ's value at t: h(t), or f(t).
    const real* value;
    // e(t), to be written.
    real* error;
    // h(t−1).
    const real* before;
    // (1 − a) δ(t+1), to become (1 − a) δ(t); null if the leak is part of M, and so is the next.
    real* carry;
    // Σ δ (h(t−1) − f) of each trial and neuron.
    real* tau_sums;
    const real* alpha;
    const real* decay;
    int activation;
    real underflow;
};

// Grid as forward's.
KERNEL(THREADS, backward, Backward) {
    const Shape& s = a.shape;
    index first_row = (index)blockIdx.y * TILE;
    int first_column = blockIdx.x * TILE;
    SHARED(Quad, room, StepTile::ROOM);
    StepTile tile(room);
    if (a.later) {
        const real* later = a.later + first_row * s.stride;
        tile.add(later, s.stride, a.matrix + first_column, s.stride, round_up(s.hidden, TILE));
    }
    a.heads.add(tile, s, first_row, first_column);
    Quad sum = tile.total();
    int column = first_column + threadIdx.x % 8 * 4;
    index at = (first_row + threadIdx.x / 8) * s.stride + column;
    for (int c = 0; c < 4 && column + c < s.hidden; c++) {
        real value = a.value[at + c];
        real delta = sum.v[c];
        if (a.carry) {
            delta = leak_back(delta, a.before[at + c], value, a.alpha[column + c],
                              a.decay[column + c], a.underflow, a.carry[at + c],
                              a.tau_sums[at + c]);
        }
        a.error[at + c] = flush(delta * slope(a.activation, value), a.underflow);
    }
}
