// The kernels for double.
#include "shim.h"

// Of this file alone: the other precision has functions of the same names.
namespace {
const shim::Kernel* KERNELS = nullptr;

#define REAL double
#include "all.cu"
}  // namespace

const shim::Kernel* tau_kernels_f64() {
    return KERNELS;
}
