/* Measures the speed of predictors on one core and the FMA peak of that core, alternately in the same run; prints the
 * best and the median of the rounds. Usage: bench_predict [ROUNDS]  (default 15) */
#include <stdlib.h>

#include "kernels/cpu.h"
#include "model/model.h"
#include "ranks/clock.h"

typedef struct bench_case {
  const char *name;
  uint32_t widths[5], num_layers;
  mlpd_activation activation;
  uint64_t rows; /* rows per call */
  mlpd_type type;
  bool derivatives;
} bench_case;

static const bench_case cases[] = {
    {"32-64-64-1 relu, a row a call", {32, 64, 64, 1}, 3, MLPD_RELU, 1, MLPD_FLOAT64, false},
    {"32-64-64-1 tanh, a row a call", {32, 64, 64, 1}, 3, MLPD_TANH, 1, MLPD_FLOAT64, false},
    {"32-64-64-1 relu, 1024 rows", {32, 64, 64, 1}, 3, MLPD_RELU, 1024, MLPD_FLOAT32, false},
    {"32-64-64-1 tanh, 1024 rows", {32, 64, 64, 1}, 3, MLPD_TANH, 1024, MLPD_FLOAT32, false},
    {"32-64-64-1 relu, 1024 rows float64", {32, 64, 64, 1}, 3, MLPD_RELU, 1024, MLPD_FLOAT64, false},
    {"32-64-64-1 relu, 1024 rows, gradient", {32, 64, 64, 1}, 3, MLPD_RELU, 1024, MLPD_FLOAT32, true},
    {"784-512-512-10 relu, 1024 rows", {784, 512, 512, 10}, 3, MLPD_RELU, 1024, MLPD_FLOAT32, false},
};
enum { NUM_CASES = sizeof cases / sizeof *cases, MAX_ROUNDS = 101, ROUND_FLOPS = 200 * 1000 * 1000 };

static void check(mlpd_status status) {
  if (status == MLPD_OK) return;
  (void)fprintf(stderr, "bench_predict: %s\n", mlpd_error_message());
  exit(1);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static mlpd_model *make_model(const bench_case *c) {
  mlpd_model *const made = calloc(1, sizeof *made);
  mlpd_activation activations[5];
  if (made == NULL) exit(1);
  for (uint32_t l = 0; l < c->num_layers; l++) activations[l] = l + 1 < c->num_layers ? c->activation : MLPD_IDENTITY;
  made->task = MLPD_REGRESSION;
  check(mlpd_network_create(c->num_layers, c->widths, activations, &made->network));
  mlpd_network_init(made->network, MLPD_INIT_AUTO, 1);
  check(affine_create(c->widths[0], &made->input));
  check(affine_create(c->widths[c->num_layers], &made->target));
  return made;
}

static double flops_a_row(const bench_case *c) {
  double sum = 0;
  for (uint32_t l = 0; l < c->num_layers; l++) sum += (c->derivatives ? 4.0 : 2.0) * c->widths[l] * c->widths[l + 1];
  return sum;
}

static void run(mlpd_predictor *p, const bench_case *c, const mlpd_rows *x, const mlpd_rows *u, const mlpd_output *y) {
  check(c->derivatives ? mlpd_predictor_vjp(p, x, u, y) : mlpd_predictor_run(p, x, y, NULL));
}

static void measure(const bench_case *c, int rounds) {
  const uint32_t d = c->widths[0], k = c->widths[c->num_layers];
  const size_t size = c->type == MLPD_FLOAT32 ? sizeof(float) : sizeof(double);
  void *const rows = calloc(c->rows * d, size), *const out = calloc(c->rows * d, size);
  double seconds[MAX_ROUNDS], fractions[MAX_ROUNDS];
  if (rows == NULL || out == NULL) exit(1);
  for (uint64_t i = 0; i < c->rows * d; i++)
    if (c->type == MLPD_FLOAT32)
      ((float *)rows)[i] = (float)(i % 17) / 17;
    else
      ((double *)rows)[i] = (double)(i % 17) / 17;
  const mlpd_rows x = {.data = rows, .type = c->type, .rows = c->rows, .columns = d};
  const mlpd_rows u = {.data = rows, .type = c->type, .rows = c->rows, .columns = k};
  const mlpd_output y = {.data = out, .type = c->type, .rows = c->rows, .columns = c->derivatives ? d : k};
  mlpd_model *const model = make_model(c);
  mlpd_predictor *p = NULL;
  check(mlpd_predictor_create(model, 1, &p));
  const uint64_t calls = (uint64_t)(ROUND_FLOPS / (flops_a_row(c) * (double)c->rows)) + 1;
  run(p, c, &x, &u, &y);
  for (int round = 0; round < rounds; round++) {
    const double peak = cpu_measure_peak(0.01), start = clock_seconds();
    for (uint64_t i = 0; i < calls; i++) run(p, c, &x, &u, &y);
    seconds[round] = (clock_seconds() - start) / (double)calls / (double)c->rows;
    fractions[round] = flops_a_row(c) / seconds[round] * 1e-9 / peak;
  }
  qsort(seconds, (size_t)rounds, sizeof *seconds, ascending);
  qsort(fractions, (size_t)rounds, sizeof *fractions, ascending);
  (void)printf("%-38s best %8.3f us a row, median %8.3f; of the peak: best %.2f, median %.2f\n", c->name,
               1e6 * seconds[0], 1e6 * seconds[rounds / 2], fractions[rounds - 1], fractions[rounds / 2]);
  mlpd_predictor_free(p);
  mlpd_model_free(model);
  free(rows);
  free(out);
}

int main(int argc, char **argv) {
  const int wanted = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 15;
  const int rounds = wanted < 1 ? 1 : wanted > MAX_ROUNDS ? MAX_ROUNDS : wanted;
  for (int i = 0; i < NUM_CASES; i++) measure(&cases[i], rounds);
  return 0;
}
