/* Reads rows of a part into memory: copies runs of the file to their positions and checks every value. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "data/part_codes.h"
#include "kernels/multiversion.h"

enum {
  BLOCK_BYTES = 4 << 20,          /* bytes of x per read: the block is still in the cache when it is checked */
  COLUMN_BLOCK_BYTES = 256 << 10, /* bytes of y or weight per read */
  GAP_BYTES = 2 << 10,            /* runs closer than this are read together: copying the gap costs as much as a call */
  SPAN_BYTES = 256 << 10,         /* most bytes covered by such a read */
  CHUNK_BYTES = 64 << 20          /* most bytes of whole chunks that are read into a separate buffer */
};

static const double MOST = 1e140; /* largest float64: sums of squares must stay finite */

/* ---- Checks of values --------------------------------------------------------------------------------- */

/* true if all n values are finite. Written so that compilers vectorise it. */
MULTIVERSION static bool floats_good(const float *x, uint64_t n) {
  int bad = 0;
  for (uint64_t i = 0; i < n; ++i) bad |= !(fabsf(x[i]) <= FLT_MAX);
  return bad == 0;
}

MULTIVERSION static bool doubles_good(const double *x, uint64_t n, double most) {
  int bad = 0;
  for (uint64_t i = 0; i < n; ++i) bad |= !(fabs(x[i]) <= most);
  return bad == 0;
}

/* Fails: this value of array path (any, columns) cannot be used. */
static mlpd_status fail_value(const part *p, const char *path, double value, uint64_t row, uint64_t column,
                              uint64_t columns) {
  char place[64] = "";
  if (path == p->x_path && p->order.columns != NULL) column = p->order.columns[column];
  if (columns > 1) (void)snprintf(place, sizeof place, ", column %" PRIu64, column);
  const char *name = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; /* printf's nan may have a sign */
  if (!isfinite(value))
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds %s at row %" PRIu64 "%s (from 0)%s", p->file, path, name, row, place,
                !isnan(value)       ? ""
                : path == p->x_path ? "; fill in missing values, or give the data as CSV, in which they may be empty"
                : path == p->y_path ? "; leave out rows without a target"
                                    : "");
  return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 "%s (from 0), too large for %s%s", p->file, path,
              value, row, place, fabs(value) > MOST ? "the computations" : "32-bit floats",
              path == p->x_path && p->x_as_is ? "; --normalize standard scales columns" : "");
}

/* Checks data (count, columns): the rows of array path from row on. Integers are always good. */
static mlpd_status values_check(const part *p, const char *path, element_type type, const void *data, uint64_t row,
                                uint64_t count, uint64_t columns) {
  const uint64_t n = count * columns;
  const float *floats = data;
  const double *doubles = data, most = path == p->x_path && p->x_as_is ? FLT_MAX : MOST;
  if (type == ELEMENT_F32 ? floats_good(floats, n) : type != ELEMENT_F64 || doubles_good(doubles, n, most))
    return MLPD_OK;
  const bool may_miss = path == p->x_path && p->may_miss;
  for (uint64_t i = 0; i < n; ++i) {
    const double value = type == ELEMENT_F32 ? (double)floats[i] : doubles[i];
    if (may_miss && isnan(value)) continue;
    if (!(fabs(value) <= most)) return fail_value(p, path, value, row + i / columns, i % columns, columns);
  }
  return MLPD_OK;
}

/* ---- Shards ------------------------------------------------------------------------------------------- */

/* The rows to read: runs, and the position of the shard's row 0. */
typedef struct row_request {
  const row_run *runs;
  uint64_t num_runs, first_position, rows;
} row_request;

static mlpd_status request_check(const part *p, const row_request *request) {
  uint64_t rows = 0;
  for (uint64_t i = 0; i < request->num_runs; ++i) {
    const row_run run = request->runs[i];
    if (run.count > p->rows || run.file_row > p->rows - run.count || run.position < request->first_position ||
        run.count > request->rows || run.position - request->first_position > request->rows - run.count)
      return FAIL(MLPD_ERROR_INTERNAL, "%s: a run of %" PRIu64 " rows at row %" PRIu64 " is outside of %s", p->file,
                  run.count, run.file_row, p->x_path);
    rows += run.count;
  }
  if (rows != request->rows)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: the runs have %" PRIu64 " rows, not %" PRIu64, p->file, rows, request->rows);
  return MLPD_OK;
}

/* Groups runs for one read: returns the end of the runs [first, end) that lie at most `gap` rows apart in the file and
 * cover at most `most` rows in all. */
static uint64_t group_end(const row_request *request, uint64_t first, uint64_t gap, uint64_t most) {
  const row_run *const runs = request->runs;
  uint64_t next = first + 1;
  for (uint64_t end = runs[first].file_row + runs[first].count; next < request->num_runs; next++) {
    if (runs[next].file_row < end || runs[next].file_row - end > gap) break;
    end = runs[next].file_row + runs[next].count;
    if (end - runs[first].file_row > most) break;
  }
  return next;
}

static uint64_t group_rows(const row_request *request, uint64_t first, uint64_t end) {
  return request->runs[end - 1].file_row + request->runs[end - 1].count - request->runs[first].file_row;
}

static char *place_of_run(const row_request *request, const row_run *run, const shard *s, size_t row_bytes) {
  return (char *)s->x + (run->position - request->first_position) * row_bytes;
}

/* Copies the columns p->order.columns of each row of from (count, file_columns) to out. size: bytes of an element. */
static void pick_columns(const part *p, size_t size, uint64_t count, const char *from, char *out) {
  for (uint64_t i = 0; i < count; i++, from += p->order.file_columns * size)
    for (uint32_t j = 0; j < p->features; j++, out += size) memcpy(out, from + p->order.columns[j] * size, size);
}

/* Bytes of a row of x as it is read, including columns that are not used. */
static size_t x_bytes_read(const part *p) {
  return element_size(p->type) * (p->order.columns != NULL ? p->order.file_columns : p->features);
}

/* Rows of x per read: a block ends at the end of a chunk. */
static uint64_t x_block_rows(const part *p) {
  const size_t read_bytes = x_bytes_read(p);
  const uint64_t chunk_rows = h5_array_shape(p->x).chunk_rows, block = BLOCK_BYTES / read_bytes + 1;
  const uint64_t whole = chunk_rows > 0 ? (block + chunk_rows - 1) / chunk_rows * chunk_rows : block;
  const bool buffered = p->order.columns != NULL; /* else rows are read directly to their destination */
  return buffered && whole > CHUNK_BYTES / read_bytes ? block : whole;
}

/* Reads rows [row, row + count) of x to out (count, features), with the file's codes. */
static mlpd_status read_coded_x(part *p, uint64_t row, uint64_t count, char *out) {
  if (p->order.columns == NULL) return h5_array_read(p->x, row, count, p->type, out);
  const size_t size = element_size(p->type);
  char *whole = NULL;
  TRY(memory_allocate(&whole, count * p->order.file_columns, size, "a block of the data set"));
  const mlpd_status status = h5_array_read(p->x, row, count, p->type, whole);
  if (status == MLPD_OK) pick_columns(p, size, count, whole, out);
  free(whole);
  return status;
}

static mlpd_status read_x(part *p, uint64_t row, uint64_t count, char *out) {
  TRY(read_coded_x(p, row, count, out));
  part_translate(p, count, out);
  return MLPD_OK;
}

static mlpd_status read_run_x(part *p, const row_run *run, size_t row_bytes, char *out) {
  const uint64_t block = x_block_rows(p);
  for (uint64_t row = run->file_row, end = run->file_row + run->count; row < end;) {
    const uint64_t left_in_block = block - row % block;
    const uint64_t count = end - row < left_in_block ? end - row : left_in_block;
    TRY(read_x(p, row, count, out));
    TRY(values_check(p, p->x_path, p->type, out, row, count, p->features));
    out += count * row_bytes;
    row += count;
  }
  return MLPD_OK;
}

static mlpd_status shard_read_x(part *p, const row_request *request, shard *s) {
  const size_t row_bytes = element_size(p->type) * p->features;
  const uint64_t gap = GAP_BYTES / x_bytes_read(p), most = SPAN_BYTES / x_bytes_read(p);
  char *span = NULL;
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0, next = 0; i < request->num_runs && status == MLPD_OK; i = next) {
    const row_run *const runs = request->runs;
    next = group_end(request, i, gap, most);
    if (next == i + 1) {
      status = read_run_x(p, &runs[i], row_bytes, place_of_run(request, &runs[i], s, row_bytes));
      continue;
    }
    if (span == NULL) status = memory_allocate(&span, most, row_bytes, "a block of the data set");
    if (status == MLPD_OK) status = read_x(p, runs[i].file_row, group_rows(request, i, next), span);
    for (uint64_t k = i; k < next && status == MLPD_OK; k++) {
      const char *const from = span + (runs[k].file_row - runs[i].file_row) * row_bytes;
      status = values_check(p, p->x_path, p->type, from, runs[k].file_row, runs[k].count, p->features);
      memcpy(place_of_run(request, &runs[k], s, row_bytes), from, runs[k].count * row_bytes);
    }
  }
  free(span);
  return status;
}

/* Converts data (count, columns), rows [row, row + count) of the file, to rows [place, place + count) of the shard. */
typedef mlpd_status (*block_taker)(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                   uint64_t count, uint32_t num_classes);

/* Reads y or weight as elements of 8 bytes. */
typedef struct column_reader {
  part *p;
  h5_array *array;
  element_type as;
  block_taker take;
  uint32_t num_classes;
  shard *s;
  uint64_t block; /* rows that fit in data */
  char *data;
  size_t row_bytes;
} column_reader;

static mlpd_status read_run_column(const column_reader *r, const row_run *run, uint64_t place) {
  for (uint64_t done = 0; done < run->count; done += r->block) {
    const uint64_t count = run->count - done < r->block ? run->count - done : r->block;
    TRY(h5_array_read(r->array, run->file_row + done, count, r->as, r->data));
    TRY(r->take(r->p, r->s, r->data, run->file_row + done, place + done, count, r->num_classes));
  }
  return MLPD_OK;
}

/* Reads several runs at once; they fit in the block. */
static mlpd_status read_group_column(const column_reader *r, const row_request *request, uint64_t first, uint64_t end) {
  const row_run *const runs = request->runs;
  TRY(h5_array_read(r->array, runs[first].file_row, group_rows(request, first, end), r->as, r->data));
  for (uint64_t i = first; i < end; i++)
    TRY(r->take(r->p, r->s, r->data + (runs[i].file_row - runs[first].file_row) * r->row_bytes, runs[i].file_row,
                runs[i].position - request->first_position, runs[i].count, r->num_classes));
  return MLPD_OK;
}

static mlpd_status column_read(part *p, h5_array *array, const row_request *request, element_type as, block_taker take,
                               uint32_t num_classes, shard *s) {
  const size_t row_bytes = h5_array_shape(array).columns * element_size(as);
  const uint64_t gap = GAP_BYTES / row_bytes;
  const uint64_t most = COLUMN_BLOCK_BYTES > row_bytes ? COLUMN_BLOCK_BYTES / row_bytes : 1;
  column_reader r = {p, array, as, take, num_classes, s, .row_bytes = row_bytes, .block = 1};
  for (uint64_t i = 0, next = 0; i < request->num_runs;
       i = next) { /* allocate no more than is used: there may be many windows */
    next = group_end(request, i, gap, most);
    const uint64_t rows = group_rows(request, i, next) < most ? group_rows(request, i, next) : most;
    if (rows > r.block) r.block = rows;
  }
  TRY(memory_allocate(&r.data, r.block, r.row_bytes, "a block of the data set"));
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0, next = 0; i < request->num_runs && status == MLPD_OK; i = next) {
    next = group_end(request, i, gap, most);
    status = next > i + 1 ? read_group_column(&r, request, i, next)
                          : read_run_column(&r, &request->runs[i], request->runs[i].position - request->first_position);
  }
  free(r.data);
  return status;
}

/* Renumbers a class by its name. */
static mlpd_status class_rename(const part *p, int64_t class, uint64_t row, int32_t *renamed) {
  if (class < 0 || (uint64_t) class >= p->order.num_classes)
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s holds class %" PRId64 " at row %" PRIu64 ", but /class_names has %" PRIu64 " names", p->file,
                p->y_path, class, row, p->order.num_classes);
  *renamed = p->order.classes[class];
  if (*renamed >= 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: %s holds class '%s' at row %" PRIu64 ", which the model does not know; it knows %s",
              p->file, p->y_path, p->order.class_names.names[class], row, p->order.known_classes);
}

/* The class of a number; the number itself if labels are classes. */
static mlpd_status number_to_class(const part *p, int64_t number, uint64_t row, int64_t *class) {
  *class = number;
  if (p->map == NULL || p->map->count == 0) return MLPD_OK;
  *class = class_map_of_number(p->map, number);
  if (*class >= 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: %s holds %" PRId64 " at row %" PRIu64 " (from 0), which is not a known class",
              p->file, p->y_path, number, row);
}

/* eval has no options for the task and the classes: the model decides. */
static const char *cure_for_values(const part *p) {
  return p->of_trained ? "the model predicts classes" : "use --task regression";
}

static mlpd_status class_check(const part *p, int64_t class, uint64_t row, uint32_t num_classes) {
  if (class < 0)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 ", but classes count from 0", p->file,
                p->y_path, class, row);
  if (num_classes > 0 && class >= num_classes && p->of_trained)
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s holds class %" PRId64 " at row %" PRIu64 ", but the model knows %" PRIu32
                " classes, from 0 to %" PRIu32,
                p->file, p->y_path, class, row, num_classes, num_classes - 1);
  if (num_classes > 0 && class >= num_classes)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 ", but %s %" PRIu32, p->file,
                p->y_path, class, row,
                h5_exists(p->h5, "/class_names") ? "/class_names or --classes has" : "--classes is", num_classes);
  if (class >= INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 "; %s", p->file, p->y_path, class,
                row, cure_for_values(p));
  return MLPD_OK;
}

/* Converts a number of y to its class. */
static mlpd_status take_class(const part *p, int64_t number, uint64_t row, uint32_t num_classes, int32_t *taken) {
  if (p->order.classes != NULL) return class_rename(p, number, row, taken);
  int64_t class;
  TRY(number_to_class(p, number, row, &class));
  TRY(class_check(p, class, row, num_classes));
  *taken = (int32_t) class;
  return MLPD_OK;
}

static mlpd_status take_integer_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                        uint64_t count, uint32_t num_classes) {
  const int64_t *classes = data;
  for (uint64_t i = 0; i < count; ++i) {
    TRY(take_class(p, classes[i], row + i, num_classes, &s->classes[place + i]));
  }
  return MLPD_OK;
}

static mlpd_status take_float_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                      uint64_t count, uint32_t num_classes) {
  const double *classes = data;
  TRY(values_check(p, p->y_path, ELEMENT_F64, classes, row, count, 1));
  for (uint64_t i = 0; i < count; ++i) {
    if (classes[i] != floor(classes[i]) || fabs(classes[i]) > 0x1p53)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 ", which is not a class; %s", p->file, p->y_path,
                  classes[i], row + i, cure_for_values(p));
    TRY(take_class(p, (int64_t)classes[i], row + i, num_classes, &s->classes[place + i]));
  }
  return MLPD_OK;
}

static mlpd_status take_one_hot(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                                uint32_t num_classes) {
  (void)num_classes;
  const double *values = data;
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t class = stored_one_hot(values + i * p->y_columns, p->y_columns);
    if (class < 0)
      return FAIL(MLPD_ERROR_DATA,
                  "%s: %s is not one-hot at row %" PRIu64 " (from 0): one value must be 1 and the others 0; %s",
                  p->file, p->y_path, row + i, cure_for_values(p));
    s->classes[place + i] = (int32_t) class;
  }
  return MLPD_OK;
}

/* float32 for types whose values fit it, else float64. */
static element_type raw_type_of(const part *p) {
  const element_type type = p->y != NULL ? h5_array_shape(p->y).type : ELEMENT_F32;
  return type == ELEMENT_F64 || (element_is_integer(type) && element_size(type) > 2) ? ELEMENT_F64 : ELEMENT_F32;
}

/* The index in a block of the file of value i in the shard's order of columns. */
static uint64_t source_of(const part *p, const shard *s, uint64_t i) {
  const uint64_t column = i % s->outputs;
  return p->order.targets != NULL ? i - column + p->order.targets[column] : i;
}

static mlpd_status map_values(const part *p, shard *s, const double *values, uint64_t row, uint64_t place,
                              uint64_t count) {
  float *const out = s->values + place * s->outputs;
  for (uint64_t i = 0; i < count * s->outputs; ++i) {
    const uint64_t source = source_of(p, s, i);
    out[i] = affine_map(s->target, (uint32_t)(i % s->outputs), values[source]);
    if (!isfinite(out[i]))
      return fail_value(p, p->y_path, values[source], row + source / s->outputs, source % s->outputs, s->outputs);
  }
  return MLPD_OK;
}

static mlpd_status take_values(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                               uint32_t num_classes) {
  (void)num_classes;
  const double *values = data;
  TRY(values_check(p, p->y_path, ELEMENT_F64, values, row, count, s->outputs));
  if (s->values != NULL) return map_values(p, s, values, row, place, count);
  const uint64_t first = place * s->outputs, n = count * s->outputs;
  for (uint64_t i = 0; i < n; ++i) {
    if (s->raw_type == ELEMENT_F64)
      ((double *)s->raw)[first + i] = values[source_of(p, s, i)];
    else
      ((float *)s->raw)[first + i] = (float)values[source_of(p, s, i)];
  }
  return MLPD_OK;
}

static double raw_value(const shard *s, uint64_t i) {
  return s->raw_type == ELEMENT_F64 ? ((const double *)s->raw)[i] : (double)((const float *)s->raw)[i];
}

mlpd_status shard_map_values(shard *s, const affine *target, const char *what) {
  if (s->raw == NULL) return MLPD_OK;
  char *const bytes = s->raw; /* a value is at most as long as its raw value, so no raw value is overwritten unread */
  for (uint64_t i = 0; i < s->rows * s->outputs; ++i) {
    const uint32_t column = (uint32_t)(i % s->outputs);
    const float mapped = affine_map(target, column, raw_value(s, i));
    if (!isfinite(mapped))
      return FAIL(MLPD_ERROR_DATA, "%s, column %" PRIu32 " (from 0): %g is too large for 32-bit floats", what, column,
                  raw_value(s, i));
    memcpy(bytes + i * sizeof mapped, &mapped, sizeof mapped);
  }
  const size_t size = s->rows * s->outputs * sizeof(float);
  void *const smaller = s->raw_type == ELEMENT_F64 && size > 0 ? realloc(s->raw, size) : NULL;
  s->values = smaller != NULL ? smaller : s->raw;
  s->raw = NULL;
  return MLPD_OK;
}

/* Checks weights (count) of the rows from row on. */
static mlpd_status weights_check(const part *p, const double *weights, uint64_t row, uint64_t count) {
  TRY(values_check(p, p->weight_path, ELEMENT_F64, weights, row, count, 1));
  for (uint64_t i = 0; i < count; ++i)
    if (weights[i] < 0)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 "; a weight must be at least 0", p->file,
                  p->weight_path, weights[i], row + i);
  return MLPD_OK;
}

static mlpd_status take_weights(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                                uint32_t num_classes) {
  (void)num_classes;
  const double *weights = data;
  TRY(weights_check(p, weights, row, count));
  for (uint64_t i = 0; i < count; ++i) s->weights[place + i] = (float)(weights[i] / p->weight_unit);
  return MLPD_OK;
}

mlpd_status part_largest_weight(part *p, uint64_t begin, uint64_t end, double *largest) {
  enum { BLOCK = COLUMN_BLOCK_BYTES / sizeof(double) };
  double *block = NULL;
  mlpd_status status = memory_allocate(&block, BLOCK, sizeof *block, p->weight_path);
  *largest = 0;
  for (uint64_t row = begin; row < end && status == MLPD_OK; row += BLOCK) {
    const uint64_t count = end - row < BLOCK ? end - row : BLOCK;
    status = h5_array_read(p->weight, row, count, ELEMENT_F64, block);
    if (status == MLPD_OK) status = weights_check(p, block, row, count);
    for (uint64_t i = 0; i < count && status == MLPD_OK; i++) *largest = fmax(*largest, block[i]);
  }
  free(block);
  return status;
}

/* Copies the texts of a group of runs to a shard, as classes. */
typedef struct text_reader {
  const part *p;
  const row_request *request;
  uint64_t run; /* the next row is in this run or before it */
  uint32_t num_classes;
  shard *s;
} text_reader;

static mlpd_status take_text(void *context, uint64_t row, const char *text, size_t length) {
  text_reader *const r = context;
  const row_run *const runs = r->request->runs;
  while (row >= runs[r->run].file_row + runs[r->run].count) r->run++;
  if (row < runs[r->run].file_row) return MLPD_OK;
  const int64_t class = class_map_of_text(r->p->map, text, length);
  if (class < 0)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds '%.*s' at row %" PRIu64 " (from 0), which is not a known class",
                r->p->file, r->p->y_path, (int)(length < 60 ? length : 60), text, row);
  TRY(class_check(r->p, class, row, r->num_classes));
  r->s->classes[runs[r->run].position - r->request->first_position + (row - runs[r->run].file_row)] = (int32_t) class;
  return MLPD_OK;
}

static mlpd_status texts_read(part *p, const row_request *request, uint32_t num_classes, shard *s) {
  enum { TEXT_GAP = 64, TEXTS_MOST = 4096 };
  if (p->map == NULL || p->map->texts == NULL)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s holds text, but no classes are known", p->file, p->y_path);
  for (uint64_t i = 0, next = 0; i < request->num_runs; i = next) {
    next = group_end(request, i, TEXT_GAP, TEXTS_MOST);
    text_reader r = {p, request, i, num_classes, s};
    TRY(h5_array_read_texts(p->y, request->runs[i].file_row, group_rows(request, i, next), take_text, &r));
  }
  return MLPD_OK;
}

static mlpd_status shard_read_y(part *p, const row_request *request, uint32_t num_classes, shard *s) {
  if (s->classes == NULL) return column_read(p, p->y, request, ELEMENT_F64, take_values, 0, s);
  if (p->y_text) return texts_read(p, request, num_classes, s);
  if (p->map != NULL && p->map->one_hot) return column_read(p, p->y, request, ELEMENT_F64, take_one_hot, 0, s);
  if (p->y_integer) return column_read(p, p->y, request, ELEMENT_I64, take_integer_classes, num_classes, s);
  return column_read(p, p->y, request, ELEMENT_F64, take_float_classes, num_classes, s);
}

static mlpd_status allocate_y(const part *p, uint64_t rows, bool as_classes, shard *made) {
  if (!as_classes) {
    if (p->y_text)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds text, but a regression needs numbers", p->file, p->y_path);
    made->outputs = p->y_columns;
    made->raw_type = raw_type_of(p);
    if (made->target != NULL) return memory_allocate(&made->values, rows, sizeof(float) * p->y_columns, p->y_path);
    return memory_allocate(&made->raw, rows, element_size(made->raw_type) * p->y_columns, p->y_path);
  }
  if (p->y_columns != 1 && (p->map == NULL || !p->map->one_hot))
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu32 " columns: values, not classes; %s", p->file, p->y_path,
                p->y_columns, cure_for_values(p));
  return memory_allocate(&made->classes, rows, sizeof(int32_t), p->y_path);
}

mlpd_status shard_allocate(const part *p, uint64_t rows, bool as_classes, const affine *target, shard *made) {
  *made = (shard){.rows = rows, .features = p->features, .type = p->type, .target = target};
  mlpd_status status = memory_allocate(&made->x, rows, element_size(p->type) * p->features, p->x_path);
  if (status == MLPD_OK && p->need_y && p->y != NULL) status = allocate_y(p, rows, as_classes, made);
  if (status == MLPD_OK && p->need_y && p->weight != NULL)
    status = memory_allocate(&made->weights, rows, sizeof(float), p->weight_path);
  if (status != MLPD_OK) shard_free(made);
  return status;
}

mlpd_status shard_fill(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint32_t num_classes,
                       shard *s) {
  const row_request request = {runs, num_runs, first_position, s->rows};
  TRY(request_check(p, &request));
  TRY(shard_read_x(p, &request, s));
  if (s->classes != NULL || s->values != NULL || s->raw != NULL) TRY(shard_read_y(p, &request, num_classes, s));
  return s->weights == NULL ? MLPD_OK : column_read(p, p->weight, &request, ELEMENT_F64, take_weights, 0, s);
}

mlpd_status shard_read(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint64_t rows,
                       bool as_classes, uint32_t num_classes, const affine *target, shard *read) {
  TRY(shard_allocate(p, rows, as_classes, target, read));
  const mlpd_status status = shard_fill(p, runs, num_runs, first_position, num_classes, read);
  if (status != MLPD_OK) shard_free(read);
  return status;
}

mlpd_status shard_read_classes(part *p, uint64_t row, uint64_t count, uint32_t num_classes, int32_t *classes) {
  shard s = {.rows = count, .classes = classes};
  const row_run run = {.file_row = row, .count = count};
  const row_request request = {&run, 1, 0, count};
  TRY(request_check(p, &request));
  return shard_read_y(p, &request, num_classes, &s);
}

void shard_free(shard *s) {
  free(s->x);
  free(s->classes);
  free(s->values);
  free(s->raw);
  free(s->weights);
  *s = (shard){0};
}

uint64_t part_target_bytes(const part *p, bool as_classes) {
  const uint64_t targets = p->y == NULL ? 0 : as_classes ? sizeof(int32_t) : sizeof(float) * (uint64_t)p->y_columns;
  return targets + (p->weight != NULL ? sizeof(float) : 0);
}

uint64_t part_row_bytes(const part *p, bool as_classes) {
  return element_size(p->type) * (uint64_t)p->features + part_target_bytes(p, as_classes);
}

uint64_t part_raw_row_bytes(const part *p, bool as_classes) {
  const uint64_t more = as_classes || p->y == NULL ? 0 : element_size(raw_type_of(p)) - sizeof(float);
  return part_row_bytes(p, as_classes) + more * p->y_columns;
}

uint64_t shard_size(const shard *s) {
  uint64_t row = element_size(s->type) * s->features;
  if (s->classes != NULL) row += sizeof(int32_t);
  if (s->values != NULL) row += sizeof(float) * s->outputs;
  if (s->raw != NULL) row += element_size(s->raw_type) * s->outputs;
  if (s->weights != NULL) row += sizeof(float);
  return s->rows * row;
}
