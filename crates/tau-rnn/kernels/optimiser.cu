// Clipping, SGD with Nesterov momentum, Adam; whether the update may be applied at all.
#include "common.cuh"
#include "random.cuh"

// One array of the parameters.
struct Segment {
    // One behind its last number.
    u64 end;
    // Whether it has a gradient.
    int active;
    // Updates that it took part in.
    int steps;
    // Adam's rate at this update, and what the root of the mean square is divided by.
    double rate;
    double root;
};

// What the host reads now and then.
struct State {
    // Of the updates since it was last read.
    double loss;
    u64 losses;
    // Updates that were applied.
    u64 updates;
    // 0, or why no update is applied any more: 1 loss, 2 gradient norm, 3 step.
    int diverged;
    int unused;
    double value;
    // Of the gradient, at this update.
    double scale;
};

// Which array a number belongs to.
__device__ inline int segment_of(const Segment* segments, int count, u64 at) {
    int low = 0, high = count - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (at < segments[middle].end) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

struct Squares {
    const real* gradient;
    u64 count;
    const Segment* segments;
    int n_segments;
    // One of each block.
    double* sums;
};

// Grid: any.
KERNEL(THREADS, squares, Squares) {
    double sum = 0;
    for (u64 at = (u64)blockIdx.x * THREADS + threadIdx.x; at < a.count;
         at += (u64)gridDim.x * THREADS) {
        if (a.segments[segment_of(a.segments, a.n_segments, at)].active) {
            double g = (double)a.gradient[at];
            sum += g * g;
        }
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        a.sums[blockIdx.x] = sum;
    }
}

// An optimiser's numbers: Optimiser in src/optim.rs.
struct Rule {
    int adam;
    // Whether Adam has Keras's form (AdamForm).
    int keras;
    double rate, momentum;
    double beta1, beta2, epsilon, decay;
    // 0 for none.
    double clip_norm;
    // Largest change of a number per unit of the clipped norm (SGD), or in all (Adam).
    double reach;
    double largest_step;
};

struct Judge {
    Rule rule;
    const double* squares;
    int n_squares;
    int n_losses;
    const double* losses;
    // From sums to means.
    double loss_scale;
    Segment* segments;
    State* state;
    int n_segments;
    int unused;
};

__device__ inline bool is_finite(double x) {
    return x - x == 0;
}

// Grid: 1.
KERNEL(THREADS, judge, Judge) {
    double norm = 0, loss = 0;
    for (int i = threadIdx.x; i < a.n_squares; i += THREADS) {
        norm += a.squares[i];
    }
    for (int i = threadIdx.x; i < a.n_losses; i += THREADS) {
        loss += a.losses[i];
    }
    norm = sqrt(block_sum(norm));
    loss = block_sum(loss) * a.loss_scale;
    double clip = a.rule.clip_norm;
    double clipped = clip > 0 && clip < norm ? clip : norm;
    double reach = a.rule.adam ? a.rule.reach : a.rule.reach * clipped;
    bool before = a.state->diverged != 0;
    int why = !is_finite(loss) ? 1 : !is_finite(norm) ? 2 : !(reach <= a.rule.largest_step) ? 3 : 0;
    // All have read the state before anyone changes it.
    SYNC();
    if (before) {
        return;
    }
    if (why) {
        if (threadIdx.x == 0) {
            a.state->diverged = why;
            a.state->value = why == 1 ? loss : why == 2 ? norm : reach;
        }
        return;
    }
    for (int i = threadIdx.x; i < a.n_segments; i += THREADS) {
        Segment& segment = a.segments[i];
        if (segment.active) {
            double count = segment.steps + 1.0;
            double rate = a.rule.rate / (1 + a.rule.decay * segment.steps);
            double root = sqrt(1 - pow(a.rule.beta2, count));
            rate = rate / (1 - pow(a.rule.beta1, count));
            segment.rate = a.rule.keras ? rate * root : rate;
            segment.root = a.rule.keras ? 1 : root;
            segment.steps++;
        }
    }
    if (threadIdx.x == 0) {
        double scale = clip / (norm + 1e-6);
        a.state->scale = clip > 0 && scale < 1 ? scale : 1;
        a.state->loss += loss;
        a.state->losses++;
        a.state->updates++;
    }
}

struct Step {
    Rule rule;
    real* params;
    const real* gradient;
    // Momentum, or Adam's mean gradient.
    real* mean;
    // Adam's mean squared gradient.
    real* square;
    const Segment* segments;
    const State* state;
    u64 count;
    int n_segments;
    int hidden;
    int self_connections;
    int unused;
};

// Grid: ⌈count / THREADS⌉.
KERNEL(THREADS, step, Step) {
    u64 at = (u64)blockIdx.x * THREADS + threadIdx.x;
    if (at >= a.count || a.state->diverged) {
        return;
    }
    const Segment& segment = a.segments[segment_of(a.segments, a.n_segments, at)];
    if (!segment.active) {
        return;
    }
    real g = a.gradient[at] * (real)a.state->scale;
    real theta = a.params[at];
    if (a.rule.adam) {
        real beta1 = (real)a.rule.beta1, beta2 = (real)a.rule.beta2;
        real mean = a.mean[at] + (1 - beta1) * (g - a.mean[at]);
        real square = beta2 * a.square[at] + (1 - beta2) * g * g;
        theta -= (real)segment.rate * mean / (sqrt(square) / (real)segment.root + (real)a.rule.epsilon);
        a.mean[at] = mean;
        a.square[at] = square;
    } else {
        real momentum = (real)a.rule.momentum;
        real mean = momentum * a.mean[at] + g;
        theta -= (real)a.rule.rate * (g + momentum * mean);
        a.mean[at] = mean;
    }
    // W's diagonal, behind the time constants.
    u64 w = at - a.hidden, size = (u64)a.hidden * a.hidden;
    bool diagonal = at >= (u64)a.hidden && w < size && w / a.hidden == w % a.hidden;
    a.params[at] = diagonal && !a.self_connections ? (real)0 : theta;
}
