/* The FMA peak of a core: chains of fused multiply-adds, enough of them to fill every unit's pipeline
 * (latency 4 to 5 cycles times 2 units), in the widest registers of the machine. */
#include <math.h>
#include <time.h>

#include "kernels/cpu.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Runs rounds of the kernel and returns the sum of its accumulators, so that none is optimised away.
 * Multiplying by factor and adding step keep them near 1. */
typedef float (*peak_function)(long rounds, float factor, float step);

typedef struct peak_kernel {
  peak_function run;
  double flops; /* per round */
} peak_kernel;

enum { CHAINS_512 = 24, CHAINS_256 = 12, CHAINS_PLAIN = 64 };

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static float run_512(long rounds, float factor, float step) {
  __m512 chain[CHAINS_512], f = _mm512_set1_ps(factor), s = _mm512_set1_ps(step);
#pragma GCC unroll 24
  for (int i = 0; i < CHAINS_512; i++) chain[i] = _mm512_set1_ps((float)i);
  for (long round = 0; round < rounds; round++) {
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS_512; i++) chain[i] = _mm512_fmadd_ps(chain[i], f, s);
  }
  float sum = 0;
#pragma GCC unroll 24
  for (int i = 0; i < CHAINS_512; i++) sum += _mm512_reduce_add_ps(chain[i]);
  return sum;
}

__attribute__((target("avx2,fma"))) static float run_256(long rounds, float factor, float step) {
  __m256 chain[CHAINS_256], f = _mm256_set1_ps(factor), s = _mm256_set1_ps(step);
#pragma GCC unroll 12
  for (int i = 0; i < CHAINS_256; i++) chain[i] = _mm256_set1_ps((float)i);
  for (long round = 0; round < rounds; round++) {
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS_256; i++) chain[i] = _mm256_fmadd_ps(chain[i], f, s);
  }
  float slots[8], sum = 0;
  for (int i = 0; i < CHAINS_256; i++) {
    _mm256_storeu_ps(slots, chain[i]);
    for (int slot = 0; slot < 8; slot++) sum += slots[slot];
  }
  return sum;
}
#endif

static float run_plain(long rounds, float factor, float step) {
  float chain[CHAINS_PLAIN], sum = 0;
  for (int i = 0; i < CHAINS_PLAIN; i++) chain[i] = (float)i;
  for (long round = 0; round < rounds; round++) {
#pragma omp simd
    for (int i = 0; i < CHAINS_PLAIN; i++)
#ifdef FP_FAST_FMAF
      chain[i] = fmaf(chain[i], factor, step);
#else
      chain[i] = chain[i] * factor + step;
#endif
  }
  for (int i = 0; i < CHAINS_PLAIN; i++) sum += chain[i];
  return sum;
}

static peak_kernel choose_kernel(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return (peak_kernel){run_512, 2.0 * 16 * CHAINS_512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (peak_kernel){run_256, 2.0 * 8 * CHAINS_256};
#endif
  return (peak_kernel){run_plain, 2.0 * CHAINS_PLAIN};
}

static double seconds_now(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double cpu_measure_peak(double seconds) {
  enum { ROUNDS = 20000 }; /* about 0.1 ms: shorter than a time slice, so the best measurement is undisturbed */
  const peak_kernel kernel = choose_kernel();
  volatile float factor = 0.999f, step = 0.001f, sink;
  double best = 0; /* flop/s */
  const double start = seconds_now();
  for (double now = start; now - start < seconds || best == 0;) {
    sink = kernel.run(ROUNDS, factor, step);
    const double end = seconds_now();
    if (end > now) best = fmax(best, kernel.flops * ROUNDS / (end - now));
    now = end;
  }
  (void)sink;
  return best * 1e-9;
}
