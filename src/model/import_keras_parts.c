/* Import of Keras 2: the arrays and numbers of a layer. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/import_keras.h"

static bool ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), size = strlen(end);
  return length >= size && strcmp(text + length - size, end) == 0;
}

static const char *const PARTS[KERAS_NUM_PARTS] = {
    "/kernel:0", "/bias:0", "/gamma:0", "/beta:0", "/moving_mean:0", "/moving_variance:0", "/mean:0", "/variance:0"};

/* Between a layer's group and its arrays lie groups whose names depend on the version. */
static mlpd_status find_arrays(void *context, const char *object) {
  keras_reader *const r = context;
  char group[KERAS_OBJECT_BYTES];
  (void)snprintf(group, sizeof group, "/model_weights/%s/", r->layer);
  const bool rooted = object[0] == '/';
  if (strncmp(object, group + !rooted, strlen(group) - !rooted) != 0) return MLPD_OK;
  for (int i = 0; i < KERAS_NUM_PARTS; i++)
    if (ends_with(object, PARTS[i])) (void)snprintf(r->parts[i], KERAS_OBJECT_BYTES, "%s%s", rooted ? "" : "/", object);
  return MLPD_OK;
}

mlpd_status keras_find_parts(keras_reader *r) {
  for (int i = 0; i < KERAS_NUM_PARTS; i++) r->parts[i][0] = '\0';
  return h5_visit_arrays(r->file, find_arrays, r);
}

mlpd_status keras_shape(const keras_reader *r, keras_part part, h5_shape *shape) {
  h5_array *array = NULL;
  if (r->parts[part][0] == '\0')
    return FAIL(MLPD_ERROR_DATA, "layer %s has no /model_weights/%s/...%s", r->layer, r->layer, PARTS[part]);
  TRY(h5_array_open(r->file, r->parts[part], &array));
  *shape = h5_array_shape(array);
  h5_array_close(array);
  return MLPD_OK;
}

mlpd_status keras_length(const keras_reader *r, keras_part part, uint32_t *n) {
  h5_shape shape;
  TRY(keras_shape(r, part, &shape));
  if (shape.rank != 1 || shape.rows == 0 || shape.rows > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s is not a vector: only norms over the last axis are read", r->parts[part]);
  *n = (uint32_t)shape.rows;
  return MLPD_OK;
}

mlpd_status keras_read_vector(const keras_reader *r, keras_part part, uint32_t n, double usual, double **values) {
  TRY(memory_allocate(values, n, sizeof **values, "weights"));
  if (r->parts[part][0] != '\0') return h5_read(r->file, r->parts[part], n, 0, ELEMENT_F64, *values);
  for (uint32_t j = 0; j < n; j++) (*values)[j] = usual;
  return MLPD_OK;
}

double keras_number(const json_t *config, const char *key, double usual) {
  const json_t *const value = json_object_get(config, key);
  return json_is_number(value) ? json_number_value(value) : usual;
}
