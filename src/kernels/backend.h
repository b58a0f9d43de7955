/* Back ends: matrix products. Each is one small file; the plain one is the reference of the tests. Nothing here is
 * collective. */
#ifndef MLPDIST_BACKEND_H
#define MLPDIST_BACKEND_H

#include "base/status.h"

enum { BACKEND_MAX_NEXT = 4 };

/* The factors of a block of a weight gradient. For lane u: a (rows[u], m) with leading dimension lda, and delta
 * (rows[u], n) with ldd. next: arrays that the caller will read next, with C's shape and leading dimension next_row;
 * they are prefetched. */
typedef struct lane_products {
  uint32_t num_lanes;
  const uint64_t *rows; /* may be 0 */
  const float *const *a, *const *delta;
  int lda, ldd;
  const float *next[BACKEND_MAX_NEXT];
  uint32_t num_next;
  size_t next_row;
} lane_products;

typedef struct backend {
  const char *name;        /* "native", "onednn", "cblas", "plain" */
  const char *description; /* library and version, for one line of output */
  /* Called once when the back end is chosen; may be NULL. Keeps the library from starting threads of its own. */
  mlpd_status (*prepare)(void);
  /* C (m, n) = op(A) (m, k) op(B) (k, n), all row-major with leading dimensions lda, ldb, ldc in elements;
   * op transposes where transpose_* is true (then A is (k, m), B is (n, k)). C is written, not read. On
   * the calling thread alone, by a sequence of operations that depends on the shape and leading
   * dimensions only. m, n, k >= 1. */
  void (*sgemm)(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
                int ldb, float *c, int ldc);
  /* C (m, n) = the sum over lanes, in the canonical tree (reduce.h) of num_lanes >= 1 lanes, of a_u^T delta_u. NULL:
   * the caller multiplies and adds. If it is set, the bits of no product depend on how it is cut into blocks. */
  void (*sum_gradients)(int m, int n, const lane_products *lanes, float *c, int ldc);
  /* The instruction set in use after prepare; NULL: the bits are the same on all. Static storage. */
  const char *(*instructions)(void);
  const char *pin; /* how to choose the instruction set, for a message; NULL: there is no choice */
} backend;

/* Finds a back end by name (NULL: the fastest built in) and prepares it. The message of MLPD_ERROR_USAGE lists the
 * names. */
mlpd_status backend_choose(const char *name, const backend **chosen);

#endif
