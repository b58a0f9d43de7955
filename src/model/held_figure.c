#include "model/held_figure.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ranks/comm.h"

/* Bins of AUC: those of p and 1 - p below 1/2, by the exponent of the float and the first bits of its mantissa. */
enum {
  MANTISSA_BITS = 8,
  EXPONENTS = 40, /* smaller probabilities are one bin */
  SIDE_BINS = EXPONENTS << MANTISSA_BITS,
  BINS = 2 * SIDE_BINS
};

enum { LOSS_DOUBLES = sizeof(loss_sums) / sizeof(double) };

enum { HIT, ACTUAL, PREDICTED, F1_COUNTS }; /* of each class */

typedef struct counter {
  forward_loss loss;
  uint32_t outputs;
  mlpd_select which;
  uint64_t *counts; /* (outputs, F1_COUNTS), or (2, BINS) by class */
} counter;

static size_t num_counts(mlpd_select which, uint32_t outputs) {
  return which == MLPD_SELECT_AUC ? 2 * (size_t)BINS : (size_t)F1_COUNTS * (outputs > 1 ? outputs : 2);
}

static void count_one(uint64_t *count) {
#pragma omp atomic
  (*count)++;
}

/* Ascending in p, 0 < p <= 1/2, as the bits of floats are. */
static uint32_t side_bin(float p) {
  static const uint32_t HALF = 0x3f000000u;
  uint32_t bits = 0;
  memcpy(&bits, &p, sizeof bits);
  const uint32_t below = bits < HALF ? (HALF - bits) >> (23 - MANTISSA_BITS) : 0;
  return below < SIDE_BINS ? SIDE_BINS - 1 - below : 0;
}

/* a (k): of two classes, the probability of each or of the second alone. */
static uint32_t bin_of(const float *a, uint32_t k) {
  const float first = k == 1 ? 1 - a[0] : a[0], second = a[k - 1], sum = first + second;
  return second < first ? side_bin(second / sum) : BINS - 1 - side_bin(sum > 0 ? first / sum : 0.5f);
}

static void count_rows(void *context, uint64_t n, const workspace *space, const targets *y, double *record) {
  counter *const c = context;
  const uint32_t k = c->outputs;
  forward_measure_loss(&c->loss, n, space, y, record);
  for (uint64_t i = 0; i < n; i++) {
    const float *const a = space->output + i * k;
    const uint32_t class = (uint32_t)y->classes[i], predicted = forward_predicted_class(a, k);
    if (c->which == MLPD_SELECT_AUC) {
      count_one(&c->counts[class * BINS + bin_of(a, k)]);
      continue;
    }
    count_one(&c->counts[class * F1_COUNTS + ACTUAL]);
    count_one(&c->counts[predicted * F1_COUNTS + PREDICTED]);
    if (predicted == class) count_one(&c->counts[class * F1_COUNTS + HIT]);
  }
}

static double mean_f1(const uint64_t *counts, uint32_t classes) {
  double sum = 0;
  uint32_t present = 0;
  for (uint32_t k = 0; k < classes; k++, counts += F1_COUNTS) {
    if (counts[ACTUAL] == 0) continue;
    sum += 2 * (double)counts[HIT] / (double)(counts[ACTUAL] + counts[PREDICTED]);
    present++;
  }
  return present > 0 ? sum / present : 0;
}

/* The share of pairs, a row of each class, whose second has the higher bin; pairs in one bin count half. 1/2 where a
 * class has no rows. */
static double area(const uint64_t *counts) {
  double pairs = 0, rows[2] = {0, 0};
  for (uint32_t b = 0; b < BINS; b++) {
    const double first = (double)counts[b], second = (double)counts[BINS + b];
    pairs += second * (rows[0] + 0.5 * first);
    rows[0] += first;
    rows[1] += second;
  }
  return rows[0] > 0 && rows[1] > 0 ? pairs / (rows[0] * rows[1]) : 0.5;
}

mlpd_status held_figure_check(mlpd_select which, const mlpd_model *model) {
  const layer *const output = network_output(model->network);
  const mlpd_task task = model->task;
  const char *const name = mlpd_choice_name(mlpd_select_choices, (int)which);
  const bool of_classes = which == MLPD_SELECT_AUC || which == MLPD_SELECT_F1;
  if (of_classes && task != MLPD_CLASSIFICATION)
    return FAIL(MLPD_ERROR_USAGE, "--select %s is for classes, and the targets are values: use --select rmse", name);
  if (which == MLPD_SELECT_RMSE && task != MLPD_REGRESSION)
    return FAIL(MLPD_ERROR_USAGE, "--select rmse is for values, and the targets are classes: use --select error");
  if (which == MLPD_SELECT_AUC && output->outputs > 2)
    return FAIL(MLPD_ERROR_USAGE, "--select auc is for two classes, and there are %u: use --select f1",
                output->outputs);
  if (which == MLPD_SELECT_AUC && output->activation != MLPD_SOFTMAX && output->activation != MLPD_SIGMOID)
    return FAIL(MLPD_ERROR_USAGE, "--select auc needs probabilities: --output-activation softmax or sigmoid, not %s",
                mlpd_choice_name(mlpd_activation_choices, (int)output->activation));
  return MLPD_OK;
}

mlpd_status held_figure(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                        const loss_spec *loss, int threads, mlpd_select which, loss_sums *sums, double *figure) {
  const layer *const output = network_output(model->network);
  counter c = {.loss = {.loss = loss, .output = output}, .outputs = output->outputs, .which = which};
  const held_measure measure = {.measure = count_rows, .context = &c, .doubles = LOSS_DOUBLES};
  const size_t count = num_counts(which, c.outputs);
  double total[LOSS_DOUBLES];
  mlpd_status status = memory_allocate(&c.counts, count, sizeof *c.counts, "counts of rows");
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = held_out_pass(comm, model, gemm, held, threads, &measure, total);
  if (status == MLPD_OK) status = comm_sum_u64(comm, c.counts, count);
  if (status == MLPD_OK) {
    memcpy(sums, total, sizeof total);
    *figure = which == MLPD_SELECT_AUC ? area(c.counts) : mean_f1(c.counts, c.outputs > 1 ? c.outputs : 2);
  }
  free(c.counts);
  return status;
}
