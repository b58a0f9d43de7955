/* The back ends behind backend.h, and what they share. */
#ifndef MLPDIST_BACKEND_PARTS_H
#define MLPDIST_BACKEND_PARTS_H

#include <omp.h>

#include "kernels/backend.h"

#ifdef HAVE_ONEDNN
extern const backend backend_onednn;
#endif
#ifdef HAVE_CBLAS
extern const backend backend_cblas;
#endif
extern const backend backend_plain;

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

#endif
