// Networks whose matrix fits into the shared memory of a block: a few trials go through all steps
// without leaving it. One launch instead of one a step.
#include "common.cuh"
#include "step.cuh"

constexpr int SMALL_THREADS = 512;
// Trials of a block: the numbers of a quad.
constexpr int SMALL_ROWS = 4;

// A quad of each of four trials at a place of their rows.
__device__ inline Quad gather(const real* from, index stride) {
    return Quad{{from[0], from[stride], from[2 * stride], from[3 * stride]}};
}

__device__ inline void scatter(real* to, index stride, Quad quad) {
    for (int r = 0; r < SMALL_ROWS; r++) {
        to[r * stride] = quad.v[r];
    }
}

// The shared memory of a block: the matrix (terms × width), the trials' numbers at each term, sums.
// src/cuda/leaky.rs computes its size.
struct SmallBlock {
    int width;
    int groups;
    // This thread's column and its share of the terms; threads behind the last group have none.
    int column;
    int group;
    Quad* numbers;
    Quad* parts;
    real* matrix;

    __device__ SmallBlock(Quad* shared, int hidden, int terms) {
        width = round_up(hidden, TILE);
        groups = SMALL_THREADS / width;
        column = threadIdx.x % width;
        group = threadIdx.x / width;
        numbers = shared;
        parts = numbers + terms;
        matrix = reinterpret_cast<real*>(parts + groups * width);
    }

    __device__ void load_matrix(const real* from, int stride, int terms) {
        for (int i = threadIdx.x; i < terms * width; i += SMALL_THREADS) {
            matrix[i] = from[(index)(i / width) * stride + i % width];
        }
    }

    // The product of the numbers and the matrix, for group 0 in its column. All threads call it;
    // they have read the numbers when it returns.
    __device__ Quad product(int terms) {
        if (group < groups) {
            Quad sum = zeros();
            for (int k = group; k < terms; k += groups) {
                real m = matrix[k * width + column];
                Quad quad = numbers[k];
#pragma unroll
                for (int r = 0; r < SMALL_ROWS; r++) {
                    sum.v[r] = fma(quad.v[r], m, sum.v[r]);
                }
            }
            parts[group * width + column] = sum;
        }
        SYNC();
        Quad whole = zeros();
        if (group == 0) {
            for (int g = 0; g < groups; g++) {
                Quad part = parts[g * width + column];
                for (int r = 0; r < SMALL_ROWS; r++) {
                    whole.v[r] += part.v[r];
                }
            }
        }
        return whole;
    }
};

struct ForwardSmall {
    Shape shape;
    // h̃(0), whose steps follow; inputs and ones are there.
    real* h;
    // f(t) in slot t; null if the leak is part of M.
    real* f;
    const real* matrix;
    const real* alpha;
    const real* decay;
    int activation;
};

// Grid: rows / SMALL_ROWS.
KERNEL(SMALL_THREADS, forward_small, ForwardSmall) {
    const Shape& s = a.shape;
    DYNAMIC(Quad, shared);
    int terms = s.hidden + s.channels + 1;
    SmallBlock block(shared, s.hidden, terms);
    block.load_matrix(a.matrix, s.stride, terms);
    index first_row = (index)blockIdx.x * SMALL_ROWS;
    index step = (index)s.rows * s.stride;
    real* h = a.h + first_row * s.stride;
    for (int k = threadIdx.x; k < terms; k += SMALL_THREADS) {
        block.numbers[k] = gather(h + k, s.stride);
    }
    bool mine = block.group == 0 && block.column < s.hidden;
    real alpha = mine ? a.alpha[block.column] : (real)0;
    real decay = mine ? a.decay[block.column] : (real)0;
    SYNC();
    for (int t = 1; t <= s.steps; t++) {
        h += step;
        Quad sum = block.product(terms);
        if (mine) {
            Quad value;
            for (int r = 0; r < SMALL_ROWS; r++) {
                value.v[r] = phi(a.activation, sum.v[r]);
            }
            if (a.f) {
                scatter(a.f + t * step + first_row * s.stride + block.column, s.stride, value);
                Quad before = block.numbers[block.column];
                for (int r = 0; r < SMALL_ROWS; r++) {
                    value.v[r] = leak(before.v[r], value.v[r], alpha, decay);
                }
            }
            scatter(h + block.column, s.stride, value);
            block.numbers[block.column] = value;
        }
        // The next step's inputs.
        for (int extra = s.hidden + threadIdx.x; extra < terms; extra += SMALL_THREADS) {
            block.numbers[extra] = gather(h + extra, s.stride);
        }
        SYNC();
    }
}

struct BackwardSmall {
    Shape shape;
    // As in ForwardSmall.
    const real* h;
    const real* f;
    // e(1) …; e(steps) is there.
    real* errors;
    const real* matrix;
    // As in Backward.
    real* carry;
    real* tau_sums;
    const real* alpha;
    const real* decay;
    int activation;
    real underflow;
};

// From e(T) to e(1) where only the last step is read. Grid: rows / SMALL_ROWS.
KERNEL(SMALL_THREADS, backward_small, BackwardSmall) {
    const Shape& s = a.shape;
    DYNAMIC(Quad, shared);
    SmallBlock block(shared, s.hidden, s.hidden);
    block.load_matrix(a.matrix, s.stride, s.hidden);
    index row = (index)blockIdx.x * SMALL_ROWS * s.stride;
    index step = (index)s.rows * s.stride;
    bool mine = block.group == 0 && block.column < s.hidden;
    index at = row + block.column;
    for (int k = threadIdx.x; k < s.hidden; k += SMALL_THREADS) {
        block.numbers[k] = gather(a.errors + (s.steps - 1) * step + row + k, s.stride);
    }
    Quad carry = zeros(), tau_sums = zeros();
    real alpha = 0, decay = 0;
    if (mine && a.carry) {
        carry = gather(a.carry + at, s.stride);
        tau_sums = gather(a.tau_sums + at, s.stride);
        alpha = a.alpha[block.column];
        decay = a.decay[block.column];
    }
    SYNC();
    for (int t = s.steps - 1; t >= 1; t--) {
        Quad error = block.product(s.hidden);
        if (mine) {
            Quad value = gather((a.carry ? a.f : a.h) + t * step + at, s.stride);
            if (a.carry) {
                Quad before = gather(a.h + (t - 1) * step + at, s.stride);
                for (int r = 0; r < SMALL_ROWS; r++) {
                    error.v[r] = leak_back(error.v[r], before.v[r], value.v[r], alpha, decay,
                                           a.underflow, carry.v[r], tau_sums.v[r]);
                }
            }
            for (int r = 0; r < SMALL_ROWS; r++) {
                real e = error.v[r] * slope(a.activation, value.v[r]);
                error.v[r] = flush(e, a.underflow);
            }
            scatter(a.errors + (t - 1) * step + at, s.stride, error);
            block.numbers[block.column] = error;
        }
        SYNC();
    }
    if (mine && a.carry) {
        scatter(a.tau_sums + at, s.stride, tau_sums);
    }
}
