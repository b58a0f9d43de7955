/* oneDNN: generates its kernels from CPUID. dnnl_sgemm is in the C API of 2.x and 3.x alike; on CPUs the
 * inner-product primitives with plain layouts run this very routine. */
#ifdef HAVE_ONEDNN

#include <dnnl.h>
#include <stdio.h>

#include "kernels/backend_parts.h"

static char description[64] = "oneDNN";

static mlpd_status prepare(void) {
  const dnnl_version_t *version = dnnl_version();
  (void)snprintf(description, sizeof description, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
  if (version->cpu_runtime != DNNL_RUNTIME_OMP && version->cpu_runtime != DNNL_RUNTIME_SEQ)
    return FAIL(MLPD_ERROR_INTERNAL, "%s is built for a threading runtime other than OpenMP; use --backend auto",
                description);
  const float one = 1;
  float product = 0;
  const dnnl_status_t status = dnnl_sgemm('N', 'N', 1, 1, 1, 1, &one, 1, &one, 1, 0, &product, 1);
  if (status != dnnl_success)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: dnnl_sgemm fails with status %d", description, status);
  return MLPD_OK;
}

static void sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
                  int ldb, float *c, int ldc) {
  const int threads = threads_hide();
  const dnnl_status_t status =
      dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
  threads_restore(threads);
  if (status != dnnl_success) poison(m, n, c, ldc);
}

/* The name of the instruction set as DNNL_MAX_CPU_ISA, which limits it, expects it. Our own loops (multiversion.h) need
 * no limit: they give the same bits on every instruction set. */
static const char *instructions(void) {
  static const struct {
    dnnl_cpu_isa_t isa;
    const char *name;
  } names[] = {{dnnl_cpu_isa_sse41, "SSE41"},
               {dnnl_cpu_isa_avx, "AVX"},
               {dnnl_cpu_isa_avx2, "AVX2"},
               {dnnl_cpu_isa_avx2_vnni, "AVX2_VNNI"},
               {dnnl_cpu_isa_avx512_core, "AVX512_CORE"},
               {dnnl_cpu_isa_avx512_core_vnni, "AVX512_CORE_VNNI"},
               {dnnl_cpu_isa_avx512_core_bf16, "AVX512_CORE_BF16"},
               {dnnl_cpu_isa_avx512_core_amx, "AVX512_CORE_AMX"}};
  static char other[32];
  const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].isa == isa) return names[i].name;
  (void)snprintf(other, sizeof other, "oneDNN's set 0x%x", (unsigned)isa);
  return other;
}

const backend backend_onednn = {.name = "onednn",
                                .description = description,
                                .prepare = prepare,
                                .sgemm = sgemm,
                                .instructions = instructions,
                                .pin = "DNNL_MAX_CPU_ISA"};

#else
typedef int not_built; /* C requires a declaration in each file */
#endif
