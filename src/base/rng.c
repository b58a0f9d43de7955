#include "base/rng.h"

#include <math.h>

#include "base/portable.h"

enum { ROUNDS = 10 };

/* Multipliers and Weyl increments of Philox4x32, Salmon et al., SC11. */
static const uint32_t MULTIPLIER_0 = 0xD2511F53u, MULTIPLIER_1 = 0xCD9E8D57u;
static const uint32_t WEYL_0 = 0x9E3779B9u, WEYL_1 = 0xBB67AE85u;

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < ROUNDS; round++) {
    const uint64_t product_0 = (uint64_t)MULTIPLIER_0 * c0, product_1 = (uint64_t)MULTIPLIER_1 * c2;
    c0 = (uint32_t)(product_1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)product_1;
    c2 = (uint32_t)(product_0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)product_0;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* Draws of the block that holds position. */
static void fill_block(rng *stream) {
  const uint64_t index = stream->position / 4;
  const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream->stream[0], stream->stream[1]};
  rng_philox(counter, stream->key, stream->block);
}

rng rng_start(uint64_t seed, rng_purpose purpose, uint32_t a, uint32_t b) {
  return (rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)}, .stream = {a, b | (uint32_t)purpose << 24}};
}

uint32_t rng_next(rng *stream) {
  if (stream->position % 4 == 0) fill_block(stream);
  return stream->block[stream->position++ % 4];
}

static uint64_t next_64(rng *stream) {
  const uint64_t low = rng_next(stream);
  return (uint64_t)rng_next(stream) << 32 | low;
}

/* high:low = x * y, by 32-bit halves: C11 has no 128-bit type. */
static uint64_t multiply_high(uint64_t x, uint64_t y, uint64_t *low) {
  const uint64_t x0 = (uint32_t)x, x1 = x >> 32, y0 = (uint32_t)y, y1 = y >> 32;
  const uint64_t middle = x1 * y0 + (x0 * y0 >> 32); /* cannot overflow: (2^32-1)^2 + 2^32-1 < 2^64 */
  const uint64_t carry = x0 * y1 + (uint32_t)middle;
  *low = x * y;
  return x1 * y1 + (middle >> 32) + (carry >> 32);
}

/* Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019): the high half of draw * n is
 * uniform once draws whose low half falls below 2^w mod n are rejected. w is 32 if n fits. */
uint64_t rng_below(rng *stream, uint64_t n) {
  if (n <= UINT32_MAX) {
    const uint32_t bound = (uint32_t)n;
    uint64_t product = (uint64_t)rng_next(stream) * bound;
    if ((uint32_t)product < bound) {
      const uint32_t threshold = (0u - bound) % bound;
      while ((uint32_t)product < threshold) product = (uint64_t)rng_next(stream) * bound;
    }
    return product >> 32;
  }
  uint64_t low, high = multiply_high(next_64(stream), n, &low);
  if (low < n) {
    const uint64_t threshold = (0u - n) % n;
    while (low < threshold) high = multiply_high(next_64(stream), n, &low);
  }
  return high;
}

/* The midpoints of 2^53 equal intervals would need 54 bits near 1. Those of 2^52 are exact, so 0 and 1 never occur. */
double rng_uniform(rng *stream) { return ((double)(next_64(stream) >> 12) + 0.5) * 0x1p-52; }

double rng_normal(rng *stream) {
  const double radius = sqrt(-2.0 * portable_log(rng_uniform(stream)));
  return radius * portable_cos_turn(rng_uniform(stream));
}

void rng_shuffle(rng *stream, uint32_t *order, uint64_t n) {
  for (uint64_t i = n; i > 1; i--) {
    const uint64_t j = rng_below(stream, i);
    const uint32_t swapped = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swapped;
  }
}
