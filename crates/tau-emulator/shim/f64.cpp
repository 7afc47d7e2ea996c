// The kernels for double.
#include "shim.h"

static const shim::Kernel* KERNELS = nullptr;

#define REAL double
#include "all.cu"

const shim::Kernel* tau_kernels_f64() {
    return KERNELS;
}
