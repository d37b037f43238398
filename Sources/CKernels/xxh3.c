// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// XXH3 with 128 bits and seed 0, as the XXH3 specification of Yann Collet's xxHash has it. Finds damage, at the
// speed of memory; it is no proof against somebody who means to deceive, which SHA-256 of the files is.
// The loop over stripes is what compilers make vector code of in every instruction set there is, SSE2 and NEON too;
// with AVX2, found at run time, it is twice as fast again.

#include "CKernels.h"

#include <string.h>

typedef unsigned __int128 u128;

enum { secret_size = 192, stripe = 64, block = (secret_size - stripe) / 8 * stripe };

static const uint64_t prime32_1 = 0x9E3779B1, prime32_2 = 0x85EBCA77, prime32_3 = 0xC2B2AE3D;
static const uint64_t prime64_1 = 0x9E3779B185EBCA87, prime64_2 = 0xC2B2AE3D27D4EB4F,
                      prime64_3 = 0x165667B19E3779F9, prime64_4 = 0x85EBCA77C2B2AE63,
                      prime64_5 = 0x27D4EB2F165667C5;

static const uint8_t secret[secret_size] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

static uint32_t read32(const uint8_t *from) {
  uint32_t value;
  memcpy(&value, from, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap32(value);
#endif
  return value;
}

static uint64_t read64(const uint8_t *from) {
  uint64_t value;
  memcpy(&value, from, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap64(value);
#endif
  return value;
}

/// The two halves of a product, one on the other.
static uint64_t folded(uint64_t a, uint64_t b) {
  u128 product = (u128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t avalanche(uint64_t hash) {
  hash ^= hash >> 37;
  hash *= 0x165667919E3779F9;
  return hash ^ hash >> 32;
}

/// The older mixer, for up to three bytes.
static uint64_t avalanche64(uint64_t hash) {
  hash ^= hash >> 33;
  hash *= prime64_2;
  hash ^= hash >> 29;
  hash *= prime64_3;
  return hash ^ hash >> 32;
}

static ck_digest upTo3(const uint8_t *bytes, size_t count) {
  if (!count) {
    return (ck_digest){avalanche64(read64(secret + 80) ^ read64(secret + 88)),
                       avalanche64(read64(secret + 64) ^ read64(secret + 72))};
  }
  uint32_t low = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[count >> 1] << 24 | bytes[count - 1]
                 | (uint32_t)count << 8;
  uint32_t swapped = __builtin_bswap32(low);
  uint32_t high = swapped << 13 | swapped >> 19;
  return (ck_digest){avalanche64(high ^ (uint64_t)(read32(secret + 8) ^ read32(secret + 12))),
                     avalanche64(low ^ (uint64_t)(read32(secret) ^ read32(secret + 4)))};
}

static ck_digest upTo8(const uint8_t *bytes, size_t count) {
  uint64_t value = read32(bytes) + ((uint64_t)read32(bytes + count - 4) << 32);
  uint64_t keyed = value ^ read64(secret + 16) ^ read64(secret + 24);
  u128 product = (u128)keyed * (prime64_1 + (count << 2));
  uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);
  high += low << 1;
  low ^= high >> 3;
  low ^= low >> 35;
  low *= 0x9FB21C651E98DF25;
  low ^= low >> 28;
  return (ck_digest){avalanche(high), low};
}

static ck_digest upTo16(const uint8_t *bytes, size_t count) {
  uint64_t first = read64(bytes), last = read64(bytes + count - 8);
  uint64_t keyed = first ^ last ^ read64(secret + 32) ^ read64(secret + 40);
  u128 product = (u128)keyed * prime64_1;
  uint64_t low = (uint64_t)product + ((uint64_t)(count - 1) << 54);
  uint64_t high = (uint64_t)(product >> 64);
  last ^= read64(secret + 48) ^ read64(secret + 56);
  high += last + (uint64_t)(uint32_t)last * (prime32_2 - 1);
  low ^= __builtin_bswap64(high);
  u128 result = (u128)low * prime64_2;
  return (ck_digest){avalanche((uint64_t)(result >> 64) + high * prime64_2),
                     avalanche((uint64_t)result)};
}

static uint64_t mix16(const uint8_t *bytes, const uint8_t *key) {
  return folded(read64(bytes) ^ read64(key), read64(bytes + 8) ^ read64(key + 8));
}

static void mix32(ck_digest *sum, const uint8_t *a, const uint8_t *b, const uint8_t *key) {
  sum->low += mix16(a, key);
  sum->low ^= read64(b) + read64(b + 8);
  sum->high += mix16(b, key + 16);
  sum->high ^= read64(a) + read64(a + 8);
}

static ck_digest upTo240(const uint8_t *bytes, size_t count) {
  ck_digest sum = {0, count * prime64_1};
  if (count <= 128) {
    for (size_t i = (count - 1) / 32 + 1; i-- > 0;) {
      mix32(&sum, bytes + 16 * i, bytes + count - 16 * (i + 1), secret + 32 * i);
    }
  } else {
    for (size_t i = 0; i < 128; i += 32) mix32(&sum, bytes + i, bytes + i + 16, secret + i);
    sum = (ck_digest){avalanche(sum.high), avalanche(sum.low)};
    for (size_t i = 128; i + 32 <= count; i += 32) {
      mix32(&sum, bytes + i, bytes + i + 16, secret + 3 + i - 128);
    }
    // The key of the end is subtracted where the others are added; without a seed that is the same.
    mix32(&sum, bytes + count - 16, bytes + count - 32, secret + 136 - 17 - 16);
  }
  uint64_t high = sum.low * prime64_1 + sum.high * prime64_4 + count * prime64_2;
  return (ck_digest){0 - avalanche(high), avalanche(sum.low + sum.high)};
}

static void accumulate(uint64_t *sums, const uint8_t *bytes, const uint8_t *keys) {
  for (size_t i = 0; i < 8; i++) {
    uint64_t value = read64(bytes + 8 * i), keyed = value ^ read64(keys + 8 * i);
    sums[i ^ 1] += value;
    sums[i] += (uint64_t)(uint32_t)keyed * (keyed >> 32);
  }
}

static uint64_t merged(const uint64_t *sums, const uint8_t *keys, uint64_t start) {
  for (size_t i = 0; i < 4; i++) {
    start += folded(sums[2 * i] ^ read64(keys + 16 * i), sums[2 * i + 1] ^ read64(keys + 16 * i + 8));
  }
  return avalanche(start);
}

#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("avx2", "default")))
#endif
static ck_digest longer(const uint8_t *bytes, size_t count) {
  uint64_t sums[8] = {prime32_3, prime64_1, prime64_2, prime64_3,
                      prime64_4, prime32_2, prime64_5, prime32_1};
  size_t blocks = (count - 1) / block;
  for (size_t n = 0; n < blocks; n++) {
    for (size_t i = 0; i < block / stripe; i++) {
      accumulate(sums, bytes + n * block + i * stripe, secret + 8 * i);
    }
    for (size_t i = 0; i < 8; i++) {
      sums[i] = (sums[i] ^ sums[i] >> 47 ^ read64(secret + secret_size - stripe + 8 * i)) * prime32_1;
    }
  }
  size_t rest = (count - 1 - blocks * block) / stripe;
  for (size_t i = 0; i < rest; i++) {
    accumulate(sums, bytes + blocks * block + i * stripe, secret + 8 * i);
  }
  accumulate(sums, bytes + count - stripe, secret + secret_size - stripe - 7);
  return (ck_digest){
      merged(sums, secret + secret_size - stripe - 11, ~(count * prime64_2)),
      merged(sums, secret + 11, count * prime64_1)};
}

ck_digest ck_xxh3(const void *bytes, size_t count) {
  if (count <= 3) return upTo3(bytes, count);
  if (count <= 8) return upTo8(bytes, count);
  if (count <= 16) return upTo16(bytes, count);
  if (count <= 240) return upTo240(bytes, count);
  return longer(bytes, count);
}
