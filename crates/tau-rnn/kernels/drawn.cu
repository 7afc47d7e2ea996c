// Random bits and what is asked of them, drawn on the device: the same numbers as on the host
// (crates/tau-random: Draws has the layout of a stream, Bits the law, BitRule the question).
#include "common.cuh"
#include "random.cuh"

struct Bits {
    Key key;
    // Whether a 1 has probability 1/2; else each trial has its own, uniform in [0, 1).
    int fair;
};

// Where a trial's blocks of the stream begin.
__device__ inline u32 region(u32 trial) {
    return (trial + 1) << 18;
}

// Words below it are ones.
__device__ inline u32 limit(const Bits& bits, u32 trial) {
    return bits.fair ? 1u << 31 : block(bits.key, region(trial)).v[0];
}

// Words 4 i … 4 i + 3 of the trial.
__device__ inline Words words(const Bits& bits, u32 trial, u32 i) {
    return block(bits.key, region(trial) + 1 + i);
}

struct ShowDrawn {
    Shape shape;
    Bits bits;
    // Input of a 0 and of a 1.
    float values[2];
    // The first step that is shown, a multiple of 4.
    int first;
    // Rows of activity; slot t gets the input of step first + t + 1.
    real* h;
};

// As show_given; a thread does four steps of a trial. Grid: ⌈⌈(steps + 1) / 4⌉ rows / THREADS⌉.
KERNEL(THREADS, show_drawn, ShowDrawn) {
    const Shape& s = a.shape;
    index i = (index)blockIdx.x * THREADS + threadIdx.x;
    index trial = i % s.rows, quad = i / s.rows;
    if (4 * quad > s.steps) {
        return;
    }
    bool is_trial = trial < s.trials;
    u32 below = is_trial ? limit(a.bits, (u32)trial) : 0;
    Words drawn = words(a.bits, (u32)trial, (u32)(a.first / 4 + quad));
    for (int part = 0; part < 4; part++) {
        index t = 4 * quad + part;
        if (t <= s.steps) {
            bool shown = is_trial && t < s.steps;
            real* extra = a.h + (t * s.rows + trial) * s.stride + s.hidden;
            extra[0] = shown ? (real)(drawn.v[part] < below ? a.values[1] : a.values[0]) : (real)0;
            extra[1] = is_trial ? 1 : 0;
        }
    }
}

// As BitRule of tau-random is numbered in src/cuda/parts.rs.
constexpr int PARITY = 0;

struct LabelDrawn {
    Shape shape;
    Bits bits;
    // N of each head.
    const int* memory;
    int heads;
    int rule;
    // (trial, head).
    unsigned char* labels;
};

__device__ inline int bit(const LabelDrawn& a, u32 trial, u32 below, int t) {
    return words(a.bits, trial, (u32)t / 4).v[t % 4] < below;
}

// Grid: ⌈trials heads / THREADS⌉.
KERNEL(THREADS, label_drawn, LabelDrawn) {
    int i = blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.shape.trials * a.heads) {
        return;
    }
    u32 trial = (u32)(i / a.heads);
    u32 below = limit(a.bits, trial);
    int steps = a.shape.steps, n = a.memory[i % a.heads];
    int label;
    if (a.rule == PARITY) {
        label = 0;
        for (int t = steps - n; t < steps; t++) {
            label ^= bit(a, trial, below, t);
        }
    } else {
        label = bit(a, trial, below, steps - n) == bit(a, trial, below, steps - 1);
    }
    a.labels[i] = (unsigned char)label;
}
