#include "data/class_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5.h"

bool label_is_number(const char *text, int64_t *number) {
  char *end = NULL, written[32];
  errno = 0;
  *number = strtoll(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0') return false;
  (void)snprintf(written, sizeof written, "%" PRId64, *number);
  return strcmp(written, text) == 0;
}

void class_map_free(class_map *map) {
  h5_strings_free(map->texts, map->count);
  free(map->numbers);
  free(map->order);
  free(map->classes);
  *map = (class_map){0};
}

/* Compares the text of label k with text by bytes, as strcmp does. */
static int compare_text(const class_map *map, uint32_t k, const char *text, size_t length) {
  const size_t own = strlen(map->texts[k]), common = own < length ? own : length;
  const int order = memcmp(map->texts[k], text, common);
  return order != 0 ? order : (own > length) - (own < length);
}

/* A label and its index, for sorting: by number if text is NULL. */
typedef struct sort_key {
  int64_t number;
  const char *text;
  uint32_t index;
} sort_key;

static int compare_keys(const void *a, const void *b) {
  const sort_key *const x = a, *const y = b;
  const int order = x->text != NULL ? strcmp(x->text, y->text) : (x->number > y->number) - (x->number < y->number);
  return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static mlpd_status make_order(class_map *map) {
  sort_key *keys = NULL;
  TRY(memory_allocate(&map->order, map->count, sizeof *map->order, "classes"));
  TRY(memory_allocate(&keys, map->count, sizeof *keys, "classes"));
  for (uint32_t i = 0; i < map->count; i++)
    keys[i] = (sort_key){map->numbers != NULL ? map->numbers[i] : 0, map->texts != NULL ? map->texts[i] : NULL, i};
  if (map->count > 1) qsort(keys, map->count, sizeof *keys, compare_keys);
  for (uint64_t i = 0; i < map->count; i++) map->order[i] = keys[i].index;
  free(keys);
  return MLPD_OK;
}

static mlpd_status fill_from_names(char *const *names, uint64_t count, bool numbers, class_map *map) {
  map->count = count;
  if (numbers) {
    TRY(memory_allocate(&map->numbers, count, sizeof *map->numbers, "classes"));
    for (uint64_t k = 0; k < count; k++)
      if (!label_is_number(names[k], &map->numbers[k]))
        return FAIL(MLPD_ERROR_INTERNAL, "the name of class %" PRIu64 " is not a number", k);
  } else {
    TRY(memory_allocate(&map->texts, count, sizeof *map->texts, "classes"));
    for (uint64_t k = 0; k < count; k++) TRY(memory_copy_string(names[k], &map->texts[k]));
  }
  return make_order(map);
}

mlpd_status class_map_of_names(char *const *names, uint64_t count, bool numbers, class_map *map) {
  *map = (class_map){0};
  const mlpd_status status = fill_from_names(names, count, numbers, map);
  if (status != MLPD_OK) class_map_free(map);
  return status;
}

static mlpd_status name_of(const stored_label *label, char **name) {
  char number[32];
  (void)snprintf(number, sizeof number, "%" PRId64, label->number);
  return memory_copy_string(label->text != NULL ? label->text : number, name);
}

mlpd_status class_map_of_labels(const stored_labels *l, class_map *map, char ***names) {
  *map = (class_map){0};
  char **made = NULL;
  mlpd_status status = memory_allocate(&made, l->count, sizeof *made, "class names");
  for (uint64_t k = 0; k < l->count && status == MLPD_OK; k++) status = name_of(&l->labels[k], &made[k]);
  if (status == MLPD_OK) status = class_map_of_names(made, l->count, !l->texts, map);
  if (status != MLPD_OK) {
    h5_strings_free(made, l->count);
    made = NULL;
  }
  *names = made;
  return status;
}

static mlpd_status fill_from_values(const class_map *by_name, char *const *names, const int64_t *values, uint64_t count,
                                    class_map *map) {
  map->count = count;
  TRY(memory_allocate(&map->numbers, count, sizeof *map->numbers, "classes"));
  TRY(memory_allocate(&map->classes, count, sizeof *map->classes, "classes"));
  for (uint64_t i = 0; i < count; i++) {
    map->numbers[i] = values[i];
    map->classes[i] = class_map_of_text(by_name, names[i], strlen(names[i]));
  }
  return make_order(map);
}

mlpd_status class_map_of_values(const class_map *by_name, char *const *names, const int64_t *values, uint64_t count,
                                class_map *map) {
  *map = (class_map){0};
  const mlpd_status status = fill_from_values(by_name, names, values, count, map);
  if (status != MLPD_OK) class_map_free(map);
  return status;
}

static int64_t class_of(const class_map *map, uint32_t label) {
  return map->classes != NULL ? map->classes[label] : (int64_t)label;
}

int64_t class_map_of_number(const class_map *map, int64_t number) {
  uint64_t low = 0, high = map->count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const int64_t at = map->numbers[map->order[middle]];
    if (at == number) return class_of(map, map->order[middle]);
    if (at < number)
      low = middle + 1;
    else
      high = middle;
  }
  return -1;
}

int64_t class_map_of_text(const class_map *map, const char *text, size_t length) {
  uint64_t low = 0, high = map->count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const int order = compare_text(map, map->order[middle], text, length);
    if (order == 0) return class_of(map, map->order[middle]);
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return -1;
}
