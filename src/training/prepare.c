#include "training/prepare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine_memory.h"
#include "base/memory.h"
#include "distribution/comm.h"
#include "distribution/placement.h"
#include "network/init.h"
#include "network/loss.h"

enum { SPLIT_LANES = 64, MAX_HIDDEN = 1000 };

static void notice(mlpd_comm *comm, const mlpd_train_events *events, const char *message) {
  if (mlpd_comm_rank(comm) == 0 && events != NULL && events->notice != NULL) events->notice(events->context, message);
}

void affine_apply(const affine *a, uint64_t rows, float *values) {
  for (uint64_t i = 0; i < rows; i++)
    for (uint32_t j = 0; j < a->columns; j++)
      values[i * a->columns + j] = (values[i * a->columns + j] - a->shift[j]) * a->scale[j];
}

/* ---- Settling what the options leave open ------------------------------------------------------- */

static mlpd_status settle_task(preparation *p, const part *train) {
  mlpd_train_options *const o = &p->options;
  if (o->task == MLPD_TASK_AUTO) o->task = train->y_integer ? MLPD_CLASSIFICATION : MLPD_REGRESSION;
  if (o->loss == MLPD_LOSS_AUTO) o->loss = o->task == MLPD_CLASSIFICATION ? MLPD_CROSS_ENTROPY : MLPD_MSE;
  if (o->output_activation < 0) o->output_activation = (int)loss_default_activation(o->loss, o->task);
  if (o->normalize == MLPD_NORMALIZE_AUTO)
    /* Bytes are pixels, alike in all columns. Wider integers are tables: one range for all columns would leave the
     * narrow ones constant (UCI shuttle: accuracy 0.79 by scale, 0.995 by standard). */
    o->normalize = train->type == ELEMENT_U8 ? MLPD_NORMALIZE_SCALE : MLPD_NORMALIZE_STANDARD;
  if (o->task == MLPD_CLASSIFICATION && train->y_columns > 1)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %u columns, but classes come as one", train->file, train->y_path,
                train->y_columns);
  return loss_check(o->loss, (mlpd_activation)o->output_activation);
}

static void settle_lanes(mlpd_comm *comm, const mlpd_train_events *events, preparation *p, uint64_t rows) {
  mlpd_train_options *const o = &p->options;
  char text[200];
  if (o->batch > rows) {
    (void)snprintf(text, sizeof text, "--batch %llu is lowered to the %llu training rows", (unsigned long long)o->batch,
                   (unsigned long long)rows);
    notice(comm, events, text);
    o->batch = rows;
  }
  if (o->lanes == 0) o->lanes = lanes_default(o->batch);
  const uint32_t size = (uint32_t)mlpd_comm_size(comm);
  if (o->lanes < size) {
    (void)snprintf(text, sizeof text,
                   "%u lanes are raised to the %u ranks; for the same weights on fewer ranks give --lanes %u there",
                   o->lanes, size, size);
    notice(comm, events, text);
    o->lanes = size;
  }
}

/* ---- Reading the training part ------------------------------------------------------------------ */

static int compare_runs(const void *left, const void *right) {
  const uint64_t a = ((const row_run *)left)->file_row, b = ((const row_run *)right)->file_row;
  return a < b ? -1 : a > b;
}

/* runs over the positions of `outer` become runs over the file: each is replaced by outer's runs. */
static mlpd_status compose_runs(const lane_plan *outer, row_run **runs, uint64_t *num_runs) {
  row_run *composed = NULL;
  uint64_t count = 0, room = 0;
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0; i < *num_runs; i++) {
    const row_run run = (*runs)[i];
    row_run *pieces = NULL;
    uint64_t num_pieces = 0;
    TRY_GOTO(status, lane_plan_runs(outer, run.file_row, run.file_row + run.count, &pieces, &num_pieces), failed);
    if (count + num_pieces > room) {
      room = 2 * (count + num_pieces);
      row_run *const larger = realloc(composed, room * sizeof *larger);
      if (larger == NULL) {
        free(pieces);
        status = FAIL(MLPD_ERROR_MEMORY, "row runs: out of memory");
        goto failed;
      }
      composed = larger;
    }
    for (uint64_t k = 0; k < num_pieces; k++) {
      pieces[k].position = run.position + (pieces[k].position - run.file_row);
      composed[count++] = pieces[k];
    }
    free(pieces);
  }
  if (count > 0) qsort(composed, count, sizeof *composed, compare_runs);
  free(*runs);
  *runs = composed;
  *num_runs = count;
  return MLPD_OK;
failed:
  free(composed);
  return status;
}

/* Reads positions [begin, end): of the lane plan, or of the split order itself (direct). */
static mlpd_status read_positions(preparation *p, part *from, const lane_plan *plan, uint64_t begin, uint64_t end,
                                  uint32_t classes, shard *read) {
  row_run *runs = NULL;
  uint64_t num_runs = 0;
  mlpd_status status = lane_plan_runs(plan, begin, end, &runs, &num_runs);
  if (status == MLPD_OK && plan == &p->plan && p->split.num_lanes > 0)
    status = compose_runs(&p->split, &runs, &num_runs);
  if (status == MLPD_OK)
    status =
        shard_read(from, runs, num_runs, begin, end - begin, p->options.task == MLPD_CLASSIFICATION, classes, read);
  free(runs);
  return status;
}

static double largest_class(const shard *rows) {
  double most = -1;
  for (uint64_t i = 0; i < rows->rows; i++)
    if (rows->classes[i] > most) most = rows->classes[i];
  return most;
}

/* Validation rows taken from the training part count, too: the rarest class may be among them alone. */
static mlpd_status count_classes(mlpd_comm *comm, preparation *p, const part *from) {
  mlpd_train_options *const o = &p->options;
  double most = fmax(largest_class(&p->train), largest_class(&p->valid.rows));
  TRY(comm_max_double(comm, &most, 1));
  if (o->classes == 0) o->classes = (uint32_t)most + 1;
  if (o->classes < 2)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds one class only: there is nothing to learn", from->file, from->y_path);
  return MLPD_OK;
}

static mlpd_status plan_rows(mlpd_comm *comm, const mlpd_train_events *events, preparation *p, bool from_train) {
  uint64_t valid_rows = 0;
  if (from_train) {
    valid_rows = (uint64_t)llround(p->options.valid_fraction * (double)p->file_rows);
    if (valid_rows == 0 || valid_rows >= p->file_rows)
      return FAIL(MLPD_ERROR_USAGE, "--valid-fraction %g of %llu rows leaves nothing to %s", p->options.valid_fraction,
                  (unsigned long long)p->file_rows, valid_rows == 0 ? "validate" : "train");
    TRY(lane_plan_create(p->file_rows, p->file_rows, SPLIT_LANES, p->options.seed, &p->split));
    p->valid.present = true;
    p->valid.range = forward_range_of_rank(valid_rows, mlpd_comm_size(comm), mlpd_comm_rank(comm));
  }
  settle_lanes(comm, events, p, p->file_rows - valid_rows);
  return lane_plan_create(p->file_rows - valid_rows, p->options.batch, p->options.lanes, p->options.seed, &p->plan);
}

/* This rank's lanes of the training part, and its blocks of a validation part taken from it. */
static mlpd_status read_rows(mlpd_comm *comm, preparation *p, part *from) {
  uint32_t first = 0, end = 0;
  lanes_of_rank(p->plan.num_lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &first, &end);
  TRY(read_positions(p, from, &p->plan, p->plan.lane_begin[first], p->plan.lane_begin[end], p->options.classes,
                     &p->train));
  if (p->split.num_lanes == 0) return MLPD_OK;
  const uint64_t start = p->plan.rows; /* validation takes the end of the split order */
  return read_positions(p, from, &p->split, start + p->valid.range.row_begin, start + p->valid.range.row_end,
                        p->options.classes, &p->valid.rows);
}

static mlpd_status take_names(part *train, preparation *p, mlpd_model *model) {
  if (p->options.task != MLPD_CLASSIFICATION) return MLPD_OK;
  TRY(dataset_class_names(train->h5, &model->class_names, &model->num_names));
  if (p->options.classes == 0) p->options.classes = (uint32_t)model->num_names;
  return MLPD_OK;
}

static mlpd_status open_train(preparation *p, part *train, bool *valid_in_file) {
  bool present = false;
  TRY(part_open(&p->options.data, MLPD_TRAIN, true, train, &present));
  TRY(settle_task(p, train));
  p->file_rows = train->rows;
  p->features = train->features;
  TRY(take_names(train, p, p->model));
  part valid = {0};
  const mlpd_status status = part_open(&p->options.data, MLPD_VALID, true, &valid, valid_in_file);
  part_close(&valid);
  return status;
}

static mlpd_status read_train(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  part train = {0};
  bool valid_in_file = false;
  mlpd_status status = open_train(p, &train, &valid_in_file);
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  if (valid_in_file && p->options.valid_fraction > 0)
    notice(comm, events, "the data has a validation part of its own; --valid-fraction is not used");
  status = plan_rows(comm, events, p, !valid_in_file && p->options.valid_fraction > 0);
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  TRY_GOTO(status, preparation_check_memory(comm, events, p, &train), done);
  TRY_GOTO(status, mlpd_comm_agree(comm, read_rows(comm, p, &train)), done);
  if (p->options.task == MLPD_CLASSIFICATION) status = count_classes(comm, p, &train);
  p->outputs = p->options.task == MLPD_CLASSIFICATION ? p->options.classes : train.y_columns;
done:
  part_close(&train);
  return status;
}

/* ---- Network and normalisation ------------------------------------------------------------------ */

/* "512,256" as widths; rejects anything but positive integers. */
static mlpd_status parse_hidden(const char *text, uint32_t *widths, uint32_t *count) {
  *count = 0;
  const char *at = text;
  while (*at != '\0') {
    char *end = NULL;
    errno = 0;
    const long width = strtol(at, &end, 10);
    if (end == at || errno != 0 || width < 1 || width > INT32_MAX / 2 || (*end != ',' && *end != '\0') ||
        (*end == ',' && end[1] == '\0'))
      return FAIL(MLPD_ERROR_USAGE, "--hidden: '%s' is not a list of widths such as 512,256", text);
    if (*count == MAX_HIDDEN) return FAIL(MLPD_ERROR_USAGE, "--hidden: more than %d layers", MAX_HIDDEN);
    widths[(*count)++] = (uint32_t)width;
    at = *end == ',' ? end + 1 : end;
  }
  return MLPD_OK;
}

mlpd_status preparation_network(const preparation *p, uint32_t outputs, network_maker *create, mlpd_network **network) {
  const mlpd_train_options *const o = &p->options;
  uint32_t widths[MAX_HIDDEN + 2] = {p->features}, hidden = 0;
  mlpd_activation activations[MAX_HIDDEN + 1];
  TRY(parse_hidden(o->hidden, widths + 1, &hidden));
  for (uint32_t l = 0; l < hidden; l++) activations[l] = o->activation;
  widths[hidden + 1] = outputs;
  activations[hidden] = (mlpd_activation)o->output_activation;
  return create(hidden + 1, widths, activations, network);
}

static mlpd_status make_network(preparation *p) {
  TRY(preparation_network(p, p->outputs, mlpd_network_create, &p->model->network));
  mlpd_network_init(p->model->network, p->options.init, p->options.seed);
  return MLPD_OK;
}

/* Statistics of columns over the whole training part: a lane at a time, merged in lane order. */
static mlpd_status gather_statistics(mlpd_comm *comm, const preparation *p, element_type type, const void *x,
                                     column_statistics *total) {
  const uint32_t lanes = p->plan.num_lanes, d = total->columns;
  const size_t record = 1 + 4 * (size_t)d; /* doubles: count, mean, m2, minimum, maximum */
  uint32_t first = 0, end = 0;
  double *local = NULL, *all = NULL;
  uint64_t *bytes = NULL;
  const int size = mlpd_comm_size(comm);
  lanes_of_rank(lanes, size, mlpd_comm_rank(comm), &first, &end);
  mlpd_status status = memory_allocate(&local, (end - first) * record, sizeof *local, "statistics");
  if (status == MLPD_OK) status = memory_allocate(&all, lanes * record, sizeof *all, "statistics");
  if (status == MLPD_OK) status = memory_allocate(&bytes, (size_t)size, sizeof *bytes, "statistics");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
#pragma omp parallel for num_threads(p->threads) schedule(dynamic)
  for (uint32_t u = first; u < end; u++) {
    double *const at = local + (u - first) * record;
    column_statistics lane = {.columns = d,
                              .mean = at + 1,
                              .m2 = at + 1 + d,
                              .minimum = at + 1 + 2 * (size_t)d,
                              .maximum = at + 1 + 3 * (size_t)d};
    const uint64_t start = p->plan.lane_begin[first];
    column_statistics_of(type, x, p->plan.lane_begin[u] - start, p->plan.lane_begin[u + 1] - start, &lane);
    at[0] = lane.count;
  }
  for (int rank = 0; rank < size; rank++) {
    uint32_t a = 0, b = 0;
    lanes_of_rank(lanes, size, rank, &a, &b);
    bytes[rank] = (b - a) * record * sizeof *all;
  }
  TRY_GOTO(status, comm_gather_all(comm, local, bytes, all), done);
  for (uint32_t u = 0; u < lanes; u++) {
    double *const at = all + u * record;
    column_statistics_merge(&(column_statistics){.columns = d,
                                                 .count = at[0],
                                                 .mean = at + 1,
                                                 .m2 = at + 1 + d,
                                                 .minimum = at + 1 + 2 * (size_t)d,
                                                 .maximum = at + 1 + 3 * (size_t)d},
                            total);
  }
done:
  free(bytes);
  free(all);
  free(local);
  return status;
}

static mlpd_status normalize_columns(mlpd_comm *comm, const preparation *p, mlpd_normalize kind, element_type type,
                                     const void *x, uint32_t columns, affine *a) {
  column_statistics total = {0};
  mlpd_status status = affine_create(columns, a);
  if (status == MLPD_OK) status = column_statistics_create(columns, &total);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && kind != MLPD_NORMALIZE_NONE) status = gather_statistics(comm, p, type, x, &total);
  if (status == MLPD_OK && kind != MLPD_NORMALIZE_NONE) affine_from_statistics(kind, &total, a);
  column_statistics_free(&total);
  return status;
}

/* Targets are standardised where the output can be any number; probabilities stay as they are. */
static bool scales_targets(const preparation *p) {
  return p->options.task == MLPD_REGRESSION && p->options.output_activation == MLPD_IDENTITY &&
         p->options.normalize != MLPD_NORMALIZE_NONE;
}

static mlpd_status normalize(mlpd_comm *comm, preparation *p) {
  mlpd_model *const model = p->model;
  TRY(normalize_columns(comm, p, p->options.normalize, p->train.type, p->train.x, p->features, &model->input));
  if (p->options.task != MLPD_REGRESSION) return MLPD_OK;
  TRY(normalize_columns(comm, p, scales_targets(p) ? MLPD_NORMALIZE_STANDARD : MLPD_NORMALIZE_NONE, ELEMENT_F32,
                        p->train.values, p->outputs, &model->target));
  for (uint32_t j = 0; j < p->outputs; j++) /* a constant target stays what it is, so that it maps back */
    if (!(model->target.scale[j] > 0)) model->target.scale[j] = 1;
  affine_apply(&model->target, p->train.rows, p->train.values);
  if (p->split.num_lanes > 0) affine_apply(&model->target, p->valid.rows.rows, p->valid.rows.values);
  return MLPD_OK;
}

/* ---- Validation and test parts ------------------------------------------------------------------ */

static mlpd_status check_part(const part *given, const mlpd_model *model, bool has_y) {
  const layer *const first = &model->network->layers[0];
  const layer *const last = &model->network->layers[model->network->num_layers - 1];
  if (given->features != first->inputs)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %u columns, but the network takes %u", given->file, given->x_path,
                given->features, first->inputs);
  if (has_y && model->task == MLPD_REGRESSION && given->y_columns != last->outputs)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %u columns, but the network gives %u values", given->file, given->y_path,
                given->y_columns, last->outputs);
  return MLPD_OK;
}

static mlpd_status read_held_out(mlpd_comm *comm, part *from, const mlpd_model *model, held_out *read) {
  TRY(check_part(from, model, from->y != NULL));
  read->range = forward_range_of_rank(from->rows, mlpd_comm_size(comm), mlpd_comm_rank(comm));
  const forward_range *const range = &read->range;
  const row_run run = {.file_row = range->row_begin, .count = range->row_end - range->row_begin};
  const uint32_t outputs = model->network->layers[model->network->num_layers - 1].outputs;
  TRY(shard_read(from, &run, run.count > 0 ? 1 : 0, 0, run.count, model->task == MLPD_CLASSIFICATION, outputs,
                 &read->rows));
  if (read->rows.values != NULL && model->target.columns > 0)
    affine_apply(&model->target, read->rows.rows, read->rows.values);
  return MLPD_OK;
}

mlpd_status held_out_read(mlpd_comm *comm, const mlpd_data_paths *paths, mlpd_split which, const mlpd_model *model,
                          bool need_y, bool required, held_out *read) {
  part opened = {0};
  *read = (held_out){0};
  mlpd_status status = part_open(paths, which, need_y, &opened, &read->present);
  if (status == MLPD_OK && !read->present && required)
    status = FAIL(MLPD_ERROR_DATA, "%s: has no %s part", paths->file, mlpd_choice_name(mlpd_split_choices, (int)which));
  if (!need_y && opened.y != NULL) { /* predictions do not look at targets, whatever they hold */
    h5_array_close(opened.y);
    opened.y = NULL;
  }
  if (status == MLPD_OK && read->present) status = read_held_out(comm, &opened, model, read);
  part_close(&opened);
  return mlpd_comm_agree(comm, status);
}

/* Says before the run, not after it, that the test part does not fit. Not collective. */
static mlpd_status check_test_part(const preparation *p) {
  part test = {0};
  bool present = false;
  mlpd_status status = part_open(&p->options.data, MLPD_TEST, true, &test, &present);
  if (status == MLPD_OK && present) status = check_part(&test, p->model, true);
  part_close(&test);
  return status;
}

/* ---- All of it ----------------------------------------------------------------------------------- */

mlpd_status preparation_create(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                               preparation *p) {
  *p = (preparation){.options = *options};
  mlpd_status status = placement_threads(comm, options->threads, &p->threads);
  p->memory_before = machine_memory_resident();
  if (status == MLPD_OK) status = memory_allocate(&p->model, 1, sizeof *p->model, "model");
  if (status == MLPD_OK) status = memory_copy_string(options->config_text, &p->model->config);
  TRY(mlpd_comm_agree(comm, status));
  TRY(read_train(comm, events, p));
  TRY(preparation_check_memory(comm, events, p, NULL));
  p->model->task = p->options.task;
  p->model->loss = p->options.loss;
  TRY(mlpd_comm_agree(comm, make_network(p)));
  TRY(mlpd_comm_agree(comm, check_test_part(p)));
  TRY(normalize(comm, p));
  TRY(preparation_fingerprint(comm, p));
  if (p->split.num_lanes == 0) TRY(held_out_read(comm, &p->options.data, MLPD_VALID, p->model, true, false, &p->valid));
  return MLPD_OK;
}

void preparation_free(preparation *p) {
  mlpd_model_free(p->model);
  lane_plan_free(&p->split);
  lane_plan_free(&p->plan);
  shard_free(&p->train);
  shard_free(&p->valid.rows);
  *p = (preparation){0};
}
