#include "kernels/random.h"

#include <string.h>

#include "kernels/multiversion.h"

enum { WIDTH = 8, ROUNDS = 10 }; /* groups at a time; rounds of Philox4x32-10, as in base/rng.c */

/* Computes groups first to first + WIDTH - 1. */
MULTIVERSION static void draw_some(const uint32_t key[2], const uint32_t stream[2], uint64_t first,
                                   uint32_t draws[WIDTH * RANDOM_GROUP]) {
  uint32_t c0[WIDTH], c1[WIDTH], c2[WIDTH], c3[WIDTH], k0 = key[0], k1 = key[1];
  for (int i = 0; i < WIDTH; i++) {
    c0[i] = (uint32_t)(first + (uint64_t)i);
    c1[i] = (uint32_t)((first + (uint64_t)i) >> 32);
    c2[i] = stream[0];
    c3[i] = stream[1];
  }
  for (int round = 0; round < ROUNDS; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
#pragma omp simd
    for (int i = 0; i < WIDTH; i++) {
      const uint64_t product_0 = (uint64_t)0xD2511F53u * c0[i], product_1 = (uint64_t)0xCD9E8D57u * c2[i];
      c0[i] = (uint32_t)(product_1 >> 32) ^ c1[i] ^ k0;
      c1[i] = (uint32_t)product_1;
      c2[i] = (uint32_t)(product_0 >> 32) ^ c3[i] ^ k1;
      c3[i] = (uint32_t)product_0;
    }
  }
  for (int i = 0; i < WIDTH; i++) {
    uint32_t *const group = draws + RANDOM_GROUP * i;
    group[0] = c0[i], group[1] = c1[i], group[2] = c2[i], group[3] = c3[i];
  }
}

void random_draws(const rng *stream, uint64_t first, uint64_t groups, uint32_t *draws) {
  uint64_t done = 0;
  for (; groups - done >= WIDTH; done += WIDTH)
    draw_some(stream->key, stream->stream, first + done, draws + RANDOM_GROUP * done);
  if (done == groups) return;
  uint32_t rest[WIDTH * RANDOM_GROUP];
  draw_some(stream->key, stream->stream, first + done, rest);
  memcpy(draws + RANDOM_GROUP * done, rest, (groups - done) * RANDOM_GROUP * sizeof *draws);
}
