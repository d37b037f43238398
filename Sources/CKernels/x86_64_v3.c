// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// AVX2, BMI2 and F16C.

#if defined(__x86_64__)
#define TABLE ck_kernels_x86_64_v3
#define INSTRUCTION_SET "x86-64-v3"
#define HARDWARE_F16 1
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#endif
