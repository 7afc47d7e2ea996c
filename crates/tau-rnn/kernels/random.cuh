// The streams of crates/tau-random: Philox-4x32-10 (Salmon et al. 2011).
#pragma once

typedef unsigned int u32;
typedef unsigned long long u64;

// A tau_random::Key: the seed, and what distinguishes streams of the same seed.
struct Key {
    u32 seed[2];
    u32 step, stage, purpose;
};

struct Words {
    u32 v[4];
};

__device__ inline Words block(const Key& key, u32 index) {
    u32 c[4] = {index, key.step, key.stage, key.purpose};
    u32 k[2] = {key.seed[0], key.seed[1]};
    for (int round = 0; round < 10; round++) {
        u64 low = (u64)c[0] * 0xD2511F53u, high = (u64)c[2] * 0xCD9E8D57u;
        u32 first = (u32)(high >> 32) ^ c[1] ^ k[0], third = (u32)(low >> 32) ^ c[3] ^ k[1];
        c[0] = first;
        c[1] = (u32)high;
        c[2] = third;
        c[3] = (u32)low;
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    return Words{{c[0], c[1], c[2], c[3]}};
}

// Number `index` of the stream in [0, 1).
__device__ inline float unit(const Key& key, u64 index) {
    return (float)(block(key, (u32)(index / 4)).v[index % 4] >> 8) * (1.0f / (1 << 24));
}
