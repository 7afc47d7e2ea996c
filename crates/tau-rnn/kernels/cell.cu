// The cell's matrix, packed once per update in both orientations (src/cpu/leaky has the maths).
#include "common.cuh"

struct PackCell {
    Shape shape;
    const real* params;
    // M: element (from, to), all of h̃.
    real* forward;
    // Mᵀ: element (to, from), neurons only.
    real* backward;
    real* alpha;
    real* decay;
    // Whether the leak is part of M.
    int whole;
    // Steps per unit of time.
    int k;
};

// Grid: (stride / TILE, stride / TILE), x over from, y over to.
KERNEL(THREADS, pack_cell, PackCell) {
    const Shape& s = a.shape;
    Cell<const real> cell(a.params, s);
    SHARED(real, tile, TILE * (TILE + 1));
    int lane = threadIdx.x % TILE, first = threadIdx.x / TILE;
    int from = blockIdx.x * TILE + lane;
    for (int part = first; part < TILE; part += THREADS / TILE) {
        int to = blockIdx.y * TILE + part;
        real m = 0;
        if (to < s.hidden && from <= s.hidden + s.channels) {
            real tau = cell.tau[to];
            real alpha = 1 / ((tau >= 1 ? tau : (real)1) * (real)a.k);
            real decay = 1 - alpha;
            m = extended(cell, s, to, from);
            if (a.whole) {
                m = from == to ? fma(alpha, m, decay) : alpha * m;
            }
            if (from == 0) {
                a.alpha[to] = alpha;
                a.decay[to] = decay;
            }
        }
        a.backward[(index)to * s.stride + from] = from < s.hidden ? m : (real)0;
        tile[lane * (TILE + 1) + part] = m;
    }
    SYNC();
    int to = blockIdx.y * TILE + lane;
    for (int part = first; part < TILE; part += THREADS / TILE) {
        index from = blockIdx.x * TILE + part;
        a.forward[from * s.stride + to] = tile[part * (TILE + 1) + lane];
    }
}
