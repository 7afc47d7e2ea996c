// Sigmoid and hyperbolic tangent, operation by operation as in src/smooth.rs: in f32 the bits are those of
// the processor.
#pragma once

// 2^k and e^r − 1 of a number k ln 2 + r.
struct Exponential {
    float power, rest;
};

__device__ inline Exponential exponential(float x) {
    constexpr float ROUND = 12582912.0f;
    float shifted = fma(x, 1.44269504088896341f, ROUND);
    float k = shifted - ROUND;
    float r = fma(k, -1.4286067653e-6f, fma(k, -6.9314575195e-1f, x));
    float p = 1.9875691500e-4f;
    p = fma(p, r, 1.3981999507e-3f);
    p = fma(p, r, 8.3334519073e-3f);
    p = fma(p, r, 4.1665795894e-2f);
    p = fma(p, r, 1.6666665459e-1f);
    p = fma(p, r, 5.0000001201e-1f);
    float power = __uint_as_float((__float_as_uint(shifted) << 23) + __float_as_uint(1.0f));
    return Exponential{power, fma(p, r * r, r)};
}

// Within ± bound; a NaN stays one.
__device__ inline float within(float x, float bound) {
    x = x > bound ? bound : x;
    return x < -bound ? -bound : x;
}

__device__ inline float smooth_sigmoid(float u) {
    Exponential e = exponential(within(-u, 87.0f));
    float value = 1.0f / (1.0f + fma(e.power, e.rest, e.power));
    // The shift of bits may have lost a NaN.
    return u != u ? u : value;
}

__device__ inline float smooth_tanh(float u) {
    Exponential e = exponential(within(u + u, 30.0f));
    float grown = fma(e.power, e.rest, e.power - 1.0f);
    float value = grown / (grown + 2.0f);
    return u != u ? u : value;
}

__device__ inline double smooth_sigmoid(double u) {
    return 1.0 / (1.0 + exp(-u));
}

__device__ inline double smooth_tanh(double u) {
    return tanh(u);
}
