/* mlpd_train_check: errors in options that do not depend on the data. */
#include <string.h>

#include "convert/table.h"
#include "kernels/backend.h"
#include "loss/loss.h"
#include "network/network_options.h"
#include "prepare/prepare_settle.h"
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
  if (o->embed_numbers == MLPD_EMBED_NUMBERS_AUTO) settled.embed_numbers = MLPD_EMBED_NUMBERS_PIECEWISE;
  if (o->output_activation >= 0 && loss != MLPD_LOSS_AUTO) TRY(loss_check(loss, (mlpd_activation)o->output_activation));
  if (loss != MLPD_LOSS_AUTO) TRY(check_loss(o, loss));
  if (o->output_activation < 0) settled.output_activation = MLPD_IDENTITY; /* settled by the task */
  const mlpd_status status = network_of_options(&settled, &(input_roles){.count = 1}, 1, true, &network);
  mlpd_network_free(network);
  return status;
}

/* Is a probability of the list above 0? */
static bool drops(const char *dropout) { return dropout != NULL && strpbrk(dropout, "123456789") != NULL; }

/* A line search compares the loss at different weights: it must depend on nothing else. */
static mlpd_status check_search(const mlpd_train_options *o) {
  const char *const random = drops(o->dropout)      ? "dropout"
                             : o->input_dropout > 0 ? "input-dropout"
                             : o->input_noise > 0   ? "input-noise"
                                                    : NULL;
  if (!optimizer_searches(o->optimizer)) return MLPD_OK;
  if (random != NULL)
    return FAIL(MLPD_ERROR_USAGE,
                "--%s makes the loss random, and --optimizer lbfgs compares losses: leave it out, or use --optimizer "
                "adamw",
                random);
  if (o->norm == MLPD_NORM_BATCH)
    return FAIL(MLPD_ERROR_USAGE,
                "--norm batch trains with another loss than it evaluates, and --optimizer lbfgs has only one: use "
                "--norm layer, or --optimizer adamw");
  if (o->stream)
    return FAIL(MLPD_ERROR_USAGE,
                "--stream reads the rows batch by batch, and --optimizer lbfgs steps over all rows at once: leave it "
                "out, or use --optimizer adamw");
  const char *const sets = o->input_scale > 0                               ? "input-scale"
                           : o->parametric_activation > 0                   ? "parametric-activation"
                           : o->parametrization == MLPD_PARAMETRIZATION_NTK ? "parametrization"
                                                                            : NULL;
  if (sets != NULL)
    return FAIL(MLPD_ERROR_USAGE,
                "--%s sets learning rates, and --optimizer lbfgs has none: give --%s %s, or use --optimizer adamw",
                sets, sets, strcmp(sets, "parametrization") == 0 ? "standard" : "0");
  if (o->decay == MLPD_DECAY_DECOUPLED && o->weight_decay > 0)
    return FAIL(MLPD_ERROR_USAGE,
                "--decay decoupled acts beside the gradient, and --optimizer lbfgs knows the gradient alone: use "
                "--decay coupled");
  return MLPD_OK;
}

/* Folds are the validation rows, and their number that of the members. */
static mlpd_status check_folds(const mlpd_train_options *o) {
  if (o->folds <= 1) return MLPD_OK;
  if (o->members != 1 && o->members != o->folds)
    return FAIL(
        MLPD_ERROR_USAGE,
        "--folds %u makes as many members: leave out --members %u, or give --members 1 where a config file has it",
        o->folds, o->members);
  if (o->valid_fraction > 0)
    return FAIL(MLPD_ERROR_USAGE,
                "--folds %u validates by the rows that its members leave out: leave out --valid-fraction %g", o->folds,
                o->valid_fraction);
  return MLPD_OK;
}

/* Two runs from the beginning, which are compared by an error that counts each validation row once. */
static mlpd_status check_choice(const mlpd_train_options *o) {
  const char *const resume = o->resume != NULL ? o->resume : "never";
  if (o->embed_numbers != MLPD_EMBED_NUMBERS_AUTO) return MLPD_OK;
  if (o->init_from != NULL || o->init_model != NULL)
    return FAIL(
        MLPD_ERROR_USAGE,
        "--embed-numbers auto compares networks that start anew, and --init-from starts from a model: leave out "
        "one of them");
  if (strcmp(resume, "never") != 0 && strcmp(resume, "auto") != 0)
    return FAIL(
        MLPD_ERROR_USAGE,
        "--resume %s is a checkpoint of one run, and --embed-numbers auto trains two: use --resume auto, or give "
        "--embed-numbers as that run had it",
        resume);
  if (o->trace != NULL)
    return FAIL(
        MLPD_ERROR_USAGE,
        "--trace records one run, and --embed-numbers auto trains two: trace a run with --embed-numbers none or "
        "piecewise");
  if (o->select == MLPD_SELECT_LOSS || o->select == MLPD_SELECT_AUC || o->select == MLPD_SELECT_F1)
    return FAIL(
        MLPD_ERROR_USAGE,
        "--embed-numbers auto needs the standard error of a validation figure, which is known of --select error "
        "and rmse, not of %s: use --select error, or compare runs with none and piecewise",
        mlpd_choice_name(mlpd_select_choices, (int)o->select));
  if (o->class_weight != NULL && strcmp(o->class_weight, "none") != 0)
    return FAIL(MLPD_ERROR_USAGE,
                "--embed-numbers auto needs an error that counts each validation row once, and --class-weight weights "
                "them: leave it out, or compare runs with none and piecewise");
  return MLPD_OK;
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
  TRY(check_folds(o));
  TRY(check_choice(o));
  TRY(check_search(o));
  TRY(preparation_check_epochs(o));
  TRY(checkpoint_plan_parse(o->checkpoint_every, &every));
  TRY(table_check_options(&o->data.table));
  TRY(backend_choose(o->backend, &gemm));
  return check_network(o);
}
