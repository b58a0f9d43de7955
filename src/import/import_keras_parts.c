/* Import of Keras: the arrays and numbers of a layer. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "import/import_keras.h"

/* Since Keras 3 without the ":0". */
static const char *const PARTS[KERAS_NUM_PARTS] = {"/kernel",          "/bias", "/gamma",    "/beta",  "/moving_mean",
                                                   "/moving_variance", "/mean", "/variance", "/alpha", "/scale"};

static bool is_part(const char *object, keras_part part) {
  char old[32];
  (void)snprintf(old, sizeof old, "%s:0", PARTS[part]);
  return text_ends_in(object, PARTS[part]) || text_ends_in(object, old);
}

static void note(keras_reader *r, keras_part part, const char *object) {
  (void)snprintf(r->parts[part], KERAS_OBJECT_BYTES, "%s%s", object[0] == '/' ? "" : "/", object);
}

/* Between a layer's group and its arrays lie groups whose names depend on the version. */
static mlpd_status find_arrays(void *context, const char *object) {
  keras_reader *const r = context;
  char group[KERAS_OBJECT_BYTES];
  (void)snprintf(group, sizeof group, "/model_weights/%s/", r->layer);
  const bool rooted = object[0] == '/';
  if (strncmp(object, group + !rooted, strlen(group) - !rooted) != 0) return MLPD_OK;
  for (int i = 0; i < KERAS_NUM_PARTS; i++)
    if (is_part(object, (keras_part)i)) note(r, (keras_part)i, object);
  return MLPD_OK;
}

/* ---- Arrays with numbers ------------------------------------------------------------------------------ */

/* Layers with arrays: the name of their groups, and which they have, in their order; `key`: where the configuration
 * says so. */
static const struct {
  const char *kind, *group;
  struct {
    keras_part part;
    const char *key;
  } parts[4];
  int num_parts;
} NUMBERED[KERAS_NUM_KINDS] = {
    {"Dense", "dense", {{KERAS_KERNEL, NULL}, {KERAS_BIAS, "use_bias"}}, 2},
    {"BatchNormalization",
     "batch_normalization",
     {{KERAS_GAMMA, "scale"}, {KERAS_BETA, "center"}, {KERAS_MOVING_MEAN, NULL}, {KERAS_MOVING_VARIANCE, NULL}},
     4},
    {"LayerNormalization", "layer_normalization", {{KERAS_GAMMA, "scale"}, {KERAS_BETA, "center"}}, 2},
    {"RMSNormalization", "rms_normalization", {{KERAS_SCALE, NULL}}, 1},
    {"Normalization", "normalization", {{KERAS_MEAN, NULL}, {KERAS_VARIANCE, NULL}}, 2},
    {"PReLU", "p_re_lu", {{KERAS_ALPHA, NULL}}, 1},
};

/* Keras before 2.13 had another name for "layers", and on Windows another separator. */
static const char *const ROOTS[] = {"layers/", "_layer_checkpoint_dependencies/", "layers\\",
                                    "_layer_checkpoint_dependencies\\"};

/* The group of the count-th layer of a kind is GROUP or GROUP_COUNT. */
static void find_numbered(keras_reader *r, int kind, const json_t *config) {
  char name[64] = "", object[200];
  const unsigned count = r->counts[kind]++;
  if (count > 0) (void)snprintf(name, sizeof name, "_%u", count);
  int number = 0;
  for (int k = 0; k < NUMBERED[kind].num_parts; k++) {
    const char *const key = NUMBERED[kind].parts[k].key;
    if (key != NULL && json_is_false(json_object_get(config, key))) continue;
    for (size_t i = 0; i < sizeof ROOTS / sizeof *ROOTS; i++) {
      (void)snprintf(object, sizeof object, "/%s%s%s/vars/%d", ROOTS[i], NUMBERED[kind].group, name, number);
      if (h5_exists(r->file, object)) note(r, NUMBERED[kind].parts[k].part, object);
    }
    number++;
  }
}

mlpd_status keras_find_parts(keras_reader *r, const char *kind, const json_t *config) {
  for (int i = 0; i < KERAS_NUM_PARTS; i++) r->parts[i][0] = '\0';
  if (!r->numbered) return h5_visit_arrays(r->file, find_arrays, r);
  for (int i = 0; i < KERAS_NUM_KINDS; i++)
    if (strcmp(kind, NUMBERED[i].kind) == 0) find_numbered(r, i, config);
  return MLPD_OK;
}

mlpd_status keras_shape(const keras_reader *r, keras_part part, h5_shape *shape) {
  h5_array *array = NULL;
  if (r->parts[part][0] == '\0')
    return FAIL(MLPD_ERROR_DATA,
                r->numbered ? "layer %s has no array for its %s" : "layer %s has no /model_weights/LAYER/.../%s",
                r->layer, PARTS[part] + 1);
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
