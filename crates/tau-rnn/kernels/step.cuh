// What follows the product of a step.
#pragma once
#include "common.cuh"

// As Activation in src/config.rs is numbered in src/cuda/arguments.rs.
constexpr int LEAKY_RELU = 0, RELU = 1, TANH = 2;

__device__ inline real phi(int which, real s) {
    if (which == LEAKY_RELU) {
        return s > 0 ? s : (real)0.01 * s;
    }
    if (which == RELU) {
        // Not s > 0: a NaN must stay one.
        return s <= 0 ? (real)0 : s;
    }
    return which == TANH ? tanh(s) : 1 / (1 + exp(-s));
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

// Errors below `underflow` are 0 (Real::UNDERFLOW).
__device__ inline real flush(real e, real underflow) {
    return fabs(e) < underflow ? (real)0 : e;
}
