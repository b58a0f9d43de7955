/* Random numbers are counted, not consumed: Philox4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", SC11) is a pure function of a key and a counter, so any rank can compute any draw. Nothing here is
 * collective. */
#ifndef MLPDIST_RNG_H
#define MLPDIST_RNG_H

#include <stdint.h>

/* The purpose of a draw: it separates the streams of one seed. */
typedef enum rng_purpose {
  RNG_INIT_WEIGHTS = 1,  /* a: layer, index: 4-draw group */
  RNG_DEAL_BLOCKS = 2,   /* rows dealt to lanes */
  RNG_SHUFFLE = 3,       /* a: epoch, b: lane */
  RNG_SPLIT_ROWS = 4,    /* train / valid / test */
  RNG_STREAM_BLOCKS = 5, /* order of a lane's blocks; a: epoch, b: lane */
  RNG_STREAM_ROWS = 6,   /* order within its windows: from position window * 2^32 on; a: epoch, b: lane */
  RNG_DROPOUT = 7,       /* values dropped; a: epoch, b: layer, index: sample of the epoch, column */
  RNG_NOISE = 8,         /* noise on values; likewise */
  RNG_RESERVOIR = 9,     /* place of a row in a full buffer; a, b: low and high part of its number */
  RNG_REPLAY = 10,       /* rows drawn from the buffer; a, b: low and high part of the step */
  RNG_PERMUTE = 11,      /* order of the values of a column; a: column, b: repeat */
  RNG_FOLDS = 12,        /* the fold of each row */
} rng_purpose;

/* A stream of draws: position counts the 32-bit draws taken. A copy continues from the same position. */
typedef struct rng {
  uint32_t key[2];
  uint32_t stream[2];
  uint64_t position;
  uint32_t block[4]; /* draws of the current counter */
} rng;

/* Four 32-bit draws of Philox4x32-10: out = philox(counter, key). */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Starts the stream of (seed, purpose, a, b). b < 2^24. */
rng rng_start(uint64_t seed, rng_purpose purpose, uint32_t a, uint32_t b);

uint32_t rng_next(rng *stream); /* uniform in [0, 2^32) */

/* Uniform in [0, n), unbiased (Lemire's rejection), n >= 1. */
uint64_t rng_below(rng *stream, uint64_t n);

double rng_uniform(rng *stream); /* uniform in (0, 1), an odd multiple of 2^-53 */
double rng_normal(rng *stream);  /* N(0, 1), by Box and Muller's cosine */

enum { RNG_NORMAL_DRAWS = 4 }; /* 32-bit draws that rng_normal takes */

/* Permutes order (n) at random (Fisher-Yates). */
void rng_shuffle(rng *stream, uint32_t *order, uint64_t n);

#endif
