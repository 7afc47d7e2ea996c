// What every kernel shares: the number type, shapes, the register tile.
//
// The sources need no header and are compiled twice, with REAL as float and as double. A kernel
// takes one structure of arguments by value, whose twin stands in src/cuda/arguments.rs. Blocks talk
// to each other only from one launch to the next and nothing is added atomically: equal calls give
// equal bits.
//
// Rows of activity are h̃ = (h, x, 1), padded with zeros to `stride` (a multiple of TILE_ALL);
// trials are padded to `rows` (a multiple of TILE). So products need no bounds.
#pragma once

#ifdef __CUDACC__
// The emulator of tests/emulator has its own.
#define KERNEL(threads, name, Arguments) \
    extern "C" __global__ void __launch_bounds__(threads, 512 / threads) name(const Arguments a)
#define SHARED(type, name, count) __shared__ type name[count]
// The memory whose size the launch says.
#define DYNAMIC(type, name)                             \
    extern __shared__ __align__(16) char dynamic_shared[]; \
    type* name = reinterpret_cast<type*>(dynamic_shared)
#define SYNC() __syncthreads()
#endif

typedef REAL real;
// A place in memory.
typedef long long index;

// Side of the tile of a product in the time loop, and the multiple that rows are padded to.
constexpr int TILE = 32;
// The same of an outer product; strides are padded to it.
constexpr int TILE_ALL = 64;
// Threads of every block but those of small.cu.
constexpr int THREADS = 256;

struct Shape {
    int hidden;
    int channels;
    int stride;
    int trials;
    int rows;
    int steps;
};

// Four neighbours, moved as one or two 16-byte words.
struct alignas(16) Quad {
    real v[4];
};

__device__ inline Quad zeros() {
    return Quad{{0, 0, 0, 0}};
}

__device__ inline Quad load(const real* from) {
    return *reinterpret_cast<const Quad*>(from);
}

__device__ inline void store(real* to, Quad quad) {
    *reinterpret_cast<Quad*>(to) = quad;
}

__device__ inline int round_up(int value, int multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// Where the arrays of the cell stand in the flat parameters (Params::tensors).
template <typename T>
struct Cell {
    T *tau, *w_rec, *b_rec, *w_in, *b_in;

    __device__ Cell(T* flat, const Shape& s) : Cell(flat, s, s.hidden, s.hidden) {}

    __device__ Cell(T* flat, const Shape& s, int time_constants, index rows) {
        tau = flat;
        w_rec = tau + time_constants;
        b_rec = w_rec + rows * s.hidden;
        w_in = b_rec + rows;
        b_in = w_in + rows * s.channels;
    }
};

// W̃ = (W, w_in, b).
__device__ inline real extended(const Cell<const real>& cell, const Shape& s, int to, int from) {
    if (from < s.hidden) {
        return cell.w_rec[(index)to * s.hidden + from];
    }
    if (from < s.hidden + s.channels) {
        return cell.w_in[(index)to * s.channels + from - s.hidden];
    }
    return cell.b_rec[to] + cell.b_in[to];
}

// A sum over the block, in the order of a tree: the same bits on every run. All threads call it.
__device__ inline double block_sum(double value) {
    SHARED(double, sums, THREADS);
    int i = threadIdx.x;
    sums[i] = value;
    for (int half = THREADS / 2; half > 0; half /= 2) {
        SYNC();
        if (i < half) {
            sums[i] += sums[i + half];
        }
    }
    SYNC();
    double sum = sums[0];
    SYNC();
    return sum;
}

// The product of a step: a tile of 32 × 32 by 256 threads. Four groups of 64 threads share the
// terms, each thread has 4 rows (8 apart) × 4 columns; their sums are added in order at the end.
struct StepTile {
    static constexpr int GROUPS = 4;
    // In quads; rows of `a` begin on different banks.
    static constexpr int A_STRIDE = TILE / 4 + 1, B_STRIDE = TILE / 4;
    // Quads of shared memory that it needs: the summands of `total` stand where the tiles stood.
    static constexpr int ROOM = GROUPS * TILE * B_STRIDE;
    Quad* room;
    Quad sum[4];

    __device__ explicit StepTile(Quad* room) : room(room) {
        for (int i = 0; i < 4; i++) {
            sum[i] = zeros();
        }
    }

    // Adds rows of `a` (each `terms` long, a multiple of TILE) times columns of `b` (k-major).
    __device__ void add(const real* a, int a_stride, const real* b, int b_stride, int terms) {
        Quad *a_tile = room, *b_tile = room + TILE * A_STRIDE;
        int i = threadIdx.x;
        int load_row = i / 8, load_quad = i % 8;
        int group = i / 64, row = i % 64 / 8, quad = i % 8;
        const real* a_next = a + (index)load_row * a_stride + 4 * load_quad;
        const real* b_next = b + (index)load_row * b_stride + 4 * load_quad;
        Quad a_quad = load(a_next), b_quad = load(b_next);
        for (int done = 0; done < terms; done += TILE) {
            a_tile[load_row * A_STRIDE + load_quad] = a_quad;
            b_tile[load_row * B_STRIDE + load_quad] = b_quad;
            SYNC();
            if (done + TILE < terms) {
                a_next += TILE;
                b_next += (index)TILE * b_stride;
                a_quad = load(a_next);
                b_quad = load(b_next);
            }
#pragma unroll
            for (int part = 0; part < 2; part++) {
                int k = 2 * group + part;
                Quad rows[4];
#pragma unroll
                for (int r = 0; r < 4; r++) {
                    rows[r] = a_tile[(row + 8 * r) * A_STRIDE + k];
                }
#pragma unroll
                for (int p = 0; p < 4; p++) {
                    Quad columns = b_tile[(4 * k + p) * B_STRIDE + quad];
#pragma unroll
                    for (int r = 0; r < 4; r++) {
#pragma unroll
                        for (int c = 0; c < 4; c++) {
                            sum[r].v[c] = fma(rows[r].v[p], columns.v[c], sum[r].v[c]);
                        }
                    }
                }
            }
            SYNC();
        }
    }

    // The whole sums of row threadIdx.x / 8 and the four columns from 4 (threadIdx.x % 8) on.
    __device__ Quad total() const {
        int i = threadIdx.x;
        int group = i / 64, row = i % 64 / 8, quad = i % 8;
        for (int r = 0; r < 4; r++) {
            room[(group * TILE + row + 8 * r) * B_STRIDE + quad] = sum[r];
        }
        SYNC();
        Quad whole = room[i];
        for (int g = 1; g < GROUPS; g++) {
            Quad part = room[g * TILE * B_STRIDE + i];
            for (int c = 0; c < 4; c++) {
                whole.v[c] += part.v[c];
            }
        }
        return whole;
    }
};
