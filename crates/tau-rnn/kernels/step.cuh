// What follows the product of a step.
#pragma once
#include "common.cuh"
#include "smooth.cuh"

// As Activation in src/leaky.rs is numbered in src/cuda/parts.rs.
constexpr int LEAKY_RELU = 0, RELU = 1, TANH = 2;

__device__ inline real phi(int which, real s) {
    if (which == LEAKY_RELU) {
        return s > 0 ? s : (real)0.01 * s;
    }
    if (which == RELU) {
        // Not s > 0: a NaN must stay one.
        return s <= 0 ? (real)0 : s;
    }
    return which == TANH ? smooth_tanh(s) : smooth_sigmoid(s);
}

// φ' as a function of φ's value.
__device__ inline real slope(int which, real value) {
    if (which == LEAKY_RELU) {
        return value > 0 ? (real)1 : (real)0.01;
    }
    if (which == RELU) {
        return value > 0 ? (real)1 : (real)0;
    }
    return which == TANH ? 1 - value * value : value * (1 - value);
}

// What the heads send back to a step.
struct Heads {
    // dL/dy(t), rows output_stride apart; null for a step that is not read.
    const real* errors;
    // Readout weights, element (output, neuron).
    const real* readout;
    int output_stride;
    // Outputs, rounded up to a multiple of TILE.
    int output_terms;

    __device__ void add(StepTile& tile, const Shape& s, index first_row, int first_column) const {
        if (errors) {
            const real* rows = errors + first_row * output_stride;
            tile.add(rows, output_stride, readout + first_column, s.stride, output_terms);
        }
    }
};

// h(t) of h(t−1) and f where the leak is not part of M.
__device__ inline real leak(real before, real f, real alpha, real decay) {
    return decay * before + alpha * f;
}

// Errors below `underflow` are 0 (Real::UNDERFLOW).
__device__ inline real flush(real e, real underflow) {
    return fabs(e) < underflow ? (real)0 : e;
}

// dL/df of what comes back to h(t), where the leak is not part of M; `carry` is (1 − a) δ(t+1) and
// becomes (1 − a) δ(t), `tau_sum` is Σ δ (h(t−1) − f).
__device__ inline real leak_back(real sum, real before, real f, real alpha, real decay,
                                 real underflow, real& carry, real& tau_sum) {
    real delta = flush(sum + carry, underflow);
    carry = decay * delta;
    tau_sum += delta * (before - f);
    return alpha * delta;
}
