/* mlpd_trainer: which options it has no use for, and its making. */
#include "run/under_way.h"

#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "kernels/cpu.h"
#include "network/network_options.h"
#include "options/option.h"
#include "options/option_text.h"
#include "prepare/init_from.h"
#include "prepare/init_match.h"
#include "ranks/comm.h"
#include "ranks/placement.h"
#include "run/train_agreement.h"

/* ---- Options ---------------------------------------------------------------------------------------- */

static mlpd_status refuse(const char *option, const char *why) {
  return FAIL(MLPD_ERROR_USAGE, "mlpd_trainer: option %s has no meaning here: %s", option, why);
}

static mlpd_status check_idle(const mlpd_train_options *o) {
  if (o->data.rows != NULL)
    return FAIL(MLPD_ERROR_USAGE,
                "mlpd_trainer: the options hold the rows of mlpd_options_rows(), but rows are handed "
                "in step by step; mlpd_options_rows(options, NULL) removes them");
  if (o->data.file != NULL) return refuse("data", "rows are handed in step by step");
  if (o->normalize == MLPD_NORMALIZE_ROBUST || o->normalize == MLPD_NORMALIZE_QUANTILE ||
      o->normalize == MLPD_NORMALIZE_MIXED)
    return refuse(o->normalize == MLPD_NORMALIZE_ROBUST     ? "normalize robust"
                  : o->normalize == MLPD_NORMALIZE_QUANTILE ? "normalize quantile"
                                                            : "normalize mixed",
                  "the quantiles of the rows are not known; mlpd_trainer_normalize() sets shift and scale");
  if (o->embed_numbers == MLPD_EMBED_NUMBERS_PIECEWISE && o->init_model == NULL)
    return refuse("embed-numbers piecewise",
                  "the quantiles of the rows are not known; set option init-from to a model that has bins");
  if (o->embed_numbers == MLPD_EMBED_NUMBERS_AUTO)
    return refuse("embed-numbers auto", "no validation rows can choose; set it to none or periodic");
  if (o->clamp_predictions) return refuse("clamp-predictions", "the range of the targets is not known");
  if (o->folds > 1) return refuse("folds", "the rows that each member leaves out are not known");
  if (o->stream) return refuse("stream", "rows are handed in step by step");
  if (o->out != NULL) return refuse("out", "mlpd_trainer_save() writes a file");
  if (o->resume != NULL && strcmp(o->resume, "never") != 0) return refuse("resume", "mlpd_trainer_load() reads a file");
  if (optimizer_searches(o->optimizer)) return refuse("optimizer lbfgs", "its steps are searches over all rows");
  if (o->ema > 0) return refuse("ema", "the weights themselves are the model");
  if (o->swa_start > 0) return refuse("swa-start", "there are no epochs");
  if (o->patience > 0) return refuse("patience", "there are no epochs");
  if (o->class_weight != NULL && strcmp(o->class_weight, "none") != 0)
    return refuse("class-weight", "the rows of each class are not known");
  if (o->schedule == MLPD_PLATEAU)
    return refuse("schedule plateau", "there are no epochs; constant leaves the end open");
  return MLPD_OK;
}

/* Why an option of a whole run is of no use in steps; NULL: it is of use, or refused above. */
static const char *why_idle(const mlpd_option *row) {
  static const struct {
    const char *name, *why;
  } idle[] = {{"valid-fraction", "no rows are set aside"},
              {"valid-x", "no rows are set aside"},
              {"valid-y", "no rows are set aside"},
              {"test-x", "no rows are set aside"},
              {"test-y", "no rows are set aside"},
              {"x", "rows are handed in step by step"},
              {"y", "rows are handed in step by step"},
              {"weight", "rows are handed in step by step"},
              {"classes", "the trainer is made for a number of classes"},
              {"select", "there are no epochs"},
              {"min-delta", "there are no epochs"},
              {"checkpoint-every", "mlpd_trainer_save() writes a file"},
              {"keep", "mlpd_trainer_save() writes a file"},
              {"log", "there is no run folder"},
              {"trace", "the steps are those of a program, not of a run"},
              {"trace-steps", "the steps are those of a program, not of a run"},
              {"check-every", "the ranks are not compared"},
              {"stall-timeout", "mlpd_comm_watch() watches the waits"},
              {"stall-abort", "mlpd_comm_watch() watches the waits"}};
  for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
    if (strcmp(row->name, idle[i].name) == 0) return idle[i].why;
  return strcmp(row->group, "table") == 0 ? "rows are handed in step by step" : NULL;
}

static bool has_default(const mlpd_option *row, const mlpd_train_options *o) {
  mlpd_train_options usual;
  char own[64], other[64];
  mlpd_train_options_default(&usual);
  const char *const text = mlpd_option_format(row, o, own, sizeof own);
  const char *const otherwise = mlpd_option_format(row, &usual, other, sizeof other);
  return text == NULL || otherwise == NULL ? text == otherwise : strcmp(text, otherwise) == 0;
}

/* No rows for validation, and no checkpoints, is what a trainer does. */
static bool asks_for_none(const mlpd_option *row, const mlpd_train_options *o) {
  if (strcmp(row->name, "valid-fraction") == 0) return o->valid_fraction == 0;
  return strcmp(row->name, "checkpoint-every") == 0 &&
         (o->checkpoint_every == NULL || strcmp(o->checkpoint_every, "never") == 0);
}

static mlpd_status check_unused(const mlpd_train_options *o) {
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++) {
    const char *const why = why_idle(row);
    if (why != NULL && !has_default(row, o) && !asks_for_none(row, o)) return refuse(row->name, why);
  }
  return MLPD_OK;
}

static mlpd_status check_schedule(const mlpd_train_options *o) {
  const mlpd_option *const epochs = mlpd_option_find(mlpd_train_option_table, "epochs");
  if (o->epochs > 0 || !option_weights_with(mlpd_train_option_table, epochs, o)) return MLPD_OK;
  if (o->regularization_schedule != MLPD_REGULARIZATION_CONSTANT)
    return FAIL(
        MLPD_ERROR_USAGE,
        "mlpd_trainer: regularization-schedule %s falls over the whole run, whose length is not known: set it to "
        "constant, or option epochs, counted in steps_per_epoch steps",
        mlpd_choice_name(mlpd_regularization_choices, (int)o->regularization_schedule));
  return FAIL(MLPD_ERROR_USAGE,
              "mlpd_trainer: schedule %s falls over the whole run, whose length is not known: set option schedule to "
              "constant, or option epochs, counted in steps_per_epoch steps",
              mlpd_choice_name(mlpd_schedule_choices, (int)o->schedule));
}

static mlpd_status check_lanes(const mlpd_train_options *o, int ranks) {
  if (o->lanes < (uint32_t)ranks)
    return FAIL(MLPD_ERROR_USAGE,
                "mlpd_trainer: %u lanes for %d ranks: set option lanes to %d or more, there and on "
                "other numbers of ranks",
                o->lanes, ranks, ranks);
  if (o->norm == MLPD_NORM_BATCH && o->batch / o->lanes < 2)
    return FAIL(MLPD_ERROR_USAGE,
                "mlpd_trainer: norm batch computes means over a lane's rows, but batch %llu over %u lanes "
                "leaves less than 2",
                (unsigned long long)o->batch, o->lanes);
  return MLPD_OK;
}

static mlpd_status settle_options(mlpd_train_options *o, int ranks) {
  if (o->preset == MLPD_PRESET_AUTO) o->preset = MLPD_PRESET_NONE; /* its quartiles are not known */
  mlpd_train_options_settle(o);
  TRY(check_idle(o));
  TRY(check_unused(o));
  TRY(mlpd_train_check(o));
  TRY(check_schedule(o));
  if (o->lanes == 0) o->lanes = lanes_default(o->batch);
  TRY(check_lanes(o, ranks));
  const bool entropy = o->loss == MLPD_CROSS_ENTROPY;
  if (o->task == MLPD_TASK_AUTO) o->task = entropy ? MLPD_CLASSIFICATION : MLPD_REGRESSION;
  if (o->loss == MLPD_LOSS_AUTO) o->loss = o->task == MLPD_CLASSIFICATION ? MLPD_CROSS_ENTROPY : MLPD_MSE;
  if (o->output_activation < 0) o->output_activation = (int)loss_default_activation(o->loss, o->task);
  return loss_check(o->loss, (mlpd_activation)o->output_activation);
}

/* ---- Making ----------------------------------------------------------------------------------------- */

static mlpd_status start_from(mlpd_trainer *t) {
  const mlpd_model *const from = t->options.init_model;
  mlpd_model *const made = t->model;
  init_match match;
  mlpd_status status = init_match_make(from, made, t->features, t->features, "the trainer", NULL, NULL, &match);
  if (status == MLPD_OK) status = init_match_weights(from, &match, made->network, NULL, NULL);
  if (status == MLPD_OK && t->options.normalize == MLPD_NORMALIZE_AUTO) {
    status = init_match_input(from, &match, made);
    affine_settle(&made->input);
    t->state.scales_x = 1;
  }
  if (status == MLPD_OK && match.outputs != NULL && !t->classes &&
      t->options.normalize_targets != MLPD_NORMALIZE_NONE) {
    init_match_target(from, &match, made);
    affine_settle(&made->target);
    t->state.scales_y = 1;
  }
  init_match_free(&match);
  return status;
}

static mlpd_status make_model(mlpd_trainer *t) {
  const mlpd_train_options *const o = &t->options;
  TRY(memory_allocate(&t->model, 1, sizeof *t->model, "model"));
  TRY(mlpd_train_options_text(o, &t->model->config));
  t->model->task = o->task;
  TRY(loss_of_options(o, &t->model->loss));
  TRY(affine_create(t->features, &t->model->input));
  t->model->input.limit = o->clip_inputs;
  affine_settle(&t->model->input);
  if (!t->classes) TRY(affine_create(t->targets, &t->model->target));
  if (!t->classes) affine_settle(&t->model->target);
  const uint32_t outputs = t->targets * loss_outputs(&t->model->loss);
  TRY(network_of_options(o, &(input_roles){.count = t->features}, outputs, false, &t->model->network));
  mlpd_network_init(t->model->network, o->init, o->seed);
  return o->init_model != NULL ? start_from(t) : MLPD_OK;
}

/* Room for the rows of this rank's lanes. */
static mlpd_status make_rows(mlpd_trainer *t) {
  uint32_t first = 0, end = 0;
  lanes_of_rank(t->plan.num_lanes, mlpd_comm_size(t->comm), mlpd_comm_rank(t->comm), &first, &end);
  shard *const s = &t->rows;
  *s = (shard){.rows = t->plan.lane_begin[end] - t->plan.lane_begin[first],
               .features = t->features,
               .type = ELEMENT_F32,
               .outputs = t->classes ? 0 : t->targets};
  TRY(memory_allocate(&s->x, s->rows * t->features, sizeof(float), "rows"));
  TRY(memory_allocate(&s->weights, s->rows, sizeof *s->weights, "rows"));
  if (t->classes) return memory_allocate(&s->classes, s->rows, sizeof *s->classes, "rows");
  return memory_allocate(&s->values, s->rows * t->targets, sizeof *s->values, "rows");
}

static mlpd_status make_mathematics(mlpd_trainer *t) {
  size_t bytes = 0;
  FILE *const out = open_memstream(&t->mathematics, &bytes);
  if (out != NULL) {
    option_text_weights(&t->options, out);
    (void)fprintf(out, "backend = %s\n", t->gemm->name);
    if (fclose(out) == 0) return MLPD_OK;
  }
  return FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
}

static mlpd_status make_parts(mlpd_trainer *t) {
  const mlpd_train_options *const o = &t->options;
  t->classes = o->task == MLPD_CLASSIFICATION;
  t->record = t->features + (t->classes ? 1 : t->targets);
  TRY(make_mathematics(t));
  TRY(make_model(t));
  TRY(lane_plan_create(o->batch, o->batch, o->lanes, o->seed, &t->plan));
  TRY(make_rows(t));
  TRY(affine_create(t->features, &t->as_is));
  affine_settle(&t->as_is);
  TRY(memory_allocate(&t->buffer, t->buffer_rows * t->record, sizeof *t->buffer, "the buffer of rows"));
  return optimizer_create(o, t->model->network, &t->optimizer);
}

static mlpd_status make_stepper(mlpd_trainer *t) {
  const mlpd_train_options *const o = &t->options;
  const stepper_parts parts = {.comm = t->comm,
                               .network = t->model->network,
                               .gemm = t->gemm,
                               .optimizer = &t->optimizer,
                               .plan = &t->plan,
                               .rows = &t->rows,
                               .input = &t->as_is,
                               .loss = t->model->loss,
                               .reduce = o->reduce,
                               .update = o->update,
                               .overlap = o->overlap,
                               .seed = o->seed,
                               .clip_norm = o->clip_norm,
                               .threads = t->threads};
  return stepper_create(&parts, &t->stepper);
}

/* The sizes that a trainer is created with are those of rank 0. */
static mlpd_status compare_sizes(const mlpd_trainer *t) {
  const uint64_t mine[] = {t->features, t->targets, t->steps_per_epoch, t->buffer_rows};
  static const char *const names[] = {"features", "targets", "steps_per_epoch", "buffer_rows"};
  uint64_t first[4];
  mlpd_status status = MLPD_OK;
  memcpy(first, mine, sizeof first);
  TRY(comm_broadcast(t->comm, first, sizeof first, 0));
  for (int i = 0; i < 4 && status == MLPD_OK; i++)
    if (mine[i] != first[i])
      status = FAIL(MLPD_ERROR_USAGE, "mlpd_trainer_create: %s is %llu here and %llu on rank 0", names[i],
                    (unsigned long long)mine[i], (unsigned long long)first[i]);
  return mlpd_comm_agree(t->comm, status);
}

/* Collective. */
static mlpd_status create(mlpd_trainer *t, init_source *init) {
  char notice[AGREEMENT_NOTICE_BYTES];
  mlpd_status status = init_source_open(&t->options, init);
  if (status == MLPD_OK && (t->features == 0 || t->targets == 0))
    status = FAIL(MLPD_ERROR_USAGE, "mlpd_trainer_create: %s is 0", t->features == 0 ? "features" : "targets");
  if (status == MLPD_OK) status = settle_options(&t->options, mlpd_comm_size(t->comm));
  if (status == MLPD_OK) status = backend_choose(t->options.backend, &t->gemm);
  TRY(mlpd_comm_agree(t->comm, status));
  TRY(train_agreement_check(t->comm, t->gemm, &t->options, notice));
  TRY(compare_sizes(t));
  TRY(placement_threads(t->comm, t->options.threads, &t->threads));
  TRY(mlpd_comm_agree(t->comm, make_parts(t)));
  return make_stepper(t);
}

mlpd_status mlpd_trainer_create(mlpd_comm *comm, const mlpd_options *options, uint32_t features, uint32_t targets,
                                uint64_t steps_per_epoch, uint64_t buffer_rows, mlpd_trainer **trainer) {
  IN_C_LOCALE();
  KEEP_CALLERS_THREADS();
  NEED(comm);
  mlpd_trainer *t = NULL;
  init_source init = {.loaded = NULL};
  mlpd_status status = status_need(options, __func__, "options");
  if (status == MLPD_OK) status = status_need(trainer, __func__, "trainer");
  if (status == MLPD_OK) status = memory_allocate(&t, 1, sizeof *t, "trainer");
  status = mlpd_comm_agree(comm, status);
  if (trainer != NULL) *trainer = NULL;
  if (status == MLPD_OK) {
    *t = (mlpd_trainer){.comm = comm,
                        .options = *mlpd_options_values(options),
                        .features = features,
                        .targets = targets,
                        .steps_per_epoch = steps_per_epoch > 0 ? steps_per_epoch : 1,
                        .buffer_rows = buffer_rows};
    status = create(t, &init);
    t->options.init_model = NULL;
  }
  init_source_free(&init);
  if (status == MLPD_OK)
    *trainer = t;
  else
    mlpd_trainer_free(t);
  return status;
}

void mlpd_trainer_free(mlpd_trainer *t) {
  if (t == NULL) return;
  stepper_free(t->stepper);
  optimizer_free(&t->optimizer);
  shard_free(&t->rows);
  lane_plan_free(&t->plan);
  affine_free(&t->as_is);
  mlpd_model_free(t->model);
  free(t->mathematics);
  free(t->buffer);
  free(t);
}
