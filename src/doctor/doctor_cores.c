/* Measures peak performance and memory bandwidth of one core and of all cores at once, and checks denormals. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "doctor/doctor.h"
#include "doctor/doctor_measure.h"
#include "kernels/cpu.h"
#include "kernels/multiversion.h"
#include "ranks/clock.h"
#include "ranks/comm.h"

enum {
  MIN_BYTES = 96 << 20,
  MAX_BYTES = 768 << 20
}; /* of the three vectors together, per machine: larger than its caches */

/* a = b + s c: the loop of McCalpin's STREAM. */
MULTIVERSION static void triad(size_t n, float s, const float *b, const float *c, float *a) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) a[i] = b[i] + s * c[i];
}

/* Memory bandwidth of the calling thread in bytes/s, with its own vectors (n); 0 if memory is short. */
static double measure_triad(size_t n, double seconds) {
  float *memory = NULL;
  if (memory_allocate(&memory, 3 * n, sizeof *memory, "bandwidth test") != MLPD_OK) return 0;
  float *const a = memory, *const b = memory + n, *const c = memory + 2 * n;
  for (size_t i = 0; i < n; i++)
    b[i] = c[i] = 1; /* on this thread: pages are placed near the core that touches them first */
  double best = 0;
  const double start = clock_seconds();
  for (double now = start; now - start < seconds || best == 0;) {
    triad(n, 0.5f, b, c, a);
    const double end = clock_seconds();
    if (end > now) best = fmax(best, 3 * (double)n * sizeof *a / (end - now));
    now = end;
  }
  free(memory);
  return best;
}

/* Floats in each vector of a thread. With few seconds the vectors are short, so that a pass does not take longer. */
static size_t triad_length(const doctor *d, int threads, double seconds) {
  static const double BYTES_A_SECOND = 8e9;
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  const double most = fmin(MAX_BYTES, BYTES_A_SECOND * seconds);
  double bytes = 4.0 * (cache > 0 ? (double)cache : 0);
  bytes = fmax(fmin(bytes, most), MIN_BYTES) / threads / d->places.ranks_on_node;
  const size_t n = (size_t)(bytes / 3 / sizeof(float));
  return n < 4096 ? 4096 : n;
}

/* true if denormal results become zero and denormal operands count as zero */
static bool flushes(void) {
  volatile float smallest = FLT_MIN, half = 0.5f, huge = 0x1p100f; /* volatile: compute at run time */
  const uint32_t denormal_bits = 1u << 22;
  const float result = smallest * half;
  float denormal;
  uint32_t bits; /* a comparison would treat a denormal as zero */
  memcpy(&bits, &result, sizeof bits);
  memcpy(&denormal, &denormal_bits, sizeof denormal);
  volatile float operand = denormal;
  return bits == 0 && operand * huge == 0;
}

/* CPU time of the calling thread, seconds. */
static double thread_seconds(void) {
  struct timespec ran;
  return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran) == 0 ? (double)ran.tv_sec + 1e-9 * (double)ran.tv_nsec : 0;
}

mlpd_status doctor_cores(doctor *d, double seconds) {
  mlpd_doctor_report *const r = d->report;
  double sums[5] = {
      0}; /* peak, bandwidth, threads that do not flush denormals, CPU seconds of threads, elapsed seconds */
  double one[2] = {0}; /* of rank 0 while the other ranks wait */
  if (mlpd_comm_rank(d->comm) == 0) {
    one[0] = 1e9 * cpu_measure_peak(0.2 * seconds);
    one[1] = measure_triad(triad_length(d, 1, seconds), 0.2 * seconds);
  }
  TRY(comm_broadcast(d->comm, one, sizeof one, 0));
  const size_t n = triad_length(d, d->threads, seconds);
  double peak = 0, memory = 0, denormal = 0, ran = 0, passed = 0;
#pragma omp parallel num_threads(d->threads) reduction(+ : peak, memory, denormal, ran, passed)
  {
    const double start = clock_seconds(), before = thread_seconds();
    peak = 1e9 * cpu_measure_peak(0.3 * seconds);
    ran = thread_seconds() - before;
    passed = clock_seconds() - start;
#pragma omp barrier
    memory = measure_triad(n, 0.3 * seconds);
    denormal = flushes() ? 0 : 1;
  }
  sums[0] = peak;
  sums[1] = memory;
  sums[2] = denormal;
  sums[3] = ran;
  sums[4] = passed;
  TRY(doctor_sum(d->comm, sums, 5));
  r->peak_one = one[0];
  r->memory_one = one[1];
  r->peak_all = sums[0];
  r->memory_all = sums[1];
  r->cpu_share = sums[4] > 0 ? fmin(1, sums[3] / sums[4]) : 1;
  r->flushes_denormals = !(sums[2] > 0);
  return MLPD_OK;
}
