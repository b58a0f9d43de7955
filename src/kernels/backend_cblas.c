/* The back end for any CBLAS: OpenBLAS, BLIS, MKL or a vendor's. */
#ifdef HAVE_CBLAS

#include <cblas.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kernels/backend_parts.h"
#include "kernels/cpu.h"

/* The functions that set the number of threads; only that of the linked library exists. MKL's C name is the capitalised
 * one. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern void MKL_Set_Num_Threads(int threads) __attribute__((weak));
extern void bli_thread_set_num_threads(int64_t threads) __attribute__((weak));

static char description[160] = "CBLAS";

static mlpd_status prepare(void) {
  /* OpenBLAS with OpenMP calls omp_set_num_threads here, which affects the whole process. */
  const int threads = omp_get_max_threads();
  if (openblas_set_num_threads != NULL) {
    openblas_set_num_threads(1);
    /* "OpenBLAS 0.3.21 ..."; the rest depends on the processor. */
    const char *const config = openblas_get_config != NULL ? openblas_get_config() : "OpenBLAS";
    const size_t name = strcspn(config, " ");
    const size_t end = name + (config[name] == ' ' ? 1 + strcspn(config + name + 1, " ") : 0);
    (void)snprintf(description, sizeof description, "%.*s", (int)end, config);
  } else if (MKL_Set_Num_Threads != NULL) {
    MKL_Set_Num_Threads(1);
    (void)snprintf(description, sizeof description, "MKL");
  } else if (bli_thread_set_num_threads != NULL) {
    bli_thread_set_num_threads(1);
    (void)snprintf(description, sizeof description, "BLIS");
  }
  omp_set_num_threads(threads);
  return MLPD_OK;
}

static void sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
                  int ldb, float *c, int ldc) {
  const int threads = threads_hide();
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n, k,
              1, a, lda, b, ldb, 0, c, ldc);
  threads_restore(threads);
}

/* OpenBLAS says which processor's kernels it uses; for other libraries the processor's name must suffice. */
static const char *instructions(void) { return openblas_get_corename != NULL ? openblas_get_corename() : cpu_name(); }

const backend backend_cblas = {.name = "cblas",
                               .description = description,
                               .prepare = prepare,
                               .sgemm = sgemm,
                               .instructions = instructions,
                               .pin = "OPENBLAS_CORETYPE (MKL: MKL_CBWR; BLIS: BLIS_ARCH_TYPE)"};

#else
typedef int not_built; /* C requires a declaration in each file */
#endif
