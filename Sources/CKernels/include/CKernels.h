// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The number formats that weights are stored in.
typedef enum {
  ck_f8_e4m3,
  ck_f8_e5m2,
  ck_f16,
  ck_bf16,
  ck_f32,
  ck_f64,
} ck_format;

/// What decides the sign that wins an election.
typedef enum {
  /// The sum of the scaled vectors.
  ck_vote_scaled,
  /// The sum of the vectors as given.
  ck_vote_plain,
  /// The number of scaled vectors with each sign.
  ck_vote_count,
} ck_vote;

/// What an elected sum is divided by.
typedef enum {
  ck_divide_by_one,
  /// The sum of the weights that agree, or 1 where that is 0.
  ck_divide_by_agreeing,
  /// The sum of the weights that agree, but at least `floor`.
  ck_divide_by_floored,
} ck_division;

/// The kernels for one element type (float or double) and one instruction set.
///
/// `void *` stands for that element type, or for stored bytes of any alignment in `load` and
/// `store`. An output may be one of the input arrays (not in `load` and `store`, where elements
/// differ in size), but must not overlap one otherwise.
/// Every instruction set gives the same bits, apart from the sign and payload of a NaN, which
/// `store` makes canonical.
typedef struct {
  void (*load)(const void *source, ck_format format, void *out, size_t count);
  /// Returns how many stored values are not finite.
  size_t (*store)(const void *x, ck_format format, void *out, size_t count);
  size_t (*count_non_finite)(const void *x, size_t count);

  void (*add)(const void *x, const void *y, void *out, size_t count);
  void (*subtract)(const void *x, const void *y, void *out, size_t count);
  void (*multiply)(const void *x, const void *y, void *out, size_t count);
  void (*scale)(const void *x, double factor, void *out, size_t count);
  void (*add_scaled)(const void *x, double factor, void *out, size_t count);
  void (*combine)(const void *const _Nonnull *_Nonnull inputs, const void *coefficients,
                  size_t input_count, void *out, size_t count);
  void (*near_swap)(const void *x, const void *y, double t, void *out, size_t count);
  void (*elect)(const void *const _Nonnull *_Nonnull vectors, const void *coefficients,
                const void *weights, size_t vector_count, ck_vote vote, ck_division division,
                double floor, void *out, size_t count);
  void (*combine_active)(const void *const _Nonnull *_Nonnull vectors, const void *factors,
                         size_t vector_count, double epsilon, void *out, size_t count);
  void (*count_active)(const void *const _Nonnull *_Nonnull vectors, size_t vector_count,
                       double epsilon, size_t *alone, size_t *shared, size_t count);

  double (*dot)(const void *x, const void *y, size_t count);
  double (*sum)(const void *x, size_t count);
  double (*sum_of_magnitudes)(const void *x, size_t count);

  void (*histogram)(const void *x, size_t count, int digit, uint64_t prefix, uint64_t *bins);
  /// Writes the magnitudes strictly between two bounds to `out`, in their order, which has room for `count`.
  /// Adds to `counts` how many magnitudes are above `upper`, equal to it, and equal to `lower`.
  /// Returns how many it wrote.
  size_t (*between)(const void *x, size_t count, uint64_t lower, uint64_t upper, size_t *counts,
                    void *out);
  void (*keep)(const void *x, const void *keys, uint64_t lower, size_t *lower_quota,
               uint64_t upper, size_t *upper_quota, void *out, size_t count);
  size_t (*count_equal)(const void *x, uint64_t magnitude, size_t count);
  void (*keep_randomly)(void *x, uint64_t key, uint64_t first, uint32_t below, size_t count);
} ck_scalar_kernels;

/// 128 bits that stand for any number of bytes.
typedef struct {
  uint64_t high;
  uint64_t low;
} ck_digest;

/// XXH3-128 with seed 0; `bytes` may have any alignment.
ck_digest ck_xxh3(const void *bytes, size_t count);

/// All kernels for one instruction set.
typedef struct {
  const char *name;
  ck_scalar_kernels f32;
  ck_scalar_kernels f64;
  /// Philox4x32-10: `out[i]` is word `(first + i) % 4` of the block with counter `(first + i) / 4`.
  void (*draw)(uint64_t key, uint64_t first, uint32_t *out, size_t count);
} ck_kernels;

/// The kernels in use: those for the best instruction set of this processor, or those of `ck_use`.
const ck_kernels *ck_current(void);

/// Makes `ck_current` return one of the variants, from now on and in all threads.
void ck_use(const ck_kernels *kernels);

/// The kernels of one instruction set, from the plainest (0) to the widest.
///
/// Returns null past the last one that this processor has.
const ck_kernels *_Nullable ck_variant(size_t index);

#pragma clang assume_nonnull end

#endif
