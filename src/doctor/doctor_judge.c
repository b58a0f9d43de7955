/* Decides which measurements are findings, and proposes cures. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/doctor.h"

static const double SLOW_ALL = 0.75;      /* speed of all cores at once / (cores x speed of one) */
static const double SHARED = 0.95;        /* share of the cores' time: a system's own small tasks take less than 5 % */
static const double SLOW_BACKEND = 0.5;   /* fraction of the peak: typical if a library runs another CPU's kernels */
static const double BETTER_BACKEND = 1.1; /* speed / speed of the chosen back end: more than measurements vary */
static const double LONG_LOAD = 5;        /* seconds */
static const double UNEVEN = 0.05;        /* fraction of a step */
static const double WIRE_SHARE = 0.25;    /* fraction of a step */

static void add(mlpd_doctor_report *r, const char *id, const char *cure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add(mlpd_doctor_report *r, const char *id, const char *cure, const char *format, ...) {
  if (r->num_findings == MLPD_MAX_FINDINGS) return;
  mlpd_finding *const f = &r->findings[r->num_findings++];
  (void)snprintf(f->id, sizeof f->id, "%s", id);
  (void)snprintf(f->cure, sizeof f->cure, "%s", cure);
  va_list values;
  va_start(values, format);
  (void)vsnprintf(f->what, sizeof f->what, format, values);
  va_end(values);
}

static void judge_cores(doctor *d) {
  mlpd_doctor_report *const r = d->report;
  const double threads = (double)r->threads * r->ranks, alone = r->peak_one * threads;
  if (!r->flushes_denormals)
    add(r, "denormals", "none: mlpdist knows no switch for it on this processor",
        "tiny numbers (denormals) are not flushed to zero; training slows down when they occur");
  if (r->cpu_share < SHARED)
    add(r, "cores-taken",
        "end other programs (top shows them), or raise the quota; the times above are those of a loaded machine",
        "the threads got %.0f%% of their cores' time: other programs or a CPU quota take the rest", 100 * r->cpu_share);
  if (r->num_findings == 0 && threads > 1 && r->peak_all < SLOW_ALL * alone)
    add(r, "cores-slow-together",
        "other programs, a CPU quota, SMT siblings or the power limit slow them down: check with top, or use fewer "
        "threads",
        "%.0f threads at once reach %.2f of %.0f times the speed of one", threads, r->peak_all / alone, threads);
}

/* The name of OpenBLAS's kernels for this processor, if it did not choose them itself; else NULL. */
static const char *better_openblas(const mlpd_backend_speed *speed) {
  if (strstr(speed->description, "OpenBLAS") == NULL) return NULL;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const char *const core = __builtin_cpu_supports("avx512f") ? "SkylakeX"
                           : __builtin_cpu_supports("avx2")  ? "Haswell"
                                                             : NULL;
  return core != NULL && strcasecmp(core, speed->instructions) != 0 ? core : NULL;
#else
  return NULL;
#endif
}

static void describe(const mlpd_backend_speed *speed, char *text, size_t bytes) {
  (void)snprintf(text, bytes, "%s (%s%s%s)", speed->name, speed->description,
                 speed->instructions[0] != '\0' ? ", " : "", speed->instructions);
}

/* Another back end than our own loses the promise of equal bits. */
static const char *price_of(const mlpd_backend_speed *best) {
  return strcmp(best->name, "native") == 0
             ? ""
             : " (it changes the resulting weights, whose bits then depend on the processor)";
}

/* Reports a library that chose kernels for another processor, and the fastest back end, unless other programs took the
 * cores from one back end or the other. */
static void judge_backends(doctor *d) {
  mlpd_doctor_report *const r = d->report;
  const mlpd_backend_speed *best = NULL;
  char text[160], cure[240];
  for (int i = 0; i < r->num_backends; i++)
    if (best == NULL || r->backends[i].flops > best->flops) best = &r->backends[i];
  for (int i = 0; i < r->num_backends; i++) {
    const mlpd_backend_speed *const speed = &r->backends[i];
    const char *const core = better_openblas(speed);
    const char *const cap = strstr(speed->description, "oneDNN") != NULL ? getenv("DNNL_MAX_CPU_ISA") : NULL;
    const bool beaten = speed != best && best->flops > BETTER_BACKEND * speed->flops;
    const bool slow = speed->fraction < SLOW_BACKEND && beaten && (core != NULL || cap != NULL);
    if (!slow && !(speed->taken && beaten && r->cpu_share >= SHARED)) continue;
    describe(speed, text, sizeof text);
    size_t used = (size_t)snprintf(cure, sizeof cure, "use --backend %s, which reaches %.2f%s", best->name,
                                   best->fraction, price_of(best));
    if (core != NULL && slow)
      used += (size_t)snprintf(cure + used, sizeof cure - used, ", or OPENBLAS_CORETYPE=%s", core);
    if (cap != NULL && slow)
      (void)snprintf(cure + used, sizeof cure - used, ", or unset DNNL_MAX_CPU_ISA (%.20s)", cap);
    add(r, "backend-slow", cure, "%s reaches %.2f of the peak", text, speed->fraction);
  }
}

static void judge_data(doctor *d) {
  mlpd_doctor_report *const r = d->report;
  if (!r->has_file || !(r->read_rows > 0) || (double)r->rows / r->read_rows < LONG_LOAD) return;
  add(r, "read-slow",
      r->network_file_system ? "copy the file to a disk of each machine first, or start more ranks on more machines"
                             : "if the file is compressed, uncompress it with h5repack -f NONE; or start more ranks",
      "the training part takes %.0f s to read, at %.0f MB/s%s%s", (double)r->rows / r->read_rows, 1e-6 * r->read_bytes,
      r->network_file_system ? " from " : "", r->network_file_system ? r->file_system : "");
}

/* Reports what takes the time of a step on these ranks other than computing. */
static void judge_step(doctor *d) {
  mlpd_doctor_report *const r = d->report;
  const mlpd_prediction *const p = &r->predictions[0];
  const uint32_t ranks = (uint32_t)p->ranks;
  char cure[240];
  if (p->imbalance > UNEVEN * p->step) {
    (void)snprintf(cure, sizeof cure, "use --lanes %u (which changes the resulting weights)",
                   (p->lanes - 1 + ranks) / ranks * ranks);
    add(r, "lanes-uneven", cure, "%u lanes on %d ranks: a rank with %u lanes makes others wait for %.0f%% of a step",
        p->lanes, p->ranks, p->most_lanes, 100 * p->imbalance / p->step);
  }
  const double wire = p->latency + p->bandwidth;
  if (!(wire > WIRE_SHARE * p->step)) return;
  const mlpd_limit which = p->latency > p->bandwidth ? MLPD_LIMIT_LATENCY : MLPD_LIMIT_BANDWIDTH;
  add(r, "wire-slow",
      r->nodes == 1 ? "a larger --batch; or one rank with more threads, which needs no sum"
                    : mlpd_limit_choices[which].help,
      "the sum over %d ranks takes %.0f%% of a step, most of it by %s", p->ranks, 100 * wire / p->step,
      mlpd_choice_name(mlpd_limit_choices, (int)which));
}

void doctor_judge(doctor *d) {
  for (uint32_t i = 0; i < d->places.num_findings; i++)
    d->report->findings[d->report->num_findings++] = d->places.findings[i];
  judge_cores(d);
  judge_backends(d);
  judge_data(d);
  judge_step(d);
}
