/* The back ends behind backend.h, and what they share. */
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

/* Libraries on OpenMP thread themselves when called outside a parallel region, and then may split sums by the
 * number of threads. Makes them see one thread; returns what threads_restore wants. Not collective. */
static inline int threads_hide(void) {
  const int threads = omp_in_parallel() ? 1 : omp_get_max_threads();
  if (threads > 1) omp_set_num_threads(1);
  return threads;
}

static inline void threads_restore(int threads) { /* Not collective */
  if (threads > 1) omp_set_num_threads(threads);
}

/* Past prepare, a product can fail only for want of memory. Another routine would be right but to other bits, in
 * silence; NaN in C (m, n) ends the run on every rank at this step, as a divergence does. Not collective. */
static inline void poison(int m, int n, float *c, ptrdiff_t c_row) {
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) c[i * c_row + j] = NAN;
}

#endif
