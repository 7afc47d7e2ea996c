// Cells with gates: what a neuron does in a step (src/cpu/gated has the maths).
//
// A neuron has four columns, whatever its cell, so that a quad holds all of it. LSTM: i, f, g, o.
// GRU: r, z, and n in two parts, as r multiplies one of them: p = W_n h + b_n, and what the input gives.
// There its fourth row of W is zero.
#pragma once
#include "common.cuh"
#include "smooth.cuh"
#include "step.cuh"

// As Cell in src/cell.rs is numbered in src/cuda/parts.rs.
constexpr int LSTM = 0, GRU = 1;
constexpr int COLUMNS = 4;

// Which row of the parameters a column is, and which parts of it.
struct Column {
    int row;
    bool recurrent, input;

    __device__ Column(int cell, const Shape& s, int column) {
        int gate = column % COLUMNS;
        bool half = cell == GRU && gate >= 2;
        row = (half ? 2 : gate) * s.hidden + column / COLUMNS;
        recurrent = !half || gate == 2;
        input = !half || gate == 3;
    }
};

// The parameters of a cell with gates: no time constants, a row for each gate of each neuron.
template <typename T>
__device__ inline Cell<T> gated_cell(T* flat, const Shape& s, int cell) {
    return Cell<T>(flat, s, 0, (cell == GRU ? 3 : 4) * s.hidden);
}

// h(t). The arguments of the gates become what is kept: i, f, g, o; c(t−1) becomes c(t).
__device__ inline real lstm(Quad& gates, real& c) {
    real i = smooth_sigmoid(gates.v[0]), f = smooth_sigmoid(gates.v[1]);
    real g = smooth_tanh(gates.v[2]), o = smooth_sigmoid(gates.v[3]);
    c = fma(f, c, i * g);
    gates = Quad{{i, f, g, o}};
    return o * smooth_tanh(c);
}

// The same: r, z, p, n.
__device__ inline real gru(Quad& gates, real before) {
    real r = smooth_sigmoid(gates.v[0]), z = smooth_sigmoid(gates.v[1]), p = gates.v[2];
    real n = smooth_tanh(fma(r, p, gates.v[3]));
    gates = Quad{{r, z, p, n}};
    return fma(z, before, (1 - z) * n);
}

// The errors of the four columns, of dL/dh(t) but for the carry, and what was kept. `carry` comes from
// step t + 1 without a product and becomes what goes to step t − 1.
__device__ inline Quad lstm_back(Quad gates, real delta, real before, real now, real& carry,
                                 real underflow) {
    real i = gates.v[0], f = gates.v[1], g = gates.v[2], o = gates.v[3], c = smooth_tanh(now);
    real dc = delta * o * (1 - c * c) + carry;
    carry = flush(dc * f, underflow);
    return Quad{{
        flush(dc * g * i * (1 - i), underflow),
        flush(dc * before * f * (1 - f), underflow),
        flush(dc * i * (1 - g * g), underflow),
        flush(delta * c * o * (1 - o), underflow),
    }};
}

// The same, with h(t−1) as `before`.
__device__ inline Quad gru_back(Quad gates, real delta, real before, real& carry, real underflow) {
    real r = gates.v[0], z = gates.v[1], p = gates.v[2], n = gates.v[3];
    delta += carry;
    carry = flush(delta * z, underflow);
    real dn = delta * (1 - z) * (1 - n * n);
    return Quad{{
        flush(dn * p * r * (1 - r), underflow),
        flush(delta * (before - n) * z * (1 - z), underflow),
        flush(dn * r, underflow),
        flush(dn, underflow),
    }};
}
