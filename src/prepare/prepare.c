#include "prepare/prepare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine_memory.h"
#include "base/memory.h"
#include "convert/convert.h"
#include "data/data_open.h"
#include "data/sample_weights.h"
#include "data/unwritten.h"
#include "lanes/stream_order.h"
#include "loss/loss.h"
#include "model/held_by_class.h"
#include "model/held_figure.h"
#include "prepare/class_notes.h"
#include "prepare/class_weights.h"
#include "prepare/column_bins.h"
#include "prepare/column_inputs.h"
#include "prepare/column_scales.h"
#include "prepare/prepare_settle.h"
#include "ranks/comm.h"
#include "ranks/placement.h"

enum { SPLIT_LANES = 64, READ_BYTES = 1 << 17 };

/* ---- Reading the training part ------------------------------------------------------------------ */

/* Reads positions [begin, end) of the lane plan, or of the split order. */
static mlpd_status read_positions(preparation *p, part *from, const lane_plan *plan, uint64_t begin, uint64_t end,
                                  uint32_t classes, shard *read) {
  row_run *runs = NULL;
  uint64_t num_runs = 0;
  mlpd_status status = lane_plan_runs(plan, begin, end, &runs, &num_runs);
  if (status == MLPD_OK && plan == &p->plan && p->split.num_lanes > 0)
    status = lane_runs_compose(&p->split, &runs, &num_runs);
  if (status == MLPD_OK)
    status = shard_read(from, runs, num_runs, begin, end - begin, p->options.task == MLPD_CLASSIFICATION, classes, NULL,
                        read);
  free(runs);
  return status;
}

/* Validation rows drawn from the training part count too: the rarest class may occur only among them. */
static mlpd_status count_classes(mlpd_comm *comm, preparation *p, const part *from) {
  mlpd_train_options *const o = &p->options;
  class_counts *const train = &p->class_rows[MLPD_TRAIN], *const valid = &p->class_rows[MLPD_VALID];
  mlpd_status status = class_counts_merge(&p->scan.classes, train);
  if (status == MLPD_OK) status = class_counts_add(train, p->train.classes, p->train.rows);
  if (status == MLPD_OK && p->folds == NULL) status = held_out_count_classes(&p->valid, valid); /* else counted above */
  TRY(mlpd_comm_agree(comm, status));
  double most = fmax((double)train->largest, (double)valid->largest);
  TRY(comm_max_double(comm, &most, 1));
  if (o->classes == 0) o->classes = (uint32_t)most + 1;
  if (o->classes < 2)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds one class only: there is nothing to learn", from->file, from->y_path);
  p->valid.num_classes = o->classes;
  return MLPD_OK;
}

/* Resolves --window, which decides the weights. */
static void settle_window(preparation *p, const part *from) {
  mlpd_train_options *const o = &p->options;
  o->window = stream_window_rows(&p->plan, o->window, part_row_bytes(from, o->task == MLPD_CLASSIFICATION));
}

/* Streamed rows are read in whole chunks, or in pieces large enough to be worth a call. */
static uint64_t grain_rows(const part *from) {
  const uint64_t chunk_rows = h5_array_shape(from->x).chunk_rows;
  return chunk_rows > 0 ? chunk_rows : READ_BYTES / (from->features * element_size(from->type)) + 1;
}

/* The split order of a classification: training rows, then validation rows with their share of each class. */
static mlpd_status split_by_class(mlpd_comm *comm, preparation *p, part *from) {
  row_marks marks;
  comm_watch_place(comm, "while validation rows are drawn from each class");
  TRY(held_by_class(comm, from, p->options.valid_fraction, p->options.classes, p->options.seed, &marks));
  comm_watch_place(comm, "while the data is read");
  lane_plan_create_marked(&marks, &p->split);
  return MLPD_OK;
}

/* The fold of each row, and an order of all rows that are validated: the file's. */
static mlpd_status draw_folds(mlpd_comm *comm, preparation *p, part *from) {
  const mlpd_train_options *const o = &p->options;
  const fold_wishes wishes = {o->folds, o->task == MLPD_CLASSIFICATION, o->classes, o->seed};
  row_marks none = {0};
  mlpd_status status = MLPD_OK;
  if (from->rows < o->folds)
    status = FAIL(MLPD_ERROR_USAGE, "--folds %u of %llu rows leaves folds without a row", o->folds,
                  (unsigned long long)from->rows);
  if (status == MLPD_OK) status = memory_allocate(&p->folds, from->rows, sizeof *p->folds, "folds");
  if (status == MLPD_OK) status = row_marks_create(from->rows, &none);
  status = mlpd_comm_agree(comm, status);
  if (status != MLPD_OK) row_marks_free(&none);
  TRY(status);
  row_marks_count(&none);
  lane_plan_create_marked(&none, &p->split);
  comm_watch_place(comm, "while folds are drawn");
  TRY(held_by_fold(comm, from, &wishes, p->folds));
  comm_watch_place(comm, "while the data is read");
  from->folds = p->folds;
  return MLPD_OK;
}

/* Batch norm needs rows to take a mean of. */
static mlpd_status check_lanes(const mlpd_train_options *o) {
  if (o->norm != MLPD_NORM_BATCH || o->batch / o->lanes >= 2) return MLPD_OK;
  return FAIL(
      MLPD_ERROR_USAGE,
      "--norm batch computes means over the rows of a lane, but --batch %llu over %u lane%s leaves less than 2 rows "
      "each; choose a larger --batch or fewer --lanes, or --norm layer",
      (unsigned long long)o->batch, o->lanes, o->lanes == 1 ? "" : "s");
}

static mlpd_status deal_rows(preparation *p, const part *from, uint64_t rows) {
  const mlpd_train_options *const o = &p->options;
  if (!o->stream) return lane_plan_create(rows, o->batch, o->lanes, o->seed, &p->plan);
  TRY(lane_plan_create(rows, o->batch, o->lanes, o->seed, &p->dealt));
  TRY(lane_plan_create_grained(rows, o->batch, o->lanes, o->seed, grain_rows(from), &p->plan));
  settle_window(p, from);
  return MLPD_OK;
}

static mlpd_status plan_rows(mlpd_comm *comm, const mlpd_train_events *events, preparation *p, const part *from,
                             bool from_train) {
  uint64_t valid_rows = 0;
  if (from_train) {
    valid_rows = p->folds != NULL ? p->file_rows : (uint64_t)llround(p->options.valid_fraction * (double)p->file_rows);
    if (p->folds == NULL && (valid_rows == 0 || valid_rows >= p->file_rows))
      return FAIL(MLPD_ERROR_USAGE, "--valid-fraction %g of %llu rows leaves nothing to %s", p->options.valid_fraction,
                  (unsigned long long)p->file_rows, valid_rows == 0 ? "validate" : "train");
    if (p->split.num_lanes == 0)
      TRY(lane_plan_create(p->file_rows, p->file_rows, SPLIT_LANES, p->options.seed, &p->split));
    p->valid.present = true;
    p->valid.range = forward_range_of_rank(valid_rows, mlpd_comm_size(comm), mlpd_comm_rank(comm));
  }
  const uint64_t rows = p->folds != NULL ? p->file_rows : p->file_rows - valid_rows;
  preparation_settle_lanes(comm, events, p, rows);
  TRY(check_lanes(&p->options));
  TRY(deal_rows(p, from, rows));
  preparation_settle_epochs(&p->options, p->plan.steps_per_epoch);
  return preparation_check_epochs(&p->options);
}

/* Scans the rows of this rank's lanes, which will be streamed. */
static mlpd_status scan_rows(mlpd_comm *comm, preparation *p, part *from) {
  const row_scan_wishes wishes = preparation_scan(comm, p);
  p->train =
      (shard){.type = from->type, .features = from->features, .outputs = wishes.as_classes ? 0 : from->y_columns};
  return row_scan_run(from, &wishes, &p->scan);
}

/* Reads this rank's lanes of the training part and its blocks of validation rows drawn from it. */
static mlpd_status read_rows(mlpd_comm *comm, preparation *p, part *from) {
  uint32_t first = 0, end = 0;
  lanes_of_rank(p->plan.num_lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &first, &end);
  p->scan.classes = NO_CLASSES;
  if (p->options.stream)
    TRY(scan_rows(comm, p, from));
  else
    TRY(read_positions(p, from, &p->plan, p->plan.lane_begin[first], p->plan.lane_begin[end], p->options.classes,
                       &p->train));
  if (p->split.num_lanes == 0) return MLPD_OK;
  const uint64_t start = p->file_rows - p->valid.range.rows; /* validation rows are at the end of the split order */
  p->valid.target = p->options.task == MLPD_REGRESSION && p->held_out_windows ? &p->model->target : NULL;
  p->valid.order = &p->split;
  p->valid.first = start;
  if (!p->held_out_windows)
    return read_positions(p, from, &p->split, start + p->valid.range.row_begin, start + p->valid.range.row_end,
                          p->options.classes, &p->valid.rows);
  p->valid.num_classes = p->options.classes;
  return held_out_in_windows(from, p->options.task == MLPD_CLASSIFICATION, p->threads, &p->valid);
}

/* Names of columns are those of the schema's x: where they are not as many as the columns of another array, which an
 * option names, they are not of it. */
static mlpd_status check_names(const part *train, const preparation *p, data_names *names) {
  const uint64_t count = names->columns.count;
  if (count != train->features && p->options.data.x != NULL) name_list_free(&names->columns);
  if (count != 0 && count != train->features && p->options.data.x == NULL)
    return FAIL(MLPD_ERROR_DATA, "%s: /columns/name holds %llu names, but %s has %u columns", train->file,
                (unsigned long long)count, train->x_path, train->features);
  TRY(name_list_check(&names->columns, train->file, "/columns/name"));
  return name_list_check(&names->classes, train->file, "/class_names");
}

/* The model keeps the names that the data has. */
static mlpd_status take_names(part *train, preparation *p, data_names *names) {
  const bool classes = p->options.task == MLPD_CLASSIFICATION;
  TRY(dataset_names(train->h5, names));
  TRY(check_names(train, p, names));
  if (names->targets.count != (classes ? 1 : train->y_columns)) name_list_free(&names->targets);
  if (!classes) name_list_free(&names->classes);
  if (names->labels.count != names->classes.count) name_list_free(&names->labels);
  if (!classes) return MLPD_OK;
  if (names->classes.count == 0) { /* labels name their classes */
    names->classes = p->labels.names;
    p->labels.names = (name_list){0};
  }
  if (p->options.classes == 0) p->options.classes = p->labels.num_classes;
  if (p->options.classes == 0) p->options.classes = (uint32_t)names->classes.count;
  if (p->labels.num_classes > p->options.classes)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds %u classes, but --classes is %u", train->file, train->y_path,
                p->labels.num_classes, p->options.classes);
  return MLPD_OK;
}

static mlpd_status settle_train(preparation *p, part *train, bool *valid_in_file) {
  TRY(preparation_settle_task(p, train));
  p->file_rows = train->rows;
  p->features = train->features;
  const element_type y_type = h5_array_shape(train->y).type;
  p->whole_targets = !train->y_text && (y_type == ELEMENT_I64 || y_type == ELEMENT_U64);
  TRY(take_names(train, p, &p->model->names));
  TRY(column_inputs_read(train, p)); /* by name, if a model has them */
  part valid = {0};
  const mlpd_status status = part_open(p->file, &p->options.data, MLPD_VALID, true, &valid, valid_in_file);
  part_close(&valid);
  if (status == MLPD_OK && *valid_in_file && p->options.folds > 1)
    return FAIL(MLPD_ERROR_USAGE,
                "%s has a validation part, but --folds %u validates by the rows that its members leave out: use "
                "--members %u, which that part validates, or data without it (convert --valid-fraction 0)",
                train->file, p->options.folds, p->options.folds);
  preparation_settle_valid_fraction(&p->options, train->rows, *valid_in_file);
  return status;
}

static double largest_weight(const preparation *p) {
  double largest = p->scan.largest_weight;
  for (uint64_t i = 0; p->train.weights != NULL && i < p->train.rows; i++)
    if ((double)p->train.weights[i] > largest) largest = (double)p->train.weights[i];
  return largest;
}

static void note_patience(mlpd_comm *comm, const mlpd_train_events *events, const preparation *p, bool valid_in_file) {
  if (p->options.patience == 0 || valid_in_file || p->options.valid_fraction > 0 || p->options.folds > 1) return;
  preparation_notice(comm, events,
                     "there is no validation part, so --patience is not used; --valid-fraction makes one");
}

static mlpd_status read_train(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  part *const train = &p->source;
  bool valid_in_file = false;
  bool present = false;
  const mlpd_train_options *const o = &p->options;
  TRY(mlpd_comm_agree(comm, part_open(p->file, &o->data, MLPD_TRAIN, true, train, &present)));
  TRY(labels_decide(comm, &o->data, train, o->task, o->loss, o->classes, &p->labels));
  train->map = &p->labels.map;
  train->x_as_is = o->normalize == MLPD_NORMALIZE_NONE;
  /* Half the memory, and less to gather in each epoch. A checkpoint knows the data by the hash of their stored type. */
  train->narrow = train->x_as_is && o->data.rows != NULL && o->out == NULL && !o->stream;
  if (p->labels.note[0] != '\0') preparation_notice(comm, events, p->labels.note);
  TRY(mlpd_comm_agree(comm, settle_train(p, train, &valid_in_file)));
  const bool drawn = h5_attribute_exists(train->h5, "/", CONVERT_ORIGIN); /* from a raw table, by --valid-fraction */
  if (valid_in_file && p->options.valid_fraction > 0 && !drawn)
    preparation_notice(comm, events, "the data has a validation part of its own; --valid-fraction is not used");
  note_patience(comm, events, p, valid_in_file);
  TRY(sample_weights_scale(comm, train));
  const bool from_train = !valid_in_file && (o->valid_fraction > 0 || o->folds > 1);
  if (o->folds > 1)
    TRY(draw_folds(comm, p, train));
  else if (from_train && o->task == MLPD_CLASSIFICATION)
    TRY(split_by_class(comm, p, train));
  TRY(mlpd_comm_agree(comm, plan_rows(comm, events, p, train, from_train)));
  TRY(preparation_check_memory(comm, events, p, train));
  if (p->options.stream) TRY(column_inputs_find(comm, train, p)); /* the scan needs what replaces missing values */
  TRY(mlpd_comm_agree(comm, read_rows(comm, p, train)));
  if (!p->options.stream) TRY(column_inputs_find(comm, train, p));
  TRY(sample_weights_check(comm, train, largest_weight(p)));
  if (p->options.task == MLPD_CLASSIFICATION) TRY(count_classes(comm, p, train));
  p->targets = p->options.task == MLPD_CLASSIFICATION ? p->options.classes : train->y_columns;
  p->outputs = p->targets * loss_outputs(&p->model->loss);
  if (!p->options.stream) part_close(train);
  return MLPD_OK;
}

/* ---- Network ------------------------------------------------------------------------------------- */

/* Called with notes about the model of --init-from. */
typedef struct note_taker {
  mlpd_comm *comm;
  const mlpd_train_events *events;
} note_taker;

static void take_note(void *context, const char *message) {
  const note_taker *const to = context;
  preparation_notice(to->comm, to->events, message);
}

static mlpd_status start_from_model(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  const mlpd_model *const from = p->options.init_model;
  note_taker notes = {comm, events};
  TRY(init_match_make(from, p->model, p->features, p->inputs, p->options.data.file, take_note, &notes, &p->match));
  if (!p->keeps_scales)
    preparation_notice(comm, events,
                       "--init-from: the inputs are normalised as --normalize says, not as the model's were");
  return init_match_weights(from, &p->match, p->model->network, take_note, &notes);
}

static mlpd_status make_network(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  TRY(column_inputs_network(p, p->outputs, false, &p->model->network));
  mlpd_network_init(p->model->network, p->options.init, p->options.seed);
  return p->options.init_model != NULL ? start_from_model(comm, events, p) : MLPD_OK;
}

/* Reads the test part before the run, window by window, so that a test part that is damaged or does not fit is reported
 * before training. Collective. */
static mlpd_status look_at_test_part(mlpd_comm *comm, preparation *p) {
  held_out test;
  TRY(held_out_read(comm, p->file, &p->options.data, MLPD_TEST, p->model, true, true, p->threads, &test));
  const mlpd_status status = held_out_fingerprint(comm, &test, p->model, p->options.data.file, MLPD_TEST,
                                                  &p->class_rows[MLPD_TEST], &p->test_fingerprint);
  held_out_free(&test);
  return status;
}

static mlpd_status make_stream(mlpd_comm *comm, preparation *p) {
  const stream_parts parts = preparation_stream(comm, p, &p->source);
  return stream_create(&parts, &p->stream);
}

/* Keeps the origin of a converted table in the model, which recognises its table by it. */
static mlpd_status take_origin(preparation *p) {
  if (p->file == NULL || !h5_attribute_exists(p->file, "/", CONVERT_ORIGIN)) return MLPD_OK;
  return h5_attribute_read_text(p->file, "/", CONVERT_ORIGIN, &p->model->table);
}

/* ---- All of it ----------------------------------------------------------------------------------- */

mlpd_status preparation_create(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                               preparation *p) {
  *p = (preparation){.options = *options, .class_rows = {NO_CLASSES, NO_CLASSES, NO_CLASSES}};
  p->keeps_scales = options->init_model != NULL && options->normalize == MLPD_NORMALIZE_AUTO;
  mlpd_status status = placement_threads(comm, options->threads, &p->threads);
  p->memory_before = machine_memory_resident();
  if (status == MLPD_OK) status = memory_allocate(&p->model, 1, sizeof *p->model, "model");
  if (status == MLPD_OK) status = memory_copy_string(options->config_text, &p->model->config);
  if (status == MLPD_OK) status = init_source_digest(options->init_model, p->init_digest);
  TRY(mlpd_comm_agree(comm, status));
  TRY(data_open(comm, &p->options.data, &p->file));
  TRY(mlpd_comm_agree(comm, take_origin(p)));
  if (mlpd_comm_rank(comm) == 0 && events != NULL)
    unwritten_note_all(p->file, &p->options.data, events->notice, events->context);
  TRY(read_train(comm, events, p));
  TRY(preparation_check_memory(comm, events, p, NULL));
  p->model->task = p->options.task;
  TRY(mlpd_comm_agree(comm, make_network(comm, events, p)));
  TRY(column_scales_find(comm, events, p));
  TRY(column_bins_find(comm, p));
  TRY(look_at_test_part(comm, p));
  TRY(preparation_fingerprint(comm, p));
  if (p->split.num_lanes == 0)
    TRY(held_out_read(comm, p->file, &p->options.data, MLPD_VALID, p->model, true, p->held_out_windows, p->threads,
                      &p->valid));
  class_counts *const counts =
      p->split.num_lanes == 0 ? &p->class_rows[MLPD_VALID] : NULL; /* else they are counted already */
  TRY(held_out_fingerprint(comm, &p->valid, p->model, p->options.data.file, MLPD_VALID, counts, &p->valid_fingerprint));
  TRY(mlpd_comm_agree(comm, held_figure_check(p->options.select, p->model)));
  TRY(class_notes(comm, events, p));
  TRY(mlpd_comm_agree(comm, class_weights_find(p)));
  return p->options.stream ? mlpd_comm_agree(comm, make_stream(comm, p)) : MLPD_OK;
}

void preparation_free(preparation *p) {
  stream_free(p->stream); /* first: its thread uses the rest */
  held_out_free(&p->valid);
  part_close(&p->source);
  labels_free(&p->labels);
  (void)h5_close(p->file); /* read-only: nothing is lost */
  mlpd_model_free(p->model);
  free(p->class_weights);
  init_match_free(&p->match);
  free(p->folds);
  lane_plan_free(&p->split);
  lane_plan_free(&p->dealt);
  lane_plan_free(&p->plan);
  shard_free(&p->train);
  row_scan_free(&p->scan);
  for (int part = MLPD_TRAIN; part <= MLPD_TEST; part++) class_counts_free(&p->class_rows[part]);
  *p = (preparation){0};
}
