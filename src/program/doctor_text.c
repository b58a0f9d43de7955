#include <string.h>

#include "program/doctor_report.h"

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

static void print_machine(const mlpd_doctor_report *r, FILE *stream) {
  const int threads = r->ranks * r->threads;
  (void)fprintf(stream, "machine    %s, %d node%s, %d rank%s x %d thread%s", r->cpu, r->nodes,
                plural((uint64_t)r->nodes), r->ranks, plural((uint64_t)r->ranks), r->threads,
                plural((uint64_t)r->threads));
  (void)fprintf(stream, "\ncores      %d for rank 0", r->cores);
  if (r->physical_cores > 0) (void)fprintf(stream, ", %d physical", r->physical_cores);
  if (r->quota_cores > 0) (void)fprintf(stream, ", CPU quota %d", r->quota_cores);
  (void)fprintf(stream, "\npeak       %.0f GF/s one thread, %.0f GF/s all %d at once, which got %.0f%% of their time\n",
                1e-9 * r->peak_one, 1e-9 * r->peak_all, threads, 100 * r->cpu_share);
  (void)fprintf(stream, "memory     %.1f GB/s one thread, %.1f GB/s all at once\n", 1e-9 * r->memory_one,
                1e-9 * r->memory_all);
  (void)fprintf(stream, "denormals  %s\n", r->flushes_denormals ? "flushed to zero" : "not flushed");
}

static void print_backends(const mlpd_doctor_report *r, FILE *stream) {
  for (int i = 0; i < r->num_backends; i++) {
    const mlpd_backend_speed *const b = &r->backends[i];
    char library[96];
    (void)snprintf(library, sizeof library, "%s%s%s", b->description, b->instructions[0] != '\0' ? ", " : "",
                   b->instructions);
    (void)fprintf(stream, "%s  %-8s %-36s %6.0f GF/s, %.2f of the peak%s\n", i == 0 ? "products " : "         ",
                  b->name, library, 1e-9 * b->flops, b->fraction, b->taken ? "  taken" : "");
  }
}

static void print_wire(const mlpd_doctor_report *r, FILE *stream) {
  if (r->latency > 0 || r->bandwidth > 0)
    (void)fprintf(stream, "wire       %.2f us a message, %.2f GB/s%s", 1e6 * r->latency, 1e-9 * r->bandwidth,
                  r->num_wire_points > 0 ? "" : ", as given");
  else if (r->ranks == 1)
    (void)fprintf(stream, "wire       not measured: one rank; start under mpirun, or give --latency and --bandwidth");
  if (r->num_wire_points > 0) {
    (void)fprintf(stream, "; sums");
    for (int i = 0; i < r->num_wire_points; i += i + 3 < r->num_wire_points ? 2 : 1) {
      const double bytes = (double)r->wire[i].bytes;
      (void)fprintf(stream, "%s %.4g %s %.3g us", i == 0 ? "" : ",", bytes < 1e6 ? 1e-3 * bytes : 1e-6 * bytes,
                    bytes < 1e6 ? "kB" : "MB", 1e6 * r->wire[i].seconds);
    }
  }
  (void)fprintf(stream, "\n");
}

static void print_file(const mlpd_doctor_report *r, const char *file, FILE *stream) {
  if (!r->has_file) return;
  (void)fprintf(stream, "data       %s: %.3g M rows/s, %.0f MB/s", file, 1e-6 * r->read_rows, 1e-6 * r->read_bytes);
  if (r->file_system[0] != '\0')
    (void)fprintf(stream, ", %s%s", r->file_system, r->network_file_system ? " (over the network)" : "");
  if (r->read_rows > 0) (void)fprintf(stream, ": %.2g s to load", (double)r->rows / r->read_rows);
  (void)fprintf(stream, "\n");
}

static void print_predictions(const mlpd_doctor_report *r, FILE *stream) {
  (void)fprintf(stream,
                "\npredicted, ms a step\n"
                "%5s %5s %9s %9s %8s %9s %8s %9s %11s %10s  %s\n",
                "ranks", "lanes", "step", "compute", "input", "imbalance", "latency", "bandwidth", "samples/s",
                "efficiency", "limit");
  bool known = true;
  for (int i = 0; i < r->num_predictions; i++) {
    const mlpd_prediction *const p = &r->predictions[i];
    (void)fprintf(stream, "%5d %5u %9.4g %9.4g %8.3g %9.3g %8.3g %9.3g %11.0f %10.2f  %s%s\n", p->ranks, p->lanes,
                  1e3 * p->step, 1e3 * p->compute, 1e3 * p->input, 1e3 * p->imbalance, 1e3 * p->latency,
                  1e3 * p->bandwidth, p->samples_per_second, p->efficiency,
                  mlpd_choice_name(mlpd_limit_choices, (int)p->limit), p->wire_known ? "" : " (wire not known)");
    known = known && p->wire_known;
  }
  (void)fprintf(stream, "step: %s\n", r->step);
  (void)fprintf(stream, "measured, on %d rank%s: %.4g ms a step, %.0f samples/s\n", r->ranks,
                plural((uint64_t)r->ranks), 1e3 * r->step_seconds,
                r->step_seconds > 0 ? (double)r->batch / r->step_seconds : 0);
  if (!known) (void)fprintf(stream, "where the wire is not known it counts as nothing\n");
  const mlpd_prediction *const most = &r->predictions[r->num_predictions - 1];
  if (most->limit != MLPD_LIMIT_COMPUTE)
    (void)fprintf(stream, "on %d rank%s %s limits: %s\n", most->ranks, plural((uint64_t)most->ranks),
                  mlpd_choice_name(mlpd_limit_choices, (int)most->limit), mlpd_limit_choices[most->limit].help);
}

void doctor_print_text(const mlpd_doctor_report *r, const char *file, FILE *stream) {
  print_machine(r, stream);
  (void)fprintf(stream, "network    %s, %llu parameters, batch %llu, %u lane%s\n", r->network,
                (unsigned long long)r->parameters, (unsigned long long)r->batch, r->lanes, plural(r->lanes));
  print_backends(r, stream);
  print_wire(r, stream);
  print_file(r, file, stream);
  print_predictions(r, stream);
  (void)fprintf(stream, "\n");
  for (int i = 0; i < r->num_findings; i++)
    (void)fprintf(stream, "finding    %s; %s\n", r->findings[i].what, r->findings[i].cure);
  if (r->num_findings == 0) (void)fprintf(stream, "no findings\n");
}
