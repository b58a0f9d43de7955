/* The start of a run: checks, the run folder, the data, the network, the checkpoint to go on from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/data_open.h"
#include "network/layer_kind.h"
#include "options/option.h"
#include "prepare/column_bins.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "ranks/placement_check.h"
#include "run/run.h"
#include "run/run_files.h"
#include "run/run_names.h"
#include "run/run_table.h"
#include "run/train_agreement.h"

static mlpd_status check_options(const mlpd_train_options *o, checkpoint_plan *every) {
  if (o->data.file == NULL) return FAIL(MLPD_ERROR_USAGE, "no data file given");
  TRY(mlpd_train_check(o));
  return checkpoint_plan_parse(o->checkpoint_every, every);
}

static mlpd_status compare_ranks(trainer *t, const mlpd_train_options *options) {
  char notice[AGREEMENT_NOTICE_BYTES];
  TRY(train_agreement_check(t->comm, t->gemm, options, notice));
  if (notice[0] != '\0') run_notice(t, notice);
  return MLPD_OK;
}

/* Does the network embed numbers, or categories? */
static bool embeds(const mlpd_network *network, bool numbers) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].kind->expands && (network->layers[l].kind->numbers != NULL) == numbers) return true;
  return false;
}

static void fill_plan(trainer *t) {
  const preparation *const p = &t->prep;
  mlpd_train_result *const r = t->result;
  r->task = p->options.task;
  r->preset = p->options.preset;
  r->hidden = p->options.hidden;
  r->ensemble = p->options.ensemble;
  r->members = p->options.members;
  if (t->half != NULL)
    r->choice =
        (mlpd_bins_choice){.run = t->half->lone ? 0 : t->half->number, .folder = run_files_half_name(t->half->number)};
  r->embed_numbers = embeds(p->model->network, true) ? p->options.embed_numbers : MLPD_EMBED_NUMBERS_NONE;
  r->activation = p->options.activation;
  r->epochs = p->options.epochs;
  r->train_rows = p->plan.rows;
  r->valid_rows = p->valid.present ? p->valid.range.rows : 0;
  r->features = p->features;
  r->inputs = p->inputs;
  r->outputs = p->outputs;
  r->targets = p->targets;
  r->batch = p->options.batch;
  r->lanes = p->options.lanes;
  r->ranks = mlpd_comm_size(t->comm);
  r->threads = p->threads;
  r->backend = t->gemm->name;
  stepper_describe(t->stepper, r->step, sizeof r->step);
}

/* Notes what in the placement costs speed, one line each with the cure. Collective. */
static mlpd_status warn_of_placement(const trainer *t) {
  placement_view view;
  char text[512];
  TRY(placement_inspect(t->comm, t->prep.threads, &view));
  for (uint32_t i = 0; i < view.num_findings; i++) {
    (void)snprintf(text, sizeof text, "%s; %s", view.findings[i].what, view.findings[i].cure);
    run_notice(t, text);
  }
  return MLPD_OK;
}

/* Notes options of embeddings that are not the defaults, but that no column has a use for. */
static void note_idle_embeddings(const trainer *t, const mlpd_train_options *o) {
  const mlpd_network *const network = t->prep.model->network;
  mlpd_train_options usual;
  char text[160];
  mlpd_train_options_default(&usual);
  const bool has_bins = o->embed_numbers == MLPD_EMBED_NUMBERS_PIECEWISE || (t->half != NULL && !t->half->lone);
  if (o->embed_width != usual.embed_width && !embeds(network, false) && !has_bins) {
    (void)snprintf(text, sizeof text, "--embed-width has no effect: no column has more than %llu categories",
                   (unsigned long long)o->embed_above);
    run_notice(t, text);
  }
  if (o->embed_numbers != MLPD_EMBED_NUMBERS_NONE && !embeds(network, true))
    run_notice(t, "--embed-numbers has no effect: no column holds numbers");
}

static mlpd_status make_arrays(trainer *t) {
  const preparation *const p = &t->prep;
  const mlpd_network *const network = p->model->network;
  TRY(optimizer_create(&p->options, network, &t->optimizer));
  TRY(run_search_create(t));
  TRY(memory_allocate(&t->kept, network->arena_size, sizeof(float), "best weights"));
  TRY(run_average_create(t));
  t->state = (run_state){.epoch = 1,
                         .best_loss = INFINITY,
                         .schedule = SCHEDULE_START,
                         .search = SEARCH_START,
                         .data_fingerprint = p->fingerprint,
                         .valid_fingerprint = p->valid_fingerprint,
                         .test_fingerprint = p->test_fingerprint,
                         .lanes = p->options.lanes,
                         .arena_size = network->arena_size};
  TRY(run_names_text(p->model, &t->names));
  return preparation_mathematics(p, t->gemm->name, &t->mathematics);
}

static mlpd_status make_stepper(trainer *t) {
  const preparation *const p = &t->prep;
  const stepper_parts parts = {.comm = t->comm,
                               .network = p->model->network,
                               .gemm = t->gemm,
                               .optimizer = &t->optimizer,
                               .plan = &p->plan,
                               .rows = p->stream != NULL ? stream_kinds(p->stream) : &p->train,
                               .stream = p->stream,
                               .input = &p->model->input,
                               .loss = p->loss,
                               .reduce = p->options.reduce,
                               .update = p->options.update,
                               .overlap = p->options.overlap,
                               .seed = p->options.seed,
                               .clip_norm = p->options.clip_norm,
                               .threads = p->threads};
  return stepper_create(&parts, &t->stepper);
}

/* Is path in the folder, which the run will make? */
static bool is_below(const char *path, const char *folder) {
  const size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || (length > 0 && folder[length - 1] == '/'));
}

/* On rank 0, before the data is read: locks the run folder and checks that no output is an input. */
static mlpd_status reserve_folder(trainer *t, const mlpd_train_options *o) {
  if (!run_is_root(t)) return MLPD_OK;
  if (t->keeps_files) TRY(run_files_check_out(o->out));
  if (t->keeps_files) TRY(run_files_check_apart(o->out, "--data", o->data.file));
  if (t->keeps_files) TRY(run_files_check_apart(o->out, "--init-from", o->init_from));
  if (o->trace != NULL) {
    if (t->keeps_files) TRY(run_files_check_apart(o->out, "--trace", o->trace));
    TRY(file_check_apart("--trace", o->trace, "--data", o->data.file));
    TRY(file_check_apart("--trace", o->trace, "--resume", o->resume));
    TRY(file_check_apart("--trace", o->trace, "--init-from", o->init_from));
    TRY(run_file_check_output("--trace", o->trace));
    if (!t->keeps_files || !is_below(o->trace, o->out)) TRY(file_check_folder_of(o->trace));
  }
  if (!t->keeps_files) return MLPD_OK;
  TRY(run_folder_reserve(o->out, o->log, &t->folder));
  if (t->folder.lock.former[0] == '\0') return MLPD_OK;
  char text[FILE_PATH_BYTES + RUN_LOCK_TEXT_BYTES];
  (void)snprintf(text, sizeof text, "%s: the previous run did not finish (%s); this run takes over its folder", o->out,
                 t->folder.lock.former);
  run_notice(t, text);
  return MLPD_OK;
}

/* Does the run resume from a checkpoint of its own folder? */
static bool goes_on_here(const trainer *t, const mlpd_train_options *options, bool found) {
  if (!found || strcmp(options->resume, "auto") == 0) return found;
  return run_file_lies_in(options->resume, t->folder.checkpoints);
}

/* On rank 0: the first run of a choice replaces what the folder of the whole held, and a second run of a former choice.
 * resumes: a second run belongs to this choice, whose first run diverged before it had a checkpoint. */
static mlpd_status take_whole(const run_half *half, bool resumes) {
  if (half == NULL || half->number != 1) return MLPD_OK;
  if (!resumes) TRY(run_files_remove_half(half->whole, 2));
  return run_files_remove(half->whole);
}

/* On rank 0: opens the run folder and starts the thread that writes checkpoints. */
static mlpd_status open_folder(trainer *t, const mlpd_train_options *options, bool fresh, const char *metrics) {
  if (!run_is_root(t) || !t->keeps_files) return MLPD_OK;
  TRY(run_folder_open(options->config_text, metrics, fresh, &t->folder));
  if (fresh) TRY(take_whole(t->half, options->resume != NULL && strcmp(options->resume, "auto") == 0));
  TRY(run_table_settle(t, run_table_folder(t, options)));
  TRY(run_files_check_apart(options->out, "--trace", options->trace)); /* again: the folder may be new */
  if (t->every.steps == 0 && t->every.epochs == 0 && t->every.seconds <= 0) return MLPD_OK;
  return checkpoint_writer_start(t->folder.checkpoints, options->keep, &t->writer);
}

/* Without a run folder there are no checkpoints in it to go on from, and none is written. */
static void leave_out_files(trainer *t, mlpd_train_options *options) {
  if (options->resume != NULL && strcmp(options->resume, "auto") == 0) options->resume = NULL;
  t->every = (checkpoint_plan){0};
}

/* After the preparation: can a choice be made by the validation rows? Without numbers there is none to make. */
static mlpd_status check_half(trainer *t) {
  const preparation *const p = &t->prep;
  if (t->half == NULL) return MLPD_OK;
  t->half->lone = !column_bins_possible(p);
  if (t->half->lone) {
    run_notice(t, "--embed-numbers auto: no column holds numbers, so there is one run, without bins");
    return MLPD_OK;
  }
  if (!p->valid.present)
    return FAIL(MLPD_ERROR_USAGE,
                "%s: --embed-numbers auto chooses by validation rows, and there are none; use --valid-fraction 0.1 or "
                "--folds 8",
                p->options.data.file);
  if (p->valid.rows.weights != NULL || (p->valid.from != NULL && p->valid.from->weight != NULL))
    return FAIL(
        MLPD_ERROR_USAGE,
        "%s: its validation rows have weights, and --embed-numbers auto needs an error that counts each row once; "
        "compare runs with --embed-numbers none and piecewise",
        p->options.data.file);
  return MLPD_OK;
}

/* The preset may depend on the data, and its values on the task: with both known, config.ini and the model hold them.
 * chosen: the options as config.ini shows them. */
static mlpd_status tell_preset(trainer *t, mlpd_train_options *chosen, char **text) {
  const bool decided =
      chosen->preset != MLPD_PRESET_AUTO && (chosen->preset == MLPD_PRESET_NONE || chosen->task != MLPD_TASK_AUTO);
  if (decided) return MLPD_OK;
  char *told = NULL;
  if (chosen->preset == MLPD_PRESET_AUTO && t->prep.options.preset != MLPD_PRESET_NONE)
    chosen->epochs = t->prep.options.epochs; /* fewer than the preset's, it may be */
  chosen->preset = t->prep.options.preset;
  if (chosen->preset != MLPD_PRESET_NONE) chosen->task = t->prep.options.task;
  TRY(mlpd_train_options_text(chosen, &told));
  free(*text);
  *text = told;
  free(t->prep.model->config);
  t->prep.model->config = NULL;
  return memory_copy_string(told, &t->prep.model->config);
}

/* Settles and checks the options on this rank. *text, to be freed, is their config.ini if the caller gave none. */
static mlpd_status settle_options(trainer *t, const mlpd_train_options *given, mlpd_train_options *options,
                                  char **text) {
  *options = *given;
  options->data = data_settled(&given->data);
  mlpd_train_options_settle(options);
  t->keeps_files = options->out != NULL;
  TRY(init_source_open(options, &t->init));
  TRY(check_options(options, &t->every));
  if (!t->keeps_files) leave_out_files(t, options);
  if (options->task == MLPD_TASK_AUTO && loss_needs_values(options->loss)) options->task = MLPD_REGRESSION;
  TRY(backend_choose(options->backend, &t->gemm));
  if (options->config_text != NULL) return MLPD_OK;
  TRY(mlpd_train_options_text(options, text));
  options->config_text = *text;
  return MLPD_OK;
}

mlpd_status run_start(trainer *t, const mlpd_train_options *given) {
  mlpd_comm *const comm = t->comm;
  mlpd_train_options options;
  char *config_text = NULL;
  checkpoint resumed = {0};
  const mlpd_train_events events = run_table_events(t);
  bool found = false;
  mlpd_status status = settle_options(t, given, &options, &config_text);
  mlpd_train_options chosen = options;
  if (t->half != NULL && t->keeps_files) options.out = t->half->folder;
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  TRY_GOTO(status, compare_ranks(t, &options), done);
  TRY_GOTO(status, run_table_find(t, &options), done);
  TRY_GOTO(status, mlpd_comm_agree(comm, reserve_folder(t, &options)), done);
  const double started = clock_seconds();
  TRY_GOTO(status, run_table_convert(t, &options), done);
  comm_watch_place(comm, "while the data is read");
  TRY_GOTO(status, run_find_checkpoint(t, &options, &resumed, &found), done);
  t->drops_next = t->drops_next && found; /* a refused resume needs other data or options: the next try makes its own */
  TRY_GOTO(status, preparation_create(comm, &options, &events, &t->prep), done);
  TRY_GOTO(status, mlpd_comm_agree(comm, check_half(t)), done);
  if (config_text != NULL) {
    TRY_GOTO(status, mlpd_comm_agree(comm, tell_preset(t, &chosen, &config_text)), done);
    options.config_text = t->prep.options.config_text = config_text;
  }
  init_source_free_model(&t->init, &t->prep.options);
  t->result->load_seconds = clock_seconds() - started;
  run_table_tell(t);
  note_idle_embeddings(t, &options);
  comm_watch_place(comm, "before the first step");
  TRY_GOTO(status, mlpd_comm_agree(comm, make_arrays(t)), done);
  TRY_GOTO(status, make_stepper(t), done);
  if (found) TRY_GOTO(status, run_restore(t, &resumed), done);
  fill_plan(t);
  TRY_GOTO(status, mlpd_comm_agree(comm, open_folder(t, &options, !goes_on_here(t, &options, found), resumed.metrics)),
           done);
  if (t->raw_table) t->prep.options.data.file = t->table; /* its name from now on, for messages */
  TRY_GOTO(status, run_trace_start(t), done);
  TRY_GOTO(status, warn_of_placement(t), done);
  if (t->half != NULL) t->half->started = true;
  if (run_is_root(t) && t->events != NULL && t->events->started != NULL)
    t->events->started(t->events->context, t->result);
  t->result->hidden = t->result->activation = NULL;
done:
  checkpoint_free(&resumed);
  t->prep.options.config_text = given->config_text;
  free(config_text);
  return status;
}
