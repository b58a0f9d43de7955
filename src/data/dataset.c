#include "data/dataset.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/multiversion.h"

enum {
  LISTED_ARRAYS = 8, /* named in the message where one is not found */
  LIST_BYTES = 512,
  BLOCK_BYTES = 4 << 20,  /* of x read at once, so that it is still in cache when it is looked through */
  COLUMN_BLOCK = 1 << 15, /* elements of y or weight read at once */
};

/* ---- Parts ------------------------------------------------------------------------------------------ */

typedef struct array_list {
  h5_file *file;
  char text[LIST_BYTES];
  size_t length;
  int found, listed;
} array_list;

static mlpd_status list_array(void *context, const char *object) {
  array_list *list = context;
  list->found++;
  if (list->found > LISTED_ARRAYS) return MLPD_OK;
  char shape[64] = "";
  h5_array *array = NULL;
  if (h5_array_open(list->file, object, &array) == MLPD_OK) {
    const h5_shape is = h5_array_shape(array);
    if (is.rank == 1)
      (void)snprintf(shape, sizeof shape, " (%" PRIu64 ")", is.rows);
    else
      (void)snprintf(shape, sizeof shape, " (%" PRIu64 ", %" PRIu64 ")", is.rows, is.columns);
    h5_array_close(array);
  }
  const size_t room = sizeof list->text - list->length;
  if (strlen(object) + strlen(shape) + 3 > room) return MLPD_OK;
  list->length +=
      (size_t)snprintf(list->text + list->length, room, "%s%s%s", list->listed > 0 ? ", " : "", object, shape);
  list->listed++;
  return MLPD_OK;
}

/* The failure that path is not in the file, with what is there instead. */
static mlpd_status fail_absent(h5_file *file, const char *name, const char *path, const char *hint) {
  array_list list = {.file = file};
  TRY(h5_visit_arrays(file, list_array, &list));
  if (list.found == 0) return FAIL(MLPD_ERROR_DATA, "%s: no data set %s; the file holds no arrays", name, path);
  char more[32] = "";
  if (list.found > list.listed) (void)snprintf(more, sizeof more, " and %d more", list.found - list.listed);
  return FAIL(MLPD_ERROR_DATA, "%s: no data set %s; the file holds %s%s; name them with %s", name, path, list.text,
              more, hint);
}

/* Where one split's arrays lie: what the user named, or NULL. */
typedef struct split_paths {
  const char *folder, *x, *y, *weight, *hint;
} split_paths;

static split_paths split_paths_of(const mlpd_data_paths *paths, mlpd_split split) {
  switch (split) {
    case MLPD_VALID:
      return (split_paths){"/valid", paths->valid_x, paths->valid_y, NULL, "--valid-x and --valid-y"};
    case MLPD_TEST:
      return (split_paths){"/test", paths->test_x, paths->test_y, NULL, "--test-x and --test-y"};
    case MLPD_TRAIN:
      break;
  }
  return (split_paths){"/train", paths->x, paths->y, paths->weight, "--x and --y"};
}

static mlpd_status path_choose(const char *named, const char *folder, const char *leaf, char **path) {
  if (named != NULL) return memory_copy_string(named, path);
  char text[32];
  (void)snprintf(text, sizeof text, "%s/%s", folder, leaf);
  return memory_copy_string(text, path);
}

static mlpd_status part_open_x(part *p, const split_paths *where) {
  if (!h5_exists(p->h5, p->x_path)) return fail_absent(p->h5, p->file, p->x_path, where->hint);
  TRY(h5_array_open(p->h5, p->x_path, &p->x));
  const h5_shape shape = h5_array_shape(p->x);
  if (shape.rows == 0) return FAIL(MLPD_ERROR_DATA, "%s: %s has no rows", p->file, p->x_path);
  if (shape.columns == 0) return FAIL(MLPD_ERROR_DATA, "%s: %s has no columns", p->file, p->x_path);
  if (shape.columns > UINT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " columns; at most %" PRIu32, p->file, p->x_path, shape.columns,
                UINT32_MAX);
  p->rows = shape.rows;
  p->features = (uint32_t)shape.columns;
  p->type = shape.type;
  return MLPD_OK;
}

/* Opens path, an array with a row for each of x. */
static mlpd_status part_open_beside(part *p, const char *path, h5_array **array) {
  h5_array *opened = NULL;
  TRY(h5_array_open(p->h5, path, &opened));
  const h5_shape shape = h5_array_shape(opened);
  mlpd_status status = MLPD_OK;
  if (shape.rows != p->rows)
    status = FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " rows but %s has %" PRIu64, p->file, p->x_path, p->rows, path,
                  shape.rows);
  else if (shape.columns == 0 || shape.columns > UINT32_MAX)
    status = FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " columns", p->file, path, shape.columns);
  if (status == MLPD_OK)
    *array = opened;
  else
    h5_array_close(opened);
  return status;
}

static mlpd_status part_open_y(part *p, const split_paths *where) {
  const bool named = where->y != NULL;
  if (!h5_exists(p->h5, p->y_path)) {
    if (p->need_y || named) return fail_absent(p->h5, p->file, p->y_path, where->hint);
    return MLPD_OK;
  }
  const mlpd_status status = part_open_beside(p, p->y_path, &p->y);
  if (status != MLPD_OK) return p->need_y || named ? status : MLPD_OK;
  const h5_shape shape = h5_array_shape(p->y);
  p->y_columns = (uint32_t)shape.columns;
  p->y_integer = shape.columns == 1 && element_is_integer(shape.type);
  return MLPD_OK;
}

static mlpd_status part_open_weight(part *p, const split_paths *where) {
  if (where->weight == NULL && !h5_exists(p->h5, p->weight_path)) return MLPD_OK;
  if (!h5_exists(p->h5, p->weight_path)) return fail_absent(p->h5, p->file, p->weight_path, "--weight");
  TRY(part_open_beside(p, p->weight_path, &p->weight));
  const uint64_t columns = h5_array_shape(p->weight).columns;
  if (columns != 1)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " columns; a weight is one number a row", p->file,
                p->weight_path, columns);
  return MLPD_OK;
}

mlpd_status part_open(const mlpd_data_paths *paths, mlpd_split split, bool need_y, part *opened, bool *present) {
  *opened = (part){.need_y = need_y};
  *present = false;
  if (paths->file == NULL) return FAIL(MLPD_ERROR_USAGE, "no data file is named; use --data FILE");
  const split_paths where = split_paths_of(paths, split);
  const bool named = where.x != NULL || where.y != NULL;
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, memory_copy_string(paths->file, &opened->file), failed);
  TRY_GOTO(status, path_choose(where.x, where.folder, "x", &opened->x_path), failed);
  TRY_GOTO(status, path_choose(where.y, where.folder, "y", &opened->y_path), failed);
  TRY_GOTO(status, path_choose(where.weight, where.folder, "weight", &opened->weight_path), failed);
  TRY_GOTO(status, h5_open(paths->file, &opened->h5), failed);
  if (split != MLPD_TRAIN && !named && !h5_exists(opened->h5, opened->x_path)) {
    part_close(opened);
    return MLPD_OK;
  }
  TRY_GOTO(status, part_open_x(opened, &where), failed);
  TRY_GOTO(status, part_open_y(opened, &where), failed);
  if (need_y) TRY_GOTO(status, part_open_weight(opened, &where), failed);
  *present = true;
  return MLPD_OK;
failed:
  part_close(opened);
  return status;
}

void part_close(part *p) {
  h5_array_close(p->x);
  h5_array_close(p->y);
  h5_array_close(p->weight);
  (void)h5_close(p->h5); /* read-only: nothing is lost */
  free(p->file);
  free(p->x_path);
  free(p->y_path);
  free(p->weight_path);
  *p = (part){0};
}

/* ---- Values that are no numbers ----------------------------------------------------------------------- */

/* Whether all n values are finite as float32. Written so that compilers vectorise it. */
MULTIVERSION static bool floats_good(const float *x, uint64_t n) {
  int bad = 0;
  for (uint64_t i = 0; i < n; ++i) bad |= !(fabsf(x[i]) <= FLT_MAX);
  return bad == 0;
}

MULTIVERSION static bool doubles_good(const double *x, uint64_t n) {
  int bad = 0;
  for (uint64_t i = 0; i < n; ++i) bad |= !(fabs(x[i]) <= (double)FLT_MAX);
  return bad == 0;
}

/* The failure that value, at row of path, cannot be used. columns: of path. */
static mlpd_status fail_value(const part *p, const char *path, double value, uint64_t row, uint64_t column,
                              uint64_t columns) {
  char place[64] = "";
  if (columns > 1) (void)snprintf(place, sizeof place, ", column %" PRIu64, column);
  const char *name = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; /* printf's nan may have a sign */
  if (!isfinite(value))
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds %s at row %" PRIu64 "%s (from 0)", p->file, path, name, row, place);
  return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 "%s (from 0), too large for 32-bit floats", p->file,
              path, value, row, place);
}

/* data (count, columns) of type, the rows of path from row on. Integers are always good. */
static mlpd_status values_check(const part *p, const char *path, element_type type, const void *data, uint64_t row,
                                uint64_t count, uint64_t columns) {
  const uint64_t n = count * columns;
  const float *floats = data;
  const double *doubles = data;
  if (type == ELEMENT_F32 ? floats_good(floats, n) : type != ELEMENT_F64 || doubles_good(doubles, n)) return MLPD_OK;
  for (uint64_t i = 0; i < n; ++i) {
    const double value = type == ELEMENT_F32 ? (double)floats[i] : doubles[i];
    if (!(fabs(value) <= (double)FLT_MAX)) return fail_value(p, path, value, row + i / columns, i % columns, columns);
  }
  return MLPD_OK;
}

/* ---- Shards ------------------------------------------------------------------------------------------- */

/* The rows asked for: runs, and where position 0 of the shard is. */
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
      return FAIL(MLPD_ERROR_INTERNAL, "%s: run of %" PRIu64 " rows at %" PRIu64 " is outside of %s", p->file,
                  run.count, run.file_row, p->x_path);
    rows += run.count;
  }
  if (rows != request->rows)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: runs give %" PRIu64 " rows of %" PRIu64, p->file, rows, request->rows);
  return MLPD_OK;
}

static mlpd_status shard_read_x(part *p, const row_request *request, shard *s) {
  const size_t row_bytes = element_size(p->type) * p->features;
  const uint64_t chunk_rows = h5_array_shape(p->x).chunk_rows;
  uint64_t block = BLOCK_BYTES / row_bytes + 1;
  if (chunk_rows > 0) block = (block + chunk_rows - 1) / chunk_rows * chunk_rows; /* ends where chunks end */
  for (uint64_t i = 0; i < request->num_runs; ++i) {
    const row_run run = request->runs[i];
    char *out = (char *)s->x + (run.position - request->first_position) * row_bytes;
    for (uint64_t row = run.file_row, end = run.file_row + run.count; row < end;) {
      const uint64_t left_in_block = block - row % block;
      const uint64_t count = end - row < left_in_block ? end - row : left_in_block;
      TRY(h5_array_read(p->x, row, count, p->type, out));
      TRY(values_check(p, p->x_path, p->type, out, row, count, p->features));
      out += count * row_bytes;
      row += count;
    }
  }
  return MLPD_OK;
}

/* Takes data (count, columns), rows [row, row + count) of the file, to rows [place, ...) of the shard. */
typedef mlpd_status (*block_taker)(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                   uint64_t count, uint32_t num_classes);

/* Reads the rows of y or weight as elements of 8 bytes, a block at a time, and hands them to take. */
static mlpd_status blocks_read(part *p, h5_array *array, const row_request *request, element_type as, block_taker take,
                               uint32_t num_classes, shard *s) {
  const uint64_t columns = h5_array_shape(array).columns;
  uint64_t block = 1;
  for (uint64_t i = 0; i < request->num_runs; ++i)
    if (request->runs[i].count > block) block = request->runs[i].count;
  if (block > COLUMN_BLOCK / columns) block = columns < COLUMN_BLOCK ? COLUMN_BLOCK / columns : 1;
  void *data = NULL;
  TRY(memory_allocate(&data, block * columns, element_size(as), "a block of the data set"));
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0; i < request->num_runs && status == MLPD_OK; ++i) {
    const row_run run = request->runs[i];
    for (uint64_t done = 0; done < run.count && status == MLPD_OK;) {
      const uint64_t count = run.count - done < block ? run.count - done : block;
      status = h5_array_read(array, run.file_row + done, count, as, data);
      if (status == MLPD_OK)
        status =
            take(p, s, data, run.file_row + done, run.position - request->first_position + done, count, num_classes);
      done += count;
    }
  }
  free(data);
  return status;
}

static mlpd_status class_check(const part *p, int64_t class, uint64_t row, uint32_t num_classes) {
  if (class < 0)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 ", but classes count from 0", p->file,
                p->y_path, class, row);
  if (num_classes > 0 && class >= num_classes)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 ", but --classes is %" PRIu32,
                p->file, p->y_path, class, row, num_classes);
  if (class >= INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 "; use --task regression", p->file,
                p->y_path, class, row);
  return MLPD_OK;
}

static mlpd_status take_integer_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                        uint64_t count, uint32_t num_classes) {
  const int64_t *classes = data;
  for (uint64_t i = 0; i < count; ++i) {
    TRY(class_check(p, classes[i], row + i, num_classes));
    s->classes[place + i] = (int32_t)classes[i];
  }
  return MLPD_OK;
}

static mlpd_status take_float_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                      uint64_t count, uint32_t num_classes) {
  const double *classes = data;
  TRY(values_check(p, p->y_path, ELEMENT_F64, classes, row, count, 1));
  for (uint64_t i = 0; i < count; ++i) {
    if (classes[i] != floor(classes[i]) || fabs(classes[i]) > 0x1p53)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 ", which is no class; use --task regression",
                  p->file, p->y_path, classes[i], row + i);
    TRY(class_check(p, (int64_t)classes[i], row + i, num_classes));
    s->classes[place + i] = (int32_t)classes[i];
  }
  return MLPD_OK;
}

static mlpd_status take_values(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                               uint32_t num_classes) {
  (void)num_classes;
  const double *values = data;
  TRY(values_check(p, p->y_path, ELEMENT_F64, values, row, count, s->outputs));
  float *out = s->values + place * s->outputs;
  for (uint64_t i = 0; i < count * s->outputs; ++i) out[i] = (float)values[i];
  return MLPD_OK;
}

static mlpd_status take_weights(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                                uint32_t num_classes) {
  (void)num_classes;
  const double *weights = data;
  TRY(values_check(p, p->weight_path, ELEMENT_F64, weights, row, count, 1));
  for (uint64_t i = 0; i < count; ++i) {
    if (weights[i] < 0)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 "; a weight is at least 0", p->file,
                  p->weight_path, weights[i], row + i);
    s->weights[place + i] = (float)weights[i];
  }
  return MLPD_OK;
}

static mlpd_status shard_read_y(part *p, const row_request *request, uint32_t num_classes, shard *s) {
  if (s->values != NULL) return blocks_read(p, p->y, request, ELEMENT_F64, take_values, 0, s);
  if (p->y_integer) return blocks_read(p, p->y, request, ELEMENT_I64, take_integer_classes, num_classes, s);
  return blocks_read(p, p->y, request, ELEMENT_F64, take_float_classes, num_classes, s);
}

static mlpd_status allocate_y(const part *p, uint64_t rows, bool as_classes, shard *made) {
  if (!as_classes) {
    made->outputs = p->y_columns;
    return memory_allocate(&made->values, rows, sizeof(float) * p->y_columns, p->y_path);
  }
  if (p->y_columns != 1)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu32 " columns, which are values, no classes; use --task regression",
                p->file, p->y_path, p->y_columns);
  return memory_allocate(&made->classes, rows, sizeof(int32_t), p->y_path);
}

mlpd_status shard_allocate(const part *p, uint64_t rows, bool as_classes, shard *made) {
  *made = (shard){.rows = rows, .features = p->features, .type = p->type};
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
  if (s->classes != NULL || s->values != NULL) TRY(shard_read_y(p, &request, num_classes, s));
  return s->weights == NULL ? MLPD_OK : blocks_read(p, p->weight, &request, ELEMENT_F64, take_weights, 0, s);
}

mlpd_status shard_read(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint64_t rows,
                       bool as_classes, uint32_t num_classes, shard *read) {
  TRY(shard_allocate(p, rows, as_classes, read));
  const mlpd_status status = shard_fill(p, runs, num_runs, first_position, num_classes, read);
  if (status != MLPD_OK) shard_free(read);
  return status;
}

void shard_free(shard *s) {
  free(s->x);
  free(s->classes);
  free(s->values);
  free(s->weights);
  *s = (shard){0};
}

uint64_t shard_size(const shard *s) {
  uint64_t row = element_size(s->type) * s->features;
  if (s->classes != NULL) row += sizeof(int32_t);
  if (s->values != NULL) row += sizeof(float) * s->outputs;
  if (s->weights != NULL) row += sizeof(float);
  return s->rows * row;
}

mlpd_status dataset_class_names(h5_file *file, char ***names, uint64_t *count) {
  *names = NULL;
  *count = 0;
  if (!h5_exists(file, "/class_names")) return MLPD_OK;
  return h5_strings_read(file, "/class_names", names, count);
}
