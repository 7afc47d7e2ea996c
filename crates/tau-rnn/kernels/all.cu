// Everything in one module.
#include "cell.cu"
#include "gradient.cu"
#include "inputs.cu"
#include "optimiser.cu"
#include "outer.cu"
#include "peak.cu"
#include "readout.cu"
#include "step.cu"
