// From the sums of outer products to the gradient, in the flat order of the parameters.
#include "common.cuh"
#include "gates.cuh"
#include "random.cuh"

// Sums of `outer` (split, i, j), added in order.
struct Splits {
    const real* parts;
    int splits;
    index size;

    __device__ real operator()(index at) const {
        real sum = 0;
        for (int split = 0; split < splits; split++) {
            sum += parts[split * size + at];
        }
        return sum;
    }
};

struct CellGradient {
    Shape shape;
    // dM, element (to, from).
    Splits matrix;
    const real* params;
    // Flat, to be written.
    real* gradient;
    const real* alpha;
    // Σ δ (h(t−1) − f) of each trial and neuron; null if the leak is part of M.
    const real* tau_sums;
    int k;
    // Whether τ is trained.
    int trains_tau;
};

// One neuron's part. Grid: hidden.
KERNEL(THREADS, cell_gradient, CellGradient) {
    const Shape& s = a.shape;
    index to = blockIdx.x;
    Cell<const real> cell(a.params, s);
    Cell<real> gradient(a.gradient, s);
    double along = 0;
    for (int from = threadIdx.x; from <= s.hidden + s.channels; from += THREADS) {
        real dw = a.matrix(to * s.stride + from);
        if (!a.tau_sums) {
            dw *= a.alpha[to];
            // What dτ needs: −Σ_j W̃_ij dW̃_ij + dW_ii.
            along -= (double)extended(cell, s, to, from) * (double)dw;
            along += from == to ? (double)dw : 0.0;
        }
        if (from < s.hidden) {
            gradient.w_rec[to * s.hidden + from] = dw;
        } else if (from < s.hidden + s.channels) {
            gradient.w_in[to * s.channels + from - s.hidden] = dw;
        } else {
            gradient.b_rec[to] = dw;
            gradient.b_in[to] = dw;
        }
    }
    if (a.tau_sums) {
        for (int trial = threadIdx.x; trial < s.rows; trial += THREADS) {
            along += (double)a.tau_sums[trial * (index)s.stride + to];
        }
    }
    along = block_sum(along);
    if (threadIdx.x == 0) {
        double tau = (double)cell.tau[to];
        double scale = a.tau_sums ? tau * tau * a.k : tau;
        gradient.tau[to] = a.trains_tau && tau >= 1 ? (real)(along / scale) : (real)0;
    }
}

struct GateGradient {
    Shape shape;
    // dW̃, element (column, from).
    Splits matrix;
    // Flat, to be written.
    real* gradient;
    int cell;
    int unused;
};

// One column's part: each number of the gradient has one. Grid: COLUMNS hidden.
KERNEL(THREADS, gate_gradient, GateGradient) {
    const Shape& s = a.shape;
    Column of(a.cell, s, blockIdx.x);
    Cell<real> gradient = gated_cell(a.gradient, s, a.cell);
    index row = of.row;
    for (int from = threadIdx.x; from <= s.hidden + s.channels; from += THREADS) {
        real dw = a.matrix(blockIdx.x * (index)s.stride + from);
        int channel = from - s.hidden;
        if (of.recurrent && channel < 0) {
            gradient.w_rec[row * s.hidden + from] = dw;
        }
        if (of.input && channel >= 0 && channel < s.channels) {
            gradient.w_in[row * s.channels + channel] = dw;
        }
        if (of.recurrent && channel == s.channels) {
            gradient.b_rec[row] = dw;
        }
        if (of.input && channel == s.channels) {
            gradient.b_in[row] = dw;
        }
    }
}

struct ReadoutGradient {
    Shape shape;
    // Element (output, column of h̃).
    Splits matrix;
    const u64* weights;
    const u64* biases;
    real* gradient;
};

// Grid: (⌈(hidden + channels + 1) / THREADS⌉, outputs).
KERNEL(THREADS, readout_gradient, ReadoutGradient) {
    const Shape& s = a.shape;
    int j = blockIdx.x * THREADS + threadIdx.x, output = blockIdx.y;
    index at = (index)output * s.stride + j;
    if (j < s.hidden) {
        a.gradient[a.weights[output] + j] = a.matrix(at);
    } else if (j == s.hidden + s.channels) {
        a.gradient[a.biases[output]] = a.matrix(at);
    }
}
