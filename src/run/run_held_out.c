/* Figures of the validation and test parts, for epochs and at the end of a run. */
#include <math.h>

#include "model/held_figure.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "run/run.h"

double run_metric(const trainer *t, const loss_sums *sums) {
  const preparation *const p = &t->prep;
  if (!(sums->weight > 0)) return 0;
  if (p->options.task == MLPD_CLASSIFICATION) return sums->correct / sums->weight;
  const double unit = p->targets == 1 ? 1 / p->model->target.scale[0] : 1;
  return sqrt(sums->square / (sums->weight * p->targets)) * unit;
}

/* greatest: NaN, or a figure of the classes. */
static double select_figure(const trainer *t, const mlpd_epoch *figures, double greatest) {
  const mlpd_select by = t->prep.options.select;
  if (by == MLPD_SELECT_LOSS) return figures->valid_loss;
  if (t->prep.options.task != MLPD_CLASSIFICATION) return figures->valid_metric; /* RMSE */
  return 1 - (isnan(greatest) ? figures->valid_metric : greatest);
}

/* The validation losses and, where rows are counted to select by it, the figure that is greatest in the best epoch. */
static mlpd_status pass_over_valid(trainer *t, loss_sums *sums, double *greatest) {
  preparation *const p = &t->prep;
  const mlpd_select by = p->options.select;
  const uint64_t began = timeline_begin_rare(t->line);
  const mlpd_status status =
      by == MLPD_SELECT_AUC || by == MLPD_SELECT_F1
          ? held_figure(t->comm, p->model, t->gemm, &p->valid, &p->loss, p->threads, by, sums, greatest)
          : held_out_losses(t->comm, p->model, t->gemm, &p->valid, &p->loss, p->threads, sums);
  (void)timeline_end(t->line, 0, TIMELINE_VALIDATE, 0, 0, began);
  return status;
}

/* *figure: the validation figure that is least in the best epoch. Collective. */
static mlpd_status validate(trainer *t, mlpd_epoch *figures, double *figure) {
  preparation *const p = &t->prep;
  double greatest = NAN;
  if (!p->valid.present) return MLPD_OK;
  const double started = clock_seconds();
  loss_sums sums;
  TRY(pass_over_valid(t, &sums, &greatest));
  if (!(sums.weight > 0)) /* equal on all ranks */
    return FAIL(MLPD_ERROR_DATA,
                "%s: all validation rows have weight 0, so no row counts; use another --seed or a larger "
                "--valid-fraction, or give validation rows a weight",
                p->options.data.file);
  figures->has_valid = true;
  figures->valid_loss = sums.loss / sums.weight;
  figures->valid_metric = run_metric(t, &sums);
  *figure = select_figure(t, figures, greatest);
  t->result->valid_seconds += clock_seconds() - started;
  if (isfinite(figures->valid_loss)) return MLPD_OK;
  TRY(held_out_blame(t->comm, p->model, t->gemm, &p->valid, p->options.data.file, MLPD_VALID, p->threads));
  return run_diverged(t, "the validation loss is not a finite number", t->state.step);
}

mlpd_status run_validate_epoch(trainer *t, mlpd_epoch *figures, double *figure) {
  mlpd_network *const network = t->prep.model->network;
  float *const current = network->parameters;
  network->parameters = run_weights(t);
  const mlpd_status status = validate(t, figures, figure);
  network->parameters = current;
  return status;
}

mlpd_status run_report_valid(trainer *t) {
  mlpd_train_result *const r = t->result;
  mlpd_epoch figures = {0};
  double figure = 0; /* not needed here */
  if (!t->prep.valid.present) return MLPD_OK;
  if (!t->kept_known) {
    TRY(validate(t, &figures, &figure));
    t->kept_valid_loss = figures.valid_loss;
    t->kept_valid_metric = figures.valid_metric;
  }
  r->has_valid = true;
  r->valid_loss = t->kept_valid_loss;
  r->valid_metric = t->kept_valid_metric;
  return MLPD_OK;
}

/* Training is over: a row without a finite result is a notice, and the loss is reported as it is. */
static mlpd_status test_part(trainer *t, held_out *part) {
  const preparation *const p = &t->prep;
  loss_sums sums;
  TRY(held_out_losses(t->comm, p->model, t->gemm, part, &p->model->loss, p->threads, &sums));
  t->result->has_test = true;
  t->result->test_rows = part->range.rows;
  t->result->test_loss = sums.loss / sums.weight;
  t->result->test_metric = run_metric(t, &sums);
  if (isfinite(t->result->test_loss)) return MLPD_OK;
  const mlpd_status status =
      held_out_blame(t->comm, p->model, t->gemm, part, p->options.data.file, MLPD_TEST, p->threads);
  if (status == MLPD_ERROR_DATA) run_notice(t, mlpd_error_message());
  return status == MLPD_ERROR_DATA ? MLPD_OK : status;
}

mlpd_status run_test(trainer *t) {
  const preparation *const p = &t->prep;
  held_out part;
  TRY(held_out_read(t->comm, p->file, &p->options.data, MLPD_TEST, p->model, true, p->held_out_windows, p->threads,
                    &part));
  const mlpd_status status = part.present ? test_part(t, &part) : MLPD_OK;
  held_out_free(&part);
  return status;
}
