#include "prepare/prepare_settle.h"

#include <stdio.h>

#include "loss/loss.h"
#include "network/optimizer.h"
#include "options/preset.h"
#include "prepare/column_scales.h"
#include "ranks/comm.h"

/* What is automatic: some 8000 steps, so that small tables have many epochs and large ones end in time. */
enum { USUAL_STEPS = 8000, FEWEST_EPOCHS = 10, MOST_EPOCHS = 256 };
enum { LEAST_ROWS_TO_DIVIDE = 10 };
static const double USUAL_VALID_FRACTION = 0.1;

void preparation_notice(mlpd_comm *comm, const mlpd_train_events *events, const char *message) {
  if (mlpd_comm_rank(comm) == 0 && events != NULL && events->notice != NULL) events->notice(events->context, message);
}

mlpd_status preparation_settle_task(preparation *p, const part *train) {
  mlpd_train_options *const o = &p->options;
  if (o->task == MLPD_TASK_AUTO) o->task = p->labels.classes ? MLPD_CLASSIFICATION : MLPD_REGRESSION;
  preset_decide(column_scales_table(train), o);
  mlpd_train_options_settle(o); /* what the preset has by task */
  if (o->loss == MLPD_LOSS_AUTO) o->loss = o->task == MLPD_CLASSIFICATION ? MLPD_CROSS_ENTROPY : MLPD_MSE;
  if (o->output_activation < 0) o->output_activation = (int)loss_default_activation(o->loss, o->task);
  if (o->normalize == MLPD_NORMALIZE_AUTO) o->normalize = column_scales_kind(train);
  if (o->normalize == MLPD_NORMALIZE_MIXED && p->keeps_scales) o->normalize = MLPD_NORMALIZE_STANDARD;
  TRY(loss_check(o->loss, (mlpd_activation)o->output_activation));
  return loss_of_options(o, &p->model->loss);
}

void preparation_settle_lanes(mlpd_comm *comm, const mlpd_train_events *events, preparation *p, uint64_t rows) {
  mlpd_train_options *const o = &p->options;
  char text[200];
  if (optimizer_searches(o->optimizer)) o->batch = rows; /* a step is over all rows, and an epoch is a step */
  if (o->batch > rows) {
    (void)snprintf(text, sizeof text, "--batch %llu is lowered to the %llu training row%s",
                   (unsigned long long)o->batch, (unsigned long long)rows, rows == 1 ? "" : "s");
    preparation_notice(comm, events, text);
    o->batch = rows;
  }
  if (o->lanes == 0) o->lanes = lanes_default(o->batch);
  const uint32_t size = (uint32_t)mlpd_comm_size(comm);
  if (o->lanes < size) {
    (void)snprintf(text, sizeof text,
                   "%u lane%s raised to the %u ranks; for the same weights on fewer ranks give --lanes %u there",
                   o->lanes, o->lanes == 1 ? " is" : "s are", size, size);
    preparation_notice(comm, events, text);
    o->lanes = size;
  }
}

void preparation_settle_valid_fraction(mlpd_train_options *o, uint64_t rows, bool valid_in_file) {
  if (o->valid_fraction < 0 && o->folds > 1) o->valid_fraction = 0;
  if (o->valid_fraction < 0)
    o->valid_fraction = valid_in_file || rows < LEAST_ROWS_TO_DIVIDE ? 0 : USUAL_VALID_FRACTION;
}

void preparation_settle_epochs(mlpd_train_options *o, uint64_t steps_per_epoch) {
  if (o->epochs > 0) return;
  const uint64_t epochs = (USUAL_STEPS + steps_per_epoch - 1) / steps_per_epoch;
  o->epochs = epochs < FEWEST_EPOCHS ? FEWEST_EPOCHS : epochs > MOST_EPOCHS ? MOST_EPOCHS : epochs;
}

mlpd_status preparation_check_epochs(const mlpd_train_options *o) {
  if (o->epochs == 0 || o->swa_start <= o->epochs) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "--swa-start %llu: the run has %llu epochs, so nothing would be averaged",
              (unsigned long long)o->swa_start, (unsigned long long)o->epochs);
}
