/* mlpd_train_check: what is wrong with options whatever the data. */
#include "convert/table.h"
#include "kernels/backend.h"
#include "network/loss.h"
#include "network/network_options.h"
#include "run/run.h"

/* The loss, as far as the options tell it: the data may be of either task. */
static mlpd_loss known_loss(const mlpd_train_options *o) {
  if (o->loss != MLPD_LOSS_AUTO || o->task == MLPD_TASK_AUTO) return o->loss;
  return o->task == MLPD_CLASSIFICATION ? MLPD_CROSS_ENTROPY : MLPD_MSE;
}

static mlpd_status check_loss(const mlpd_train_options *o, mlpd_loss loss) {
  mlpd_train_options settled = *o;
  loss_spec made;
  settled.loss = loss;
  return loss_of_options(&settled, &made);
}

/* The network with any number of inputs and outputs. */
static mlpd_status check_network(const mlpd_train_options *o) {
  mlpd_network *network = NULL;
  mlpd_train_options settled = *o;
  const mlpd_loss loss = known_loss(o);
  if (o->output_activation >= 0 && loss != MLPD_LOSS_AUTO) TRY(loss_check(loss, (mlpd_activation)o->output_activation));
  if (loss != MLPD_LOSS_AUTO) TRY(check_loss(o, loss));
  if (o->output_activation < 0) settled.output_activation = MLPD_IDENTITY; /* settled by the task */
  const mlpd_status status = network_of_options(&settled, 1, 1, true, &network);
  mlpd_network_free(network);
  return status;
}

mlpd_status mlpd_train_check(const mlpd_train_options *o) {
  checkpoint_plan every;
  const backend *gemm = NULL;
  TRY(status_need(o, __func__, "options"));
  TRY(mlpd_train_options_check(o));
  if (o->window > 0 && !o->stream) return FAIL(MLPD_ERROR_USAGE, "--window needs --stream");
  if (o->memory > 0 && !o->stream) return FAIL(MLPD_ERROR_USAGE, "--memory needs --stream");
  if (o->ema > 0 && o->swa_start > 0)
    return FAIL(MLPD_ERROR_USAGE, "--ema and --swa-start are two averages of the same weights: give one of them");
  TRY(preparation_check_epochs(o));
  TRY(checkpoint_plan_parse(o->checkpoint_every, &every));
  TRY(table_check_options(&o->data.table));
  TRY(backend_choose(o->backend, &gemm));
  return check_network(o);
}
