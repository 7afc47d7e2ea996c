// Cells with gates: their matrix, a step forward, a step back. As for the leaky cell, a step is a
// product and what follows it; four neighbouring columns of the product are a neuron.
#include "common.cuh"
#include "gates.cuh"

struct PackGates {
    Shape shape;
    const real* params;
    // Element (from, column), all of h̃; rows gate_stride apart.
    real* forward;
    // Element (column, neuron).
    real* backward;
    int gate_stride;
    int cell;
};

// Grid: (stride / TILE, gate_stride / TILE), x over from, y over columns.
KERNEL(THREADS, pack_gates, PackGates) {
    const Shape& s = a.shape;
    Cell<const real> cell = gated_cell(a.params, s, a.cell);
    SHARED(real, tile, TILE * (TILE + 1));
    int lane = threadIdx.x % TILE, first = threadIdx.x / TILE;
    int from = blockIdx.x * TILE + lane;
    for (int part = first; part < TILE; part += THREADS / TILE) {
        int column = blockIdx.y * TILE + part;
        real w = 0;
        if (column < COLUMNS * s.hidden && from <= s.hidden + s.channels) {
            Column of(a.cell, s, column);
            if (from < s.hidden) {
                w = of.recurrent ? cell.w_rec[(index)of.row * s.hidden + from] : (real)0;
            } else if (from < s.hidden + s.channels) {
                w = of.input ? cell.w_in[(index)of.row * s.channels + from - s.hidden] : (real)0;
            } else {
                w = of.recurrent ? cell.b_rec[of.row] : (real)0;
                w += of.input ? cell.b_in[of.row] : (real)0;
            }
        }
        a.backward[(index)column * s.stride + from] = from < s.hidden ? w : (real)0;
        tile[lane * (TILE + 1) + part] = w;
    }
    SYNC();
    int column = blockIdx.y * TILE + lane;
    for (int part = first; part < TILE; part += THREADS / TILE) {
        index from = blockIdx.x * TILE + part;
        a.forward[from * a.gate_stride + column] = tile[part * (TILE + 1) + lane];
    }
}

struct ForwardGates {
    Shape shape;
    // h̃(t−1).
    const real* before;
    // h(t), to be written.
    real* after;
    // c(t−1), and c(t), to be written; null for a GRU.
    const real* memory;
    real* memory_after;
    // What is kept for the way back, rows gate_stride apart; null for nothing.
    real* gates;
    const real* matrix;
    int gate_stride;
    int cell;
};

// Grid: (⌈COLUMNS hidden / TILE⌉, rows / TILE).
KERNEL(THREADS, forward_gates, ForwardGates) {
    const Shape& s = a.shape;
    index first_row = (index)blockIdx.y * TILE;
    int first_column = blockIdx.x * TILE;
    int terms = round_up(s.hidden + s.channels + 1, TILE);
    SHARED(Quad, room, StepTile::ROOM);
    StepTile tile(room);
    tile.add(a.before + first_row * s.stride, s.stride, a.matrix + first_column, a.gate_stride,
             terms);
    Quad gates = tile.total();
    int column = first_column + threadIdx.x % 8 * 4;
    if (column >= COLUMNS * s.hidden) {
        return;
    }
    index row = first_row + threadIdx.x / 8;
    index at = row * s.stride + column / COLUMNS;
    if (a.cell == LSTM) {
        real c = a.memory[at];
        a.after[at] = lstm(gates, c);
        a.memory_after[at] = c;
    } else {
        a.after[at] = gru(gates, a.before[at]);
    }
    if (a.gates) {
        store(a.gates + row * a.gate_stride + column, gates);
    }
}

struct BackwardGates {
    Shape shape;
    // Errors of the columns at t + 1; null for the last step.
    const real* later;
    const real* matrix;
    Heads heads;
    // What was kept at t, to become the errors of the columns.
    real* gates;
    // h(t−1).
    const real* before;
    // c(t−1) and c(t); null for a GRU.
    const real* memory;
    const real* memory_after;
    // What comes from step t + 1 without a product, to become what goes to t − 1.
    real* carry;
    int gate_stride;
    int cell;
    real underflow;
};

// Grid: (⌈hidden / TILE⌉, rows / TILE).
KERNEL(THREADS, backward_gates, BackwardGates) {
    const Shape& s = a.shape;
    index first_row = (index)blockIdx.y * TILE;
    int first_column = blockIdx.x * TILE;
    SHARED(Quad, room, StepTile::ROOM);
    StepTile tile(room);
    if (a.later) {
        const real* later = a.later + first_row * a.gate_stride;
        int terms = round_up(COLUMNS * s.hidden, TILE);
        tile.add(later, a.gate_stride, a.matrix + first_column, s.stride, terms);
    }
    a.heads.add(tile, s, first_row, first_column);
    Quad sum = tile.total();
    int neuron = first_column + threadIdx.x % 8 * 4;
    index row = first_row + threadIdx.x / 8;
    for (int c = 0; c < 4 && neuron + c < s.hidden; c++) {
        index at = row * s.stride + neuron + c;
        real* place = a.gates + row * a.gate_stride + COLUMNS * (neuron + c);
        Quad gates = load(place);
        real carry = a.carry[at];
        gates = a.cell == LSTM ? lstm_back(gates, sum.v[c], a.memory[at], a.memory_after[at], carry,
                                           a.underflow)
                               : gru_back(gates, sum.v[c], a.before[at], carry, a.underflow);
        a.carry[at] = carry;
        store(place, gates);
    }
}
