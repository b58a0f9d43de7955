#include "prepare/column_scales.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/shard_values.h"
#include "model/model_clamp.h"
#include "prepare/column_bends.h"
#include "prepare/column_inputs.h"
#include "prepare/column_notes.h"
#include "prepare/column_quantiles.h"
#include "ranks/comm.h"

static const double BOUND_SLACK = 1e-6;  /* for targets that were rounded */
static const double SHARES_SLACK = 1e-3; /* likewise, for their sums */

enum { FILLED_ROWS = 64, SLICE_BYTES = 4 << 20, LEAST_SLICE = 512 }; /* columns whose statistics are taken at a time */

/* Columns of rows in memory or, if scanned is not NULL, their statistics from a scan of this rank's lanes. */
typedef struct column_source {
  element_type type;
  const void *x;
  double *scanned; /* (lanes of this rank, 1 + 4 columns) */
  uint32_t columns;
  const double *fill; /* (columns) stands for NaN; NULL: there is none */
} column_source;

/* The same statistics of rows [begin, end) with fill in place of NaN; copy (FILLED_ROWS, columns of s). */
static void filled_statistics(const column_source *from, uint32_t first, uint64_t begin, uint64_t end, char *copy,
                              column_statistics *s) {
  const size_t size = element_size(from->type);
  double *const deviations = (double *)(void *)copy;
  char *const rows = copy + s->columns * sizeof(double);
  column_statistics_clear(s);
  memset(deviations, 0, s->columns * sizeof *deviations);
  for (int pass = 0; pass < 2; pass++) {
    for (uint64_t row = begin; row < end; row += FILLED_ROWS) {
      const uint64_t n = end - row < FILLED_ROWS ? end - row : FILLED_ROWS;
      for (uint64_t i = 0; i < n; i++)
        memcpy(rows + i * s->columns * size, (const char *)from->x + ((row + i) * from->columns + first) * size,
               s->columns * size);
      rows_fill(from->type, rows, n, s->columns, from->fill + first);
      if (pass == 0) column_sums_add(from->type, rows, n, s);
      if (pass == 1) column_deviations_add(from->type, rows, n, s, deviations);
    }
    if (pass == 0) column_sums_finish(s);
  }
  column_deviations_finish(s, deviations);
}

/* Statistics of columns [first, first + width) of one lane of this rank. */
static void lane_statistics(const preparation *p, const column_source *from, uint32_t own_lane, uint32_t lane,
                            uint32_t first, double *record, uint32_t width, char *copy) {
  column_statistics made = row_scan_record(record, width);
  if (from->scanned != NULL) {
    double *const stored = from->scanned + (lane - own_lane) * (1 + 4 * (size_t)from->columns);
    const column_statistics all = row_scan_record(stored, from->columns);
    memcpy(made.mean, all.mean + first, width * sizeof(double));
    memcpy(made.m2, all.m2 + first, width * sizeof(double));
    memcpy(made.minimum, all.minimum + first, width * sizeof(double));
    memcpy(made.maximum, all.maximum + first, width * sizeof(double));
    record[0] = all.count;
    return;
  }
  const uint64_t start = p->plan.lane_begin[own_lane];
  const uint64_t begin = p->plan.lane_begin[lane] - start, end = p->plan.lane_begin[lane + 1] - start;
  if (from->fill != NULL)
    filled_statistics(from, first, begin, end, copy, &made);
  else
    column_statistics_of(from->type, from->x, from->columns, first, begin, end, &made);
  record[0] = made.count;
}

/* Buffers for the records of this rank's lanes and of all lanes. */
typedef struct record_room {
  double *local, *all;
  uint64_t *bytes; /* (ranks) */
  char *copies;    /* (threads, copy_bytes) for filled_statistics */
  size_t copy_bytes;
  uint32_t begin, end; /* lanes of this rank */
} record_room;

static mlpd_status room_create(mlpd_comm *comm, const preparation *p, uint32_t width, record_room *made) {
  const uint32_t num_lanes = p->plan.num_lanes;
  const size_t record = 1 + 4 * (size_t)width;
  *made = (record_room){0};
  lanes_of_rank(num_lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &made->begin, &made->end);
  TRY(memory_allocate(&made->local, (made->end - made->begin) * record, sizeof(double), "statistics"));
  TRY(memory_allocate(&made->all, num_lanes * record, sizeof(double), "statistics"));
  TRY(memory_allocate(&made->bytes, (size_t)mlpd_comm_size(comm), sizeof *made->bytes, "statistics"));
  made->copy_bytes = (FILLED_ROWS + 1) * width * sizeof(double);
  return memory_allocate(&made->copies, (size_t)p->threads, made->copy_bytes, "statistics");
}

static void room_free(record_room *room) {
  free(room->local);
  free(room->all);
  free(room->bytes);
  free(room->copies);
}

/* Columns [first, first + slice->columns): a lane at a time, merged in lane order. Collective. */
static mlpd_status gather_slice(mlpd_comm *comm, const preparation *p, const column_source *from, uint32_t first,
                                record_room *room, column_statistics *slice) {
  const uint32_t lanes = p->plan.num_lanes, own = room->begin, width = slice->columns;
  const size_t record = 1 + 4 * (size_t)width;
#pragma omp parallel for num_threads(p->threads) schedule(dynamic)
  for (uint32_t u = own; u < room->end; u++)
    lane_statistics(p, from, own, u, first, room->local + (u - own) * record, width,
                    room->copies + (size_t)omp_get_thread_num() * room->copy_bytes);
  for (int rank = 0; rank < mlpd_comm_size(comm); rank++) {
    uint32_t begin = 0, end = 0;
    lanes_of_rank(lanes, mlpd_comm_size(comm), rank, &begin, &end);
    room->bytes[rank] = (end - begin) * record * sizeof(double);
  }
  TRY(comm_gather_all(comm, room->local, room->bytes, room->all));
  for (uint32_t u = 0; u < lanes; u++) {
    const column_statistics lane = row_scan_record(room->all + u * record, width);
    column_statistics_merge(&lane, slice);
  }
  return MLPD_OK;
}

/* Statistics over the whole training part, a slice of columns at a time: with wide rows the records of all lanes are
 * large. Collective. */
static mlpd_status gather_statistics(mlpd_comm *comm, const preparation *p, const column_source *from,
                                     column_statistics *total) {
  const uint64_t fitting = SLICE_BYTES / (p->plan.num_lanes * 4 * sizeof(double));
  const uint64_t most = fitting > LEAST_SLICE ? fitting : LEAST_SLICE;
  record_room room;
  mlpd_status status = room_create(comm, p, (uint32_t)(most < from->columns ? most : from->columns), &room);
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  for (uint32_t first = 0; first < from->columns && status == MLPD_OK;) {
    const uint32_t left = from->columns - first, width = left < most ? left : (uint32_t)most;
    column_statistics slice = {.columns = width,
                               .mean = total->mean + first,
                               .m2 = total->m2 + first,
                               .minimum = total->minimum + first,
                               .maximum = total->maximum + first};
    status = gather_slice(comm, p, from, first, &room, &slice);
    total->count = slice.count;
    first += width;
  }
done:
  room_free(&room);
  return status;
}

/* ---- Input ---------------------------------------------------------------------------------------- */

/* Whole numbers beyond 2^53, where doubles no longer hold every one. */
static void note_rounded(mlpd_comm *comm, const mlpd_train_events *events, const preparation *p, const char *what,
                         const column_statistics *s) {
  char text[400];
  uint64_t rounded = 0;
  uint32_t first = 0;
  for (uint32_t c = s->columns; c-- > 0;) {
    if (!(fmax(fabs(s->minimum[c]), fabs(s->maximum[c])) > 0x1p53)) continue;
    rounded++;
    first = c;
  }
  if (rounded == 0 || mlpd_comm_rank(comm) != 0 || events == NULL || events->notice == NULL) return;
  (void)snprintf(text, sizeof text,
                 "%s: %llu %s column%s, first %u (from 0), hold%s whole numbers beyond 2^53 = 9007199254740992, which "
                 "are rounded; subtract their offset first if their differences matter",
                 p->options.data.file, (unsigned long long)rounded, what, rounded == 1 ? "" : "s", first,
                 rounded == 1 ? "s" : "");
  events->notice(events->context, text);
}

/* Codes of categories are no numbers: they have no part in a range of all columns. */
static void leave_out_categories(const column_codes *codes, column_statistics *s) {
  for (uint32_t c = 0; c < codes->about.count; c++) {
    if (codes->about.kinds[c] != COLUMN_KIND_CATEGORY) continue;
    s->minimum[c] = INFINITY;
    s->maximum[c] = -INFINITY;
  }
}

/* ... and are not scaled. A number that is missing where the training rows have all counts as their mean (robust
 * and quantile: median). */
static void keep_codes(column_codes *codes, affine *a) {
  for (uint32_t c = 0; c < codes->about.count; c++) {
    const bool category = codes->about.kinds[c] == COLUMN_KIND_CATEGORY;
    if (category) a->shift[c] = 0;
    if (category) a->scale[c] = 1;
    if (!category && !codes->marked[c]) codes->fill[c] = a->shift[c];
  }
  if (codes->about.missing || !column_codes_plain(codes)) a->codes = codes;
  affine_settle(a);
}

/* Columns without a value keep quartiles of 0. Collective. */
static mlpd_status find_quartiles(mlpd_comm *comm, const preparation *p, column_quartiles *quartiles) {
  static const double FRACTIONS[] = {0.25, 0.5, 0.75};
  const column_codes *const codes = &p->model->codes;
  column_quantile *all = NULL;
  size_t count = 0;
  mlpd_status status = memory_allocate(&all, 3 * (size_t)p->features, sizeof *all, "quartiles");
  for (uint32_t c = 0; c < p->features && status == MLPD_OK; c++)
    for (int i = 0; i < 3 && !(codes->about.count > 0 && codes->about.kinds[c] == COLUMN_KIND_CATEGORY); i++)
      all[count++] = (column_quantile){.column = c, .fraction = FRACTIONS[i]};
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = column_quantiles_find(comm, &p->source, p, all, count);
  for (size_t i = 0; i < count && status == MLPD_OK; i += 3)
    if (!isnan(all[i].value))
      quartiles[all[i].column] = (column_quartiles){all[i].value, all[i + 1].value, all[i + 2].value};
  free(all);
  return status;
}

/* May columns have curves? */
static bool may_bend(const preparation *p) {
  const mlpd_normalize kind = p->options.normalize;
  return kind == MLPD_NORMALIZE_QUANTILE || kind == MLPD_NORMALIZE_MIXED || kind == MLPD_NORMALIZE_AUTO;
}

uint64_t column_scales_kept(const preparation *p, uint64_t rows) {
  return may_bend(p) ? column_bends_kept(p, (double)rows) : 0;
}

uint64_t column_scales_size(const preparation *p, uint64_t rows) {
  const size_t quartiles = 3 * (size_t)p->features;
  if (may_bend(p)) return column_bends_size(p, (double)rows);
  if (p->options.normalize != MLPD_NORMALIZE_ROBUST) return 0;
  return quartiles * sizeof(column_quantile) + p->features * sizeof(column_quartiles) +
         column_quantiles_size(quartiles);
}

static mlpd_status find_robust(mlpd_comm *comm, const preparation *p, const column_statistics *total, affine *a) {
  column_quartiles *quartiles = NULL;
  mlpd_status status = memory_allocate(&quartiles, p->features, sizeof *quartiles, "quartiles");
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = find_quartiles(comm, p, quartiles);
  if (status == MLPD_OK) affine_from_quartiles(total, quartiles, a);
  free(quartiles);
  return status;
}

/* With mixed: tells which columns become normal scores. */
static void tell_far(mlpd_comm *comm, const mlpd_train_events *events, const preparation *p, const bool *far,
                     uint32_t count) {
  enum { NAMED = 3 };
  char text[400];
  if (mlpd_comm_rank(comm) != 0 || events == NULL || events->decided == NULL) return;
  int length = 0;
  const name_list *const names = &p->model->names.columns;
  for (uint32_t j = 0, named = 0; j < p->features && named < NAMED; j++) {
    if (!far[j]) continue;
    const char *const before = named++ > 0 ? ", " : "";
    length += names->count > 0
                  ? snprintf(text + length, sizeof text - (size_t)length, "%s'%.80s'", before, names->names[j])
                  : snprintf(text + length, sizeof text - (size_t)length, "%scolumn %u", before, j);
  }
  if (count > NAMED) length += snprintf(text + length, sizeof text - (size_t)length, " and %u more", count - NAMED);
  (void)snprintf(text + length, sizeof text - (size_t)length,
                 ": a value more than 10 deviations from the mean, so normal scores");
  events->decided(events->context, text);
}

/* Standard, but curves for columns with values far from the mean; --normalize becomes standard without any, and where
 * they are many, as in sparse tables: quantiles of wide rows take much memory and, streamed, much reading. */
static mlpd_status find_mixed(mlpd_comm *comm, const mlpd_train_events *events, preparation *p,
                              const column_statistics *total, affine *a) {
  bool *far = NULL;
  uint32_t count = 0;
  mlpd_status status = memory_allocate(&far, p->features, sizeof *far, "columns");
  status = mlpd_comm_agree(comm, status);
  affine_from_statistics(MLPD_NORMALIZE_STANDARD, total, a);
  for (uint32_t j = 0; j < p->features && status == MLPD_OK; j++) count += far[j] = affine_is_far(total, a, j);
  if (count > COLUMN_BENDS_MIXED) count = 0;
  if (count == 0) p->options.normalize = MLPD_NORMALIZE_STANDARD;
  if (count > 0) status = column_bends_find(comm, p, total->count, far, a);
  if (count > 0 && status == MLPD_OK) tell_far(comm, events, p, far, count);
  free(far);
  return status;
}

static mlpd_status find_input(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  const column_source from = {p->train.type, p->train.x, p->scan.x, p->features, column_inputs_fill(p)};
  column_codes *const codes = &p->model->codes;
  affine *const a = &p->model->input;
  column_statistics total = {0};
  mlpd_normalize *const kind = &p->options.normalize;
  mlpd_status status = affine_create(p->features, a);
  if (status == MLPD_OK) status = column_statistics_create(p->features, &total);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && *kind != MLPD_NORMALIZE_NONE) {
    status = gather_statistics(comm, p, &from, &total);
    leave_out_categories(codes, &total);
    if (status == MLPD_OK) column_notes_constant(comm, events, p, &total);
    if (*kind == MLPD_NORMALIZE_AUTO)
      *kind = column_statistics_alike(&total) ? MLPD_NORMALIZE_SCALE
              : p->keeps_scales               ? MLPD_NORMALIZE_STANDARD
                                              : MLPD_NORMALIZE_MIXED;
    if (status == MLPD_OK && *kind == MLPD_NORMALIZE_ROBUST) status = find_robust(comm, p, &total, a);
    if (status == MLPD_OK && *kind == MLPD_NORMALIZE_QUANTILE)
      status = column_bends_find(comm, p, total.count, NULL, a);
    if (status == MLPD_OK && *kind == MLPD_NORMALIZE_MIXED) status = find_mixed(comm, events, p, &total, a);
    if (status == MLPD_OK && (*kind == MLPD_NORMALIZE_SCALE || *kind == MLPD_NORMALIZE_STANDARD))
      affine_from_statistics(*kind, &total, a);
    if (from.type == ELEMENT_I64 || from.type == ELEMENT_U64) note_rounded(comm, events, p, "input", &total);
  }
  if (status == MLPD_OK && p->keeps_scales) status = init_match_input(p->options.init_model, &p->match, p->model);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) keep_codes(codes, a);
  a->limit = p->options.clip_inputs;
  column_statistics_free(&total);
  return status;
}

/* ---- Targets -------------------------------------------------------------------------------------- */

/* The range of the outputs, if the activation bounds them. */
static bool output_bounds(mlpd_activation output, double *least, double *most) {
  *least = output == MLPD_TANH ? -1 : 0;
  *most = output == MLPD_EXP ? INFINITY : 1;
  return output == MLPD_EXP || output == MLPD_TANH || output == MLPD_SIGMOID || output == MLPD_SOFTMAX;
}

/* No weights can reach targets outside the range of the outputs; a cross-entropy, which expects probabilities, would
 * even fall forever. */
static mlpd_status check_fit(const preparation *p, const column_statistics *s) {
  const mlpd_train_options *const o = &p->options;
  const char *const file = o->data.file, *const loss = mlpd_choice_name(mlpd_loss_choices, (int)o->loss);
  double least = 0, most = 0;
  if (!output_bounds((mlpd_activation)o->output_activation, &least, &most)) return MLPD_OK;
  if (o->output_activation == MLPD_SOFTMAX && s->columns == 1)
    return FAIL(
        MLPD_ERROR_DATA,
        "%s: one target column cannot be fitted with loss %s and output softmax, whose only output is always 1; "
        "use --loss mse, or --task classification if the targets are classes",
        file, loss);
  for (uint32_t c = 0; c < s->columns; c++)
    if (s->minimum[c] < least - BOUND_SLACK || s->maximum[c] > most + BOUND_SLACK)
      return FAIL(
          MLPD_ERROR_DATA,
          "%s: target column %u (from 0) holds %g, but with loss %s and output %s the network gives %g to %g; use "
          "--loss mse and --output-activation identity, or --task classification if the targets are classes",
          file, c, s->minimum[c] < least - BOUND_SLACK ? s->minimum[c] : s->maximum[c], loss,
          mlpd_choice_name(mlpd_activation_choices, o->output_activation), least, most);
  return MLPD_OK;
}

/* A cross-entropy takes the targets of a row as the probabilities of classes. */
static void note_shares(mlpd_comm *comm, const mlpd_train_events *events, const preparation *p,
                        const column_statistics *s) {
  char text[400];
  double sum = 0;
  if (p->options.loss != MLPD_CROSS_ENTROPY) return;
  for (uint32_t c = 0; c < s->columns; c++) sum += s->mean[c];
  if (fabs(sum - 1) <= SHARES_SLACK || mlpd_comm_rank(comm) != 0 || events == NULL || events->notice == NULL) return;
  (void)snprintf(text, sizeof text,
                 "%s: the %u targets of a row sum to %.4g on average, but loss cross-entropy takes them as "
                 "probabilities, which sum to 1; for values use --loss mse",
                 p->options.data.file, s->columns, sum);
  events->notice(events->context, text);
}

/* Counts become multiples of their mean, which leaves them counts: the loss is the same but for its unit. */
static void scale_by_mean(const column_statistics *s, affine *a) {
  for (uint32_t c = 0; c < s->columns; c++) a->scale[c] = s->mean[c] > 0 ? 1 / s->mean[c] : 1;
}

static mlpd_status find_target(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  const column_source from = {p->train.raw_type, p->train.raw, p->scan.y, p->targets, NULL};
  affine *const a = &p->model->target;
  column_statistics total = {0};
  mlpd_status status = affine_create(p->targets, a);
  if (status == MLPD_OK) status = column_statistics_create(p->targets, &total);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = gather_statistics(comm, p, &from, &total);
  if (status == MLPD_OK) status = check_fit(p, &total);
  if (status == MLPD_OK) note_shares(comm, events, p, &total);
  if (status == MLPD_OK && p->whole_targets) note_rounded(comm, events, p, "target", &total);
  if (status == MLPD_OK && column_scales_targets(p)) affine_from_statistics(MLPD_NORMALIZE_STANDARD, &total, a);
  if (status == MLPD_OK && p->options.loss == MLPD_POISSON && p->options.normalize_targets != MLPD_NORMALIZE_NONE)
    scale_by_mean(&total, a);
  if (status == MLPD_OK && p->match.outputs != NULL && p->options.normalize_targets != MLPD_NORMALIZE_NONE)
    init_match_target(p->options.init_model, &p->match, p->model);
  for (uint32_t j = 0; status == MLPD_OK && j < p->targets;
       j++) /* a constant keeps its value, so that it can be mapped back */
    if (!(a->scale[j] > 0)) a->scale[j] = 1;
  if (status == MLPD_OK) affine_settle(a);
  if (status == MLPD_OK && p->options.clamp_predictions) status = model_clamp(p->model, total.minimum, total.maximum);
  column_statistics_free(&total);
  return status;
}

mlpd_status column_scales_find(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  TRY(find_input(comm, events, p));
  if (p->options.task != MLPD_REGRESSION) return MLPD_OK;
  mlpd_status status = find_target(comm, events, p); /* its end is not agreed on */
  const affine *const target = &p->model->target;
  p->valid.target = target;
  if (status == MLPD_OK) status = shard_map_values(&p->train, target, p->options.data.file);
  if (status == MLPD_OK) status = shard_map_values(&p->valid.rows, target, p->options.data.file);
  return mlpd_comm_agree(comm, status);
}
