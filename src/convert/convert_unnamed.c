#include "convert/convert_unnamed.h"

#include <stdlib.h>
#include <string.h>

#include "base/foreign.h"
#include "convert/convert_array.h"

enum { ARRAYS_MOST = 6, SHAPES_BYTES = 200 };

typedef struct shape {
  const zip_entry *entry;
  array_header header;
} shape;

/* Entry arr_0, arr_1, ... or NULL. */
static const zip_entry *numbered(const zip_entry *entries, size_t count, size_t number) {
  char name[32];
  (void)snprintf(name, sizeof name, "arr_%zu.npy", number);
  for (size_t i = 0; i < count; i++)
    if (strcmp(entries[i].name, name) == 0) return &entries[i];
  return NULL;
}

static mlpd_status read_shape(const char *path, const spools *streams, const zip_entry *entry, shape *read) {
  meter unused = {.streams = streams};
  input *in = NULL;
  input_array *array = NULL;
  TRY(input_open_entry(path, entry, &unused, &in));
  TRY(array_open(in, &array));
  *read = (shape){.entry = entry, .header = array->header};
  array_close(array);
  return MLPD_OK;
}

/* A list, or texts; among tables alone (lists: false), a single column. */
static bool is_y(const shape *s, bool lists) {
  if (s->header.text != ARRAY_NUMBERS) return true;
  return lists ? s->header.rank < 2 : s->header.columns == 1;
}

/* Divides the arrays into as many x as y, each in their order. */
static bool divide(const shape *shapes, size_t count, bool lists, const shape **x, const shape **y) {
  size_t num_x = 0, num_y = 0;
  for (size_t i = 0; i < count; i++) {
    const bool to_y = is_y(&shapes[i], lists);
    if ((to_y ? num_y : num_x) == count / 2) return false;
    if (to_y)
      y[num_y++] = &shapes[i];
    else
      x[num_x++] = &shapes[i];
  }
  return true;
}

/* Gives each x the y of as many rows; where both fit, in their order. */
static bool pair(const shape **x, const shape **y, int pairs) {
  if (pairs < 2) return true; /* other numbers of rows are refused where the pair is opened */
  if (x[0]->header.rows != y[0]->header.rows) {
    const shape *const first = y[0];
    y[0] = y[1];
    y[1] = first;
  }
  return x[0]->header.rows == y[0]->header.rows && x[1]->header.rows == y[1]->header.rows;
}

static void list_shapes(const shape *shapes, size_t count, char text[SHAPES_BYTES]) {
  size_t used = 0;
  for (size_t i = 0; i < count && used < SHAPES_BYTES; i++) {
    used += (size_t)snprintf(text + used, SHAPES_BYTES - used, "%sarr_%zu (", i > 0 ? ", " : "", i);
    for (int d = 0; d < shapes[i].header.rank && used < SHAPES_BYTES; d++)
      used += (size_t)snprintf(text + used, SHAPES_BYTES - used, "%s%llu", d > 0 ? ", " : "",
                               (unsigned long long)shapes[i].header.dimensions[d]);
    if (used < SHAPES_BYTES) used += (size_t)snprintf(text + used, SHAPES_BYTES - used, ")");
  }
}

/* x, y: pairs for the command in the message; NULL in x: the arrays in their order. */
static mlpd_status refuse(const char *path, const shape *shapes, size_t count, const shape *const *x,
                          const shape *const *y) {
  static const char *const keys[][ARRAYS_MOST] = {{"x", "y"},
                                                  {"x_train", "y_train", "x_test", "y_test"},
                                                  {"x_train", "y_train", "x_valid", "y_valid", "x_test", "y_test"}};
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES], text[SHAPES_BYTES] = "", names[200] = "";
  foreign_command_names(path, file, base);
  list_shapes(shapes, count, text);
  size_t used = 0;
  for (size_t i = 0; i < count - count % 2; i++) {
    const shape *const given = x[count / 2 - 1] == NULL ? &shapes[i] : i % 2 == 0 ? x[i / 2] : y[i / 2];
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s=a['arr_%td']", i > 0 ? ", " : "",
                             keys[count / 2 - 1][i], given - shapes);
  }
  return FAIL(MLPD_ERROR_DATA,
              "%s: holds arrays without names, %s, and their shapes do not tell which are x and y; name them: python3 "
              "-c \"import numpy; a = numpy.load('%s'); numpy.savez('%s-named.npz', %s)\" (in your order)",
              path, text, file, base, names);
}

mlpd_status unnamed_find(const char *path, const spools *streams, const zip_entry *entries, size_t count,
                         unnamed_arrays *found) {
  shape shapes[ARRAYS_MOST];
  const shape *x[ARRAYS_MOST / 2 + 1] = {NULL}, *y[ARRAYS_MOST / 2 + 1] = {NULL};
  *found = (unnamed_arrays){.pairs = 0};
  if (count < 2) return MLPD_OK;
  for (size_t i = 0; i < count; i++)
    if (numbered(entries, count, i) == NULL) return MLPD_OK;
  const bool many = count > ARRAYS_MOST;
  if (many) count = ARRAYS_MOST;
  bool lists = false;
  for (size_t i = 0; i < count; i++) {
    TRY(read_shape(path, streams, numbered(entries, count, i), &shapes[i]));
    lists = lists || is_y(&shapes[i], true);
  }
  const int pairs = (int)count / 2;
  const bool divided = !many && count % 2 == 0 && divide(shapes, count, lists, x, y);
  if (!divided) x[pairs - 1] = NULL;
  if (!divided || pairs > UNNAMED_MOST || !pair(x, y, pairs)) return refuse(path, shapes, count, x, y);
  for (int p = 0; p < pairs; p++) {
    found->x[p] = x[p]->entry;
    found->y[p] = y[p]->entry;
  }
  found->pairs = pairs;
  return MLPD_OK;
}
