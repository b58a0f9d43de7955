/* Counted random numbers, vectorised: the draws of base/rng.h, many at a time. Nothing here is collective. */
#ifndef MLPDIST_RANDOM_H
#define MLPDIST_RANDOM_H

#include "base/rng.h"

enum { RANDOM_GROUP = 4 }; /* draws computed together */

/* Writes to draws (RANDOM_GROUP * groups) the results of rng_next(stream) from position RANDOM_GROUP * first on. */
void random_draws(const rng *stream, uint64_t first, uint64_t groups, uint32_t *draws);

#endif
