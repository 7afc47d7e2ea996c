// Enough of CUDA to compile the kernels of tau-rnn for the processor.
//
// The threads of a block are fibers that take turns at barriers, in random order. What CUDA leaves
// undefined is made visible: shared memory starts as NaN in every block, a barrier that some threads
// do not reach, or reach at another place of the source, stops the launch with a message. It does
// not find races between threads that no order of whole phases shows, nor anything about time.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>

using std::exp;
using std::fabs;
using std::fma;
using std::log;
using std::pow;
using std::sqrt;
using std::tanh;

// The bits of a number, and the number of bits.
inline unsigned __float_as_uint(float value) {
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline float __uint_as_float(unsigned bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

namespace shim {

struct Index {
    unsigned x, y, z;
};

// Of the fiber that runs.
extern thread_local Index thread, block, grid;

// A variable in shared memory: where it stands in the block that runs.
class Site {
    unsigned long long of_block = 0;
    size_t offset = 0;

public:
    void* get(size_t bytes);
};

// The memory whose size the launch says.
void* dynamic();

void sync(const char* file, int line);

struct Kernel {
    const char* name;
    size_t bytes;
    unsigned threads;
    void (*body)(const void*);
    const Kernel* next;
};

// Kernels of one precision, last declared first.
struct Register {
    Register(const Kernel*& first, Kernel& kernel) {
        kernel.next = first;
        first = &kernel;
    }
};

}  // namespace shim

#define __device__
#define threadIdx shim::thread
#define blockIdx shim::block
#define gridDim shim::grid
#define SYNC() shim::sync(__FILE__, __LINE__)

#define SHARED(type, name, count)          \
    static thread_local shim::Site name##_site; \
    type* name = static_cast<type*>(name##_site.get(sizeof(type) * (count)))

#define DYNAMIC(type, name) type* name = static_cast<type*>(shim::dynamic())

// `KERNELS` is the list of the translation unit.
#define KERNEL(threads, name, Arguments)                                              \
    static void name(const Arguments& a);                                             \
    static shim::Kernel name##_kernel{                                                \
        #name, sizeof(Arguments), threads,                                            \
        [](const void* a) { name(*static_cast<const Arguments*>(a)); }, nullptr};     \
    static shim::Register name##_register(KERNELS, name##_kernel);                    \
    static void name(const Arguments& a)
