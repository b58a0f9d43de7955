/* The back ends behind backend.h, and the helpers they share. Nothing here is collective. */
#ifndef MLPDIST_BACKEND_PARTS_H
#define MLPDIST_BACKEND_PARTS_H

#include <math.h>
#include <omp.h>
#include <stddef.h>

#include "kernels/backend.h"

#ifdef HAVE_ONEDNN
extern const backend backend_onednn;
#endif
#ifdef HAVE_CBLAS
extern const backend backend_cblas;
#endif
extern const backend backend_native, backend_plain;

/* A library that uses OpenMP starts threads when called outside a parallel region, and may then split sums by the
 * number of threads. Makes it see one thread; pass the result to threads_restore. */
static inline int threads_hide(void) {
  const int threads = omp_in_parallel() ? 1 : omp_get_max_threads();
  if (threads > 1) omp_set_num_threads(1);
  return threads;
}

static inline void threads_restore(int threads) {
  if (threads > 1) omp_set_num_threads(threads);
}

/* After prepare, a product can fail only if memory runs out. Falling back to another routine would silently change the
 * bits, so C (m, n) is filled with NaN, which ends the run on every rank at this step, like a divergence. */
static inline void poison(int m, int n, float *c, ptrdiff_t c_row) {
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) c[i * c_row + j] = NAN;
}

#endif
