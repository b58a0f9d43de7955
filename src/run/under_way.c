/* mlpd_trainer: its steps, and the model so far. Each step is an epoch of one batch, whose rows are dealt to lanes in
 * the order in which the ranks hand them in. */
#include "run/under_way.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "data/column_curves.h"
#include "kernels/cpu.h"
#include "network/schedule.h"
#include "ranks/comm.h"

/* ---- Rows and steps --------------------------------------------------------------------------------- */

static mlpd_status set_scales(mlpd_trainer *t, const double *shift, const double *scale, const char *what, affine *a,
                              uint64_t *known) {
  uint64_t given = shift != NULL && scale != NULL;
  mlpd_status status =
      (shift != NULL) == (scale != NULL)
          ? MLPD_OK
          : FAIL(MLPD_ERROR_USAGE, "mlpd_trainer_normalize: %s_shift and %s_scale are both given, or both NULL", what,
                 what);
  if (status == MLPD_OK && given != 0 && a->columns == 0)
    status = FAIL(MLPD_ERROR_USAGE, "mlpd_trainer_normalize: classes are not normalised; y_shift must be NULL");
  for (uint32_t j = 0; status == MLPD_OK && given != 0 && j < a->columns; j++)
    if (!isfinite(shift[j]) || !isfinite(scale[j]) || scale[j] <= 0)
      status =
          FAIL(MLPD_ERROR_USAGE, "mlpd_trainer_normalize: %s_shift[%u] is %g, %s_scale[%u] is %g; a scale is above 0",
               what, j, shift[j], what, j, scale[j]);
  TRY(mlpd_comm_agree(t->comm, status));
  TRY(comm_broadcast(t->comm, &given, sizeof given, 0));
  if (given == 0) return MLPD_OK;
  if (shift != NULL) memcpy(a->shift, shift, a->columns * sizeof *shift);
  if (scale != NULL) memcpy(a->scale, scale, a->columns * sizeof *scale);
  TRY(comm_broadcast(t->comm, a->shift, a->columns * sizeof *a->shift, 0));
  TRY(comm_broadcast(t->comm, a->scale, a->columns * sizeof *a->scale, 0));
  affine_straighten(a);
  affine_settle(a);
  *known = 1;
  return MLPD_OK;
}

mlpd_status mlpd_trainer_normalize(mlpd_trainer *t, const double *x_shift, const double *x_scale, const double *y_shift,
                                   const double *y_scale) {
  IN_C_LOCALE();
  TRY(status_need(t, __func__, "trainer"));
  if (t->state.step > 0 || t->state.seen > 0)
    return FAIL(MLPD_ERROR_USAGE,
                "mlpd_trainer_normalize: the first rows have been handed in, so the normalisation is "
                "fixed");
  TRY(set_scales(t, x_shift, x_scale, "x", &t->model->input, &t->state.scales_x));
  return set_scales(t, y_shift, y_scale, "y", &t->model->target, &t->state.scales_y);
}

mlpd_status mlpd_trainer_add(mlpd_trainer *t, const mlpd_rows *x, const mlpd_rows *y) {
  IN_C_LOCALE();
  TRY(status_need(t, __func__, "trainer"));
  float *records = NULL;
  uint64_t rows = 0;
  if (t->buffer_rows == 0)
    return FAIL(MLPD_ERROR_USAGE, "mlpd_trainer_add: there is no buffer; give mlpd_trainer_create() buffer_rows");
  TRY(under_way_gather(t, x, y, 0, UINT64_MAX, &records, &rows));
  under_way_keep(t, records, rows);
  free(records);
  return MLPD_OK;
}

/* Collective. */
static mlpd_status deal_batch(mlpd_trainer *t, const mlpd_rows *x, const mlpd_rows *y) {
  float *records = NULL;
  uint64_t rows = 0;
  const uint64_t most = t->options.batch, least = t->options.norm == MLPD_NORM_BATCH ? most : 1;
  TRY(under_way_gather(t, x, y, least, most, &records, &rows));
  under_way_deal(t, records, rows);
  free(records);
  return MLPD_OK;
}

static mlpd_status train(mlpd_trainer *t, double *loss) {
  step_outcome outcome;
  const uint64_t every = t->options.check_every;
  const schedule_epoch epoch = {.steps = t->steps_per_epoch, .samples = t->steps_per_epoch * t->options.batch};
  const double lr = schedule_lr(&t->options, &epoch, t->state.step, &SCHEDULE_START);
  const step_wishes wishes = {.check = every > 0 && t->state.step % every == 0};
  stepper_weaken(t->stepper, schedule_regularization(&t->options, t->steps_per_epoch, t->state.step));
  stepper_begin_epoch(t->stepper, t->state.step);
  TRY(stepper_step(t->stepper, 0, lr, &wishes, &outcome));
  if (!outcome.finite)
    return FAIL(MLPD_ERROR_DIVERGED,
                "the loss is not a finite number at step %llu; the likely cause is a learning rate too large for this "
                "network: lr %.2g, or clip-norm 1",
                (unsigned long long)t->state.step + 1, t->options.lr / 10);
  if (!outcome.agreed) {
    TRY(stepper_compare_weights(t->stepper));
    return FAIL(MLPD_ERROR_INTERNAL, "weights or optimizer state of the ranks differed before step %llu",
                (unsigned long long)t->state.step + 1);
  }
  t->state.step++;
  if (loss != NULL) *loss = outcome.sums.loss / outcome.sums.weight;
  return MLPD_OK;
}

mlpd_status mlpd_trainer_step(mlpd_trainer *t, const mlpd_rows *x, const mlpd_rows *y, double *loss) {
  IN_C_LOCALE();
  KEEP_CALLERS_THREADS();
  TRY(status_need(t, __func__, "trainer"));
  double any = x != NULL || y != NULL, least = any; /* of the ranks */
  TRY(comm_min_max_double(t->comm, &least, &any));
  if (any > 0) {
    TRY(deal_batch(t, x, y)); /* which refuses NULL */
    return train(t, loss);
  }
  if (t->state.filled == 0)
    return FAIL(MLPD_ERROR_USAGE,
                "mlpd_trainer_step: no rows are given, and the buffer has none; mlpd_trainer_add() "
                "fills it");
  under_way_deal(t, NULL, 0);
  return train(t, loss);
}

uint64_t mlpd_trainer_steps(const mlpd_trainer *t) { return t->state.step; }

uint64_t mlpd_trainer_buffered(const mlpd_trainer *t) { return t->state.filled; }

/* ---- The model -------------------------------------------------------------------------------------- */

static mlpd_status copy_affine(const affine *from, affine *made) {
  if (from->columns == 0) return MLPD_OK;
  TRY(affine_create(from->columns, made));
  memcpy(made->shift, from->shift, from->columns * sizeof *made->shift);
  memcpy(made->scale, from->scale, from->columns * sizeof *made->scale);
  made->limit = from->limit;
  affine_settle(made);
  if (from->curves == NULL) return MLPD_OK;
  column_curves curves;
  const mlpd_status status = column_curves_copy(from->curves, &curves);
  if (status == MLPD_OK) return affine_bend(made, &curves);
  column_curves_free(&curves);
  return status;
}

static mlpd_status copy_model(const mlpd_trainer *t, mlpd_model *made) {
  const mlpd_model *const from = t->model;
  made->task = from->task;
  made->loss = from->loss;
  made->epoch = 1;
  made->step = t->state.step;
  TRY(memory_copy_string(from->config, &made->config));
  TRY(copy_affine(&from->input, &made->input));
  TRY(copy_affine(&from->target, &made->target));
  return network_copy(from->network, &made->network);
}

mlpd_status mlpd_trainer_model(const mlpd_trainer *t, mlpd_model **model) {
  IN_C_LOCALE();
  TRY(status_need(t, __func__, "trainer"));
  NEED(model);
  mlpd_model *made = NULL;
  *model = NULL;
  if (t->state.scales_x == 0 || t->state.scales_y == 0)
    return FAIL(MLPD_ERROR_USAGE,
                "mlpd_trainer_model: the normalisation is not known before the first rows; "
                "mlpd_trainer_normalize() sets it");
  TRY(memory_allocate(&made, 1, sizeof *made, "model"));
  const mlpd_status status = copy_model(t, made);
  if (status == MLPD_OK)
    *model = made;
  else
    mlpd_model_free(made);
  return status;
}
