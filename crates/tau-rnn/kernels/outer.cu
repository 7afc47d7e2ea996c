// c = Σ_rows aᵀ b: all gradients of matrices. The rows are cut into splits of fixed length, whose
// sums are added in order by whoever reads them: the bits depend on the shape alone.
#include "common.cuh"

struct Outer {
    // (row, i), rows a_stride apart.
    const real* left;
    // (row, j), rows b_stride apart.
    const real* right;
    // (split, i, j), i in steps of b_stride.
    real* out;
    int a_stride;
    int b_stride;
    int rows;
    // A multiple of TILE.
    int rows_per_split;
};

// Grid: (b_stride / TILE_ALL, a_stride / TILE_ALL, splits). A thread has 4 × 4 of a tile of 64 × 64.
KERNEL(THREADS, outer, Outer) {
    constexpr int CHUNK = 16;
    constexpr int QUADS = TILE_ALL / 4;
    SHARED(Quad, a_tile, CHUNK * QUADS);
    SHARED(Quad, b_tile, CHUNK * QUADS);
    int i = threadIdx.x;
    int first_i = blockIdx.y * TILE_ALL, first_j = blockIdx.x * TILE_ALL;
    int begin = blockIdx.z * a.rows_per_split;
    int end = begin + a.rows_per_split < a.rows ? begin + a.rows_per_split : a.rows;
    int load_row = i / QUADS, load_quad = i % QUADS;
    const real* a_next = a.left + (index)(begin + load_row) * a.a_stride + first_i + 4 * load_quad;
    const real* b_next = a.right + (index)(begin + load_row) * a.b_stride + first_j + 4 * load_quad;
    Quad a_quad = load(a_next), b_quad = load(b_next);
    Quad sum[4] = {zeros(), zeros(), zeros(), zeros()};
    for (int row = begin; row < end; row += CHUNK) {
        a_tile[i] = a_quad;
        b_tile[i] = b_quad;
        SYNC();
        if (row + CHUNK < end) {
            a_next += (index)CHUNK * a.a_stride;
            b_next += (index)CHUNK * a.b_stride;
            a_quad = load(a_next);
            b_quad = load(b_next);
        }
#pragma unroll
        for (int k = 0; k < CHUNK; k++) {
            Quad left = a_tile[k * QUADS + i / QUADS], right = b_tile[k * QUADS + i % QUADS];
#pragma unroll
            for (int r = 0; r < 4; r++) {
#pragma unroll
                for (int c = 0; c < 4; c++) {
                    sum[r].v[c] = fma(left.v[r], right.v[c], sum[r].v[c]);
                }
            }
        }
        SYNC();
    }
    index row = (index)blockIdx.z * a.a_stride + first_i + i / QUADS * 4;
    for (int r = 0; r < 4; r++) {
        store(a.out + (row + r) * a.b_stride + first_j + i % QUADS * 4, sum[r]);
    }
}
