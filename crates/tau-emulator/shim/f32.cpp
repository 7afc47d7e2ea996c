// The kernels for float.
#include "shim.h"

static const shim::Kernel* KERNELS = nullptr;

#define REAL float
#include "all.cu"

const shim::Kernel* tau_kernels_f32() {
    return KERNELS;
}
