#include "data/shard_classes.h"

#include <inttypes.h>
#include <math.h>

#include "data/stored_labels.h"
#include "data/value_check.h"

/* Renumbers a class by its name. */
static mlpd_status class_rename(const part *p, int64_t class, uint64_t row, int32_t *renamed) {
  if (class < 0 || (uint64_t) class >= p->order.num_classes)
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s holds class %" PRId64 " at row %" PRIu64 " (from 0), but /class_names has %" PRIu64 " names",
                p->file, p->y_path, class, row, p->order.num_classes);
  *renamed = p->order.classes[class];
  if (*renamed >= 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s holds class '%s' at row %" PRIu64 " (from 0), which the model does not know; it knows %s",
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

const char *shard_cure_for_values(const part *p) {
  return p->of_trained ? "the model predicts classes" : "use --task regression";
}

static mlpd_status class_check(const part *p, int64_t class, uint64_t row, uint32_t num_classes) {
  if (class < 0)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 " (from 0), but classes count from 0",
                p->file, p->y_path, class, row);
  if (num_classes > 0 && class >= num_classes && p->of_trained)
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s holds class %" PRId64 " at row %" PRIu64 " (from 0), but the model knows %" PRIu32
                " classes, from 0 to %" PRIu32,
                p->file, p->y_path, class, row, num_classes, num_classes - 1);
  if (num_classes > 0 && class >= num_classes)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 " (from 0), but %s %" PRIu32, p->file,
                p->y_path, class, row,
                h5_exists(p->h5, "/class_names") ? "/class_names or --classes has" : "--classes is", num_classes);
  if (class >= INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds class %" PRId64 " at row %" PRIu64 " (from 0); %s", p->file, p->y_path,
                class, row, shard_cure_for_values(p));
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

mlpd_status shard_take_integer_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                       uint64_t count, uint32_t num_classes) {
  const int64_t *classes = data;
  for (uint64_t i = 0; i < count; ++i) {
    TRY(take_class(p, classes[i], row + i, num_classes, &s->classes[place + i]));
  }
  return MLPD_OK;
}

mlpd_status shard_take_float_classes(const part *p, shard *s, const void *data, uint64_t row, uint64_t place,
                                     uint64_t count, uint32_t num_classes) {
  const double *classes = data;
  TRY(value_check(p, p->y_path, ELEMENT_F64, classes, row, count, 1));
  for (uint64_t i = 0; i < count; ++i) {
    if (classes[i] != floor(classes[i]) || fabs(classes[i]) > 0x1p53)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 " (from 0), which is not a class; %s", p->file,
                  p->y_path, classes[i], row + i, shard_cure_for_values(p));
    TRY(take_class(p, (int64_t)classes[i], row + i, num_classes, &s->classes[place + i]));
  }
  return MLPD_OK;
}

mlpd_status shard_take_one_hot(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                               uint32_t num_classes) {
  (void)num_classes;
  const double *values = data;
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t class = stored_one_hot(values + i * p->y_columns, p->y_columns);
    if (class < 0)
      return FAIL(MLPD_ERROR_DATA,
                  "%s: %s is not one-hot at row %" PRIu64 " (from 0): one value must be 1 and the others 0; %s",
                  p->file, p->y_path, row + i, shard_cure_for_values(p));
    s->classes[place + i] = (int32_t) class;
  }
  return MLPD_OK;
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

mlpd_status shard_read_texts(part *p, const row_request *request, uint32_t num_classes, shard *s) {
  enum { TEXT_GAP = 64, TEXTS_MOST = 4096 };
  if (p->map == NULL || p->map->texts == NULL)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s holds text, but no classes are known", p->file, p->y_path);
  for (uint64_t i = 0, next = 0; i < request->num_runs; i = next) {
    next = row_request_group(request, i, TEXT_GAP, TEXTS_MOST);
    text_reader r = {p, request, i, num_classes, s};
    TRY(h5_array_read_texts(p->y, request->runs[i].file_row, row_request_rows(request, i, next), take_text, &r));
  }
  return MLPD_OK;
}
