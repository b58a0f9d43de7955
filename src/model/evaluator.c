/* mlpd_evaluate: metrics of one part, exact over ranks: counts are summed as integers, sums a block of
 * rows at a time in double and in a fixed order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "data/data_open.h"
#include "data/dataset.h"
#include "kernels/cpu.h"
#include "model/held_out.h"
#include "model/importance.h"
#include "model/model_agreement.h"
#include "model/model_output.h"
#include "model/model_table.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "ranks/placement.h"

/* Sums of one block, for each output of a regression; a block's record is the loss sums, then these. */
typedef struct error_sums {
  double square, absolute; /* of the error, in scaled targets */
  double target, target_square;
} error_sums;

enum { LOSS_DOUBLES = sizeof(loss_sums) / sizeof(double), ERROR_DOUBLES = sizeof(error_sums) / sizeof(double) };

enum { REPEATS_MOST = 10000 };

typedef struct report_pass {
  const mlpd_model *model;
  const layer *output;
  uint64_t *confusion; /* (k, k), shared by the threads */
} report_pass;

static void add_errors(const report_pass *pass, uint64_t n, const float *a, const float *y, error_sums *sums) {
  const uint32_t each = loss_outputs(&pass->model->loss), point = loss_point(&pass->model->loss);
  const uint32_t k = pass->output->outputs, targets = k / each;
  for (uint64_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < targets; j++) {
      const float prediction = loss_clamp(&pass->model->loss, j, a[i * k + j * each + point]);
      const double target = (double)y[i * targets + j], error = (double)prediction - target;
      sums[j].square += error * error;
      sums[j].absolute += fabs(error);
      sums[j].target += target;
      sums[j].target_square += target * target;
    }
}

/* Counts, for each level, the targets at or below the quantile that is predicted for it. */
static void count_below(const mlpd_model *model, uint64_t n, const float *a, const float *y, double *counts) {
  const uint32_t each = loss_outputs(&model->loss);
  const uint32_t targets = model_targets(model);
  for (uint64_t i = 0; i < n * targets; i++)
    for (uint32_t q = 0; q < model_num_levels(model); q++)
      counts[q] += (double)y[i] <= model_quantile(model, (uint32_t)(i % targets), q, a + i * each);
}

static void measure_report(void *context, uint64_t n, const workspace *space, const targets *y, double *record) {
  const report_pass *const pass = context;
  const uint32_t k = pass->output->outputs;
  loss_sums sums = {0};
  loss_compute(&pass->model->loss, pass->output->activation, n, k, space->output_z, space->output, y, NULL, &sums);
  memcpy(record, &sums, sizeof sums);
  if (pass->confusion == NULL) {
    double *const errors = record + LOSS_DOUBLES;
    add_errors(pass, n, space->output, y->values, (error_sums *)(void *)errors);
    count_below(pass->model, n, space->output, y->values, errors + ERROR_DOUBLES * model_targets(pass->model));
    return;
  }
  for (uint64_t i = 0; i < n; i++) {
    uint64_t *const cell =
        &pass->confusion[(size_t)y->classes[i] * k + forward_predicted_class(space->output + i * k, k)];
#pragma omp atomic
    (*cell)++;
  }
}

/* ---- From sums to figures ------------------------------------------------------------------------ */

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

static void classify(mlpd_report *r) {
  const uint32_t k = r->outputs;
  uint64_t right = 0;
  for (uint32_t c = 0; c < k; c++) {
    double actual = 0, predicted = 0;
    for (uint32_t j = 0; j < k; j++) {
      actual += (double)r->confusion[(size_t)c * k + j];
      predicted += (double)r->confusion[(size_t)j * k + c];
    }
    const double hit = (double)r->confusion[(size_t)c * k + c];
    right += r->confusion[(size_t)c * k + c];
    r->precision[c] = ratio(hit, predicted);
    r->recall[c] = ratio(hit, actual);
    r->f1[c] = ratio(2 * hit, actual + predicted);
  }
  r->accuracy = ratio((double)right, (double)r->rows);
}

static void regress(const mlpd_model *model, const double *total, mlpd_report *r) {
  const error_sums *const sums = (const error_sums *)(const void *)total;
  const double n = (double)r->rows;
  double square = 0, absolute = 0;
  for (uint32_t j = 0; j < r->outputs; j++) {
    const double unit = 1 / model->target.scale[j];
    const double spread = sums[j].target_square - sums[j].target * sums[j].target / n;
    r->rmse[j] = sqrt(sums[j].square / n) * unit;
    r->mae[j] = sums[j].absolute / n * unit;
    r->r2[j] = spread > 0 ? 1 - sums[j].square / spread : 0;
    square += r->rmse[j] * r->rmse[j];
    absolute += r->mae[j];
    r->r2_all += r->r2[j] / r->outputs;
  }
  for (uint32_t q = 0; q < r->num_levels; q++) {
    r->level[q] = model_level(model, q);
    r->below[q] = total[ERROR_DOUBLES * r->outputs + q] / (n * r->outputs);
  }
  r->rmse_all = sqrt(square / r->outputs);
  r->mae_all = absolute / r->outputs;
}

static mlpd_status allocate_report(const mlpd_model *model, mlpd_report *r) {
  if (model->task == MLPD_CLASSIFICATION) {
    TRY(memory_allocate(&r->confusion, (size_t)r->outputs * r->outputs, sizeof *r->confusion, "confusion matrix"));
    TRY(memory_allocate(&r->precision, r->outputs, sizeof(double), "report"));
    TRY(memory_allocate(&r->recall, r->outputs, sizeof(double), "report"));
    return memory_allocate(&r->f1, r->outputs, sizeof(double), "report");
  }
  TRY(memory_allocate(&r->level, r->num_levels, sizeof(double), "report"));
  TRY(memory_allocate(&r->below, r->num_levels, sizeof(double), "report"));
  TRY(memory_allocate(&r->rmse, r->outputs, sizeof(double), "report"));
  TRY(memory_allocate(&r->mae, r->outputs, sizeof(double), "report"));
  return memory_allocate(&r->r2, r->outputs, sizeof(double), "report");
}

void mlpd_report_free(mlpd_report *r) {
  if (r == NULL) return;
  free(r->confusion);
  free(r->precision);
  free(r->recall);
  free(r->f1);
  free(r->level);
  free(r->below);
  free(r->rmse);
  free(r->mae);
  free(r->r2);
  *r = (mlpd_report){0};
}

static mlpd_status fill_report(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *part,
                               const mlpd_data_paths *data, mlpd_split split, int threads, mlpd_report *r) {
  uint64_t overflow = UINT64_MAX;
  const bool classes = model->task == MLPD_CLASSIFICATION;
  report_pass measure = {.model = model, .output = network_output(model->network), .confusion = r->confusion};
  const forward_pass pass = {.network = model->network,
                             .gemm = gemm,
                             .input = &model->input,
                             .rows = &part->rows,
                             .threads = threads,
                             .measure = measure_report,
                             .context = &measure,
                             .doubles = LOSS_DOUBLES + (classes ? 0 : r->outputs * ERROR_DOUBLES + r->num_levels),
                             .overflow = &overflow};
  double *total = NULL;
  mlpd_status status = memory_allocate(&total, pass.doubles, sizeof *total, "report");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  TRY_GOTO(status, forward_sums(comm, &pass, &part->range, total), done);
  if (overflow != UINT64_MAX) status = held_out_overflow(part, model, data->file, split, overflow);
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  if (classes) TRY_GOTO(status, comm_sum_u64(comm, r->confusion, (uint64_t)r->outputs * r->outputs), done);
  loss_sums sums;
  memcpy(&sums, total, sizeof sums);
  r->loss = ratio(sums.loss, sums.weight);
  if (isnan(sums.loss)) r->loss = NAN;
  if (classes)
    classify(r);
  else
    regress(model, total + LOSS_DOUBLES, r);
done:
  free(total);
  return status;
}

/* What an evaluation is asked for beside the report. */
typedef struct wishes {
  const char *function; /* for messages */
  importance_wish wish;
  mlpd_importance *importance; /* NULL: only the report */
} wishes;

static mlpd_status check_wishes(mlpd_comm *comm, const wishes *more, char asked[128]) {
  const uint32_t repeats = more->wish.repeats;
  mlpd_status status = MLPD_OK;
  (void)snprintf(asked, 128, "eval");
  if (more->importance == NULL) return MLPD_OK;
  if (repeats < 1 || repeats > REPEATS_MOST)
    status = FAIL(MLPD_ERROR_USAGE, "repeats is %u, not 1 to %d", repeats, REPEATS_MOST);
  (void)snprintf(asked, 128, "eval with the importance of columns, %u repeats, seed %llu", repeats,
                 (unsigned long long)more->wish.seed);
  return mlpd_comm_agree(comm, status);
}

static mlpd_status evaluate(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split split,
                            const char *backend_name, int threads, const wishes *more, mlpd_report *r) {
  char asked[128];
  if (r != NULL) *r = (mlpd_report){.rows = 0};
  TRY(model_check_call(comm, more->function, model, data, r, "report"));
  TRY(check_wishes(comm, more, asked));
  const mlpd_data_paths settled = data_settled(data);
  data = &settled;
  *r = (mlpd_report){.task = model->task, .loss_kind = model->loss.kind};
  loss_describe(&model->loss, r->loss_text);
  const double started = clock_seconds();
  const backend *gemm = NULL;
  held_out part = {0};
  model_table table = {.raw = false};
  comm_watch_place(comm, "during the evaluation");
  r->outputs = model_targets(model);
  r->num_levels = model->task == MLPD_REGRESSION ? model_num_levels(model) : 0;
  mlpd_status status = placement_threads(comm, threads, &threads);
  if (status == MLPD_OK) status = data_check(data, split);
  if (status == MLPD_OK) status = backend_choose(backend_name, &gemm);
  if (status == MLPD_OK) status = allocate_report(model, r);
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  TRY_GOTO(status, model_agreement_check(comm, gemm, model, data, split, asked), done);
  TRY_GOTO(status, model_table_open(comm, model, data, false, NULL, &split, &table), done);
  data = &table.data;
  comm_watch_place(comm, "during the evaluation");
  TRY_GOTO(status, held_out_read(comm, NULL, data, split, model, true, false, 1, &part), done);
  r->rows = part.range.rows;
  status = fill_report(comm, model, gemm, &part, data, split, threads, r);
  r->seconds = clock_seconds() - started;
  if (status == MLPD_OK && more->importance != NULL)
    status = importance_measure(comm, model, gemm, &part, data->file, threads, &more->wish, more->importance);
done:
  comm_watch_place(comm, COMM_AT_THE_END);
  held_out_free(&part);
  status = model_table_close(status, &table);
  if (status != MLPD_OK) mlpd_report_free(r);
  if (status != MLPD_OK) mlpd_importance_free(more->importance);
  return status;
}

mlpd_status mlpd_evaluate(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split split,
                          const char *backend_name, int threads, mlpd_report *r) {
  const wishes report_alone = {.function = "mlpd_evaluate"};
  IN_C_LOCALE();
  KEEP_CALLERS_THREADS();
  return evaluate(comm, model, data, split, backend_name, threads, &report_alone, r);
}

mlpd_status mlpd_evaluate_importance(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split split,
                                     const char *backend_name, int threads, uint32_t repeats, uint64_t seed,
                                     mlpd_report *r, mlpd_importance *importance) {
  const wishes both = {"mlpd_evaluate_importance", {.repeats = repeats, .seed = seed}, importance};
  IN_C_LOCALE();
  KEEP_CALLERS_THREADS();
  if (importance != NULL) *importance = (mlpd_importance){0};
  TRY(model_check_call(comm, both.function, model, data, importance, "importance"));
  return evaluate(comm, model, data, split, backend_name, threads, &both, r);
}
