// Heads: outputs, losses, and dL/dy in the place of the outputs.
#include "common.cuh"
#include "random.cuh"

struct PackReadouts {
    Shape shape;
    const real* params;
    // Where the weights and the bias of each output stand in the parameters.
    const u64* weights;
    const u64* biases;
    int outputs;
    int output_stride;
    // Element (column of h̃, output), the bias in the column of the one.
    real* forward;
    // Element (output, neuron).
    real* backward;
};

// Grid: (stride / THREADS rounded up, output_stride).
KERNEL(THREADS, pack_readouts, PackReadouts) {
    const Shape& s = a.shape;
    int j = blockIdx.x * THREADS + threadIdx.x, output = blockIdx.y;
    if (j >= s.stride) {
        return;
    }
    real weight = 0, all = 0;
    if (output < a.outputs && j < s.hidden) {
        all = weight = a.params[a.weights[output] + j];
    } else if (output < a.outputs && j == s.hidden + s.channels) {
        all = a.params[a.biases[output]];
    }
    a.forward[(index)j * a.output_stride + output] = all;
    a.backward[(index)output * s.stride + j] = weight;
}

struct Outputs {
    Shape shape;
    // Rows of activity.
    const real* h;
    const real* matrix;
    int output_stride;
    // Rows output_stride apart, to be written.
    real* y;
};

// Grid: (all rows / TILE, output_stride / TILE): there may be many rows.
KERNEL(THREADS, outputs, Outputs) {
    const Shape& s = a.shape;
    index first_row = (index)blockIdx.x * TILE;
    int first_column = blockIdx.y * TILE;
    int terms = round_up(s.hidden + s.channels + 1, TILE);
    SHARED(Quad, room, StepTile::ROOM);
    StepTile tile(room);
    tile.add(a.h + first_row * s.stride, s.stride, a.matrix + first_column, a.output_stride, terms);
    Quad sum = tile.total();
    index row = first_row + threadIdx.x / 8;
    store(a.y + row * a.output_stride + first_column + threadIdx.x % 8 * 4, sum);
}

struct Score {
    Shape shape;
    real* y;
    int output_stride;
    // Classes: (trial, position of the head).
    const unsigned char* labels;
    // First output of each position, and one behind the last.
    const int* first;
    // Values: (time, trial, output), and their weights (time, trial); null if all are 1.
    const float* values;
    const float* weights;
    int outputs;
    // From the sum of losses to the loss.
    double share;
    // Sum over trials, of each position (classes) or step (values).
    double* losses;
    // Right answers of each position.
    double* hits;
};

// Cross-entropy of the last state. Grid: positions.
KERNEL(THREADS, score_classes, Score) {
    const Shape& s = a.shape;
    int position = blockIdx.x;
    int first = a.first[position], count = a.first[position + 1] - first;
    double loss = 0, hits = 0;
    for (int trial = threadIdx.x; trial < s.rows; trial += THREADS) {
        real* y = a.y + (index)trial * a.output_stride + first;
        if (trial >= s.trials) {
            for (int k = 0; k < count; k++) {
                y[k] = 0;
            }
            continue;
        }
        int label = a.labels[(index)trial * gridDim.x + position];
        int largest = 0;
        for (int k = 1; k < count; k++) {
            largest = y[k] > y[largest] ? k : largest;
        }
        real shift = y[largest], chosen = y[label] - shift, sum = 0;
        for (int k = 0; k < count; k++) {
            y[k] = exp(y[k] - shift);
            sum += y[k];
        }
        real weight = (real)a.share;
        for (int k = 0; k < count; k++) {
            y[k] = (y[k] / sum - (k == label ? (real)1 : (real)0)) * weight;
        }
        loss += (double)(log(sum) - chosen);
        hits += largest == label;
    }
    loss = block_sum(loss);
    hits = block_sum(hits);
    if (threadIdx.x == 0) {
        a.losses[position] = loss;
        a.hits[position] = hits;
    }
}

// Squared error of every step. Grid: steps.
KERNEL(THREADS, score_values, Score) {
    const Shape& s = a.shape;
    index t = blockIdx.x;
    double loss = 0;
    for (int at = threadIdx.x; at < s.rows * a.outputs; at += THREADS) {
        index trial = at / a.outputs, k = at % a.outputs;
        index row = t * s.trials + trial;
        real& y = a.y[(t * s.rows + trial) * a.output_stride + k];
        double weight = trial >= s.trials ? 0 : a.weights ? (double)a.weights[row] : 1;
        // Padding, or nothing is asked: the value may be anything.
        if (weight == 0) {
            y = 0;
            continue;
        }
        real error = y - (real)a.values[row * a.outputs + k];
        loss += weight * (double)(error * error);
        y = 2 * error * (real)(weight * a.share);
    }
    loss = block_sum(loss);
    if (threadIdx.x == 0) {
        a.losses[t] = loss;
    }
}
