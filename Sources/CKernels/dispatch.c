// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

#include "CKernels.h"

extern const ck_kernels ck_kernels_base;

#if defined(__x86_64__)
extern const ck_kernels ck_kernels_x86_64_v3;
extern const ck_kernels ck_kernels_x86_64_v4;

const ck_kernels *ck_variant(size_t index) {
  __builtin_cpu_init();
  if (index == 0) return &ck_kernels_base;
  if (index == 1 && __builtin_cpu_supports("x86-64-v3")) return &ck_kernels_x86_64_v3;
  if (index == 2 && __builtin_cpu_supports("x86-64-v4")) return &ck_kernels_x86_64_v4;
  return 0;
}
#else
const ck_kernels *ck_variant(size_t index) { return index == 0 ? &ck_kernels_base : 0; }
#endif

// Threads that find it empty at once all write the same.
static _Atomic(const ck_kernels *) current;

const ck_kernels *ck_current(void) {
  const ck_kernels *kernels = __c11_atomic_load(&current, __ATOMIC_RELAXED);
  if (kernels) return kernels;
  for (size_t i = 0; ck_variant(i); i++) kernels = ck_variant(i);
  ck_use(kernels);
  return kernels;
}

void ck_use(const ck_kernels *kernels) {
  __c11_atomic_store(&current, kernels, __ATOMIC_RELAXED);
}
