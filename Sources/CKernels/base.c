// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// What every processor of the architecture has: SSE2 on x86-64, Neon on aarch64.

#define TABLE ck_kernels_base
#if defined(__x86_64__)
#define INSTRUCTION_SET "x86-64"
#define HARDWARE_F16 0
#else
#define INSTRUCTION_SET "base"
#if defined(__aarch64__)
#define HARDWARE_F16 1
#else
#define HARDWARE_F16 0
#endif
#endif
#include "kernels.inc"
