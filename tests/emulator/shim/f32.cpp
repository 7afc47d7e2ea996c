// The kernels for float.
#include "shim.h"

// Of this file alone: the other precision has functions of the same names.
namespace {
const shim::Kernel* KERNELS = nullptr;

#define REAL float
#include "all.cu"
#include "peak.cu"
}  // namespace

const shim::Kernel* tau_kernels_f32() {
    return KERNELS;
}
