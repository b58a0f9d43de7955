#include "data/convert_label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

enum { LABEL_SLOTS = 1 << 15 }; /* a power of two, over three times LABEL_CLASSES_MOST */

static const double INTEGER_MOST = 9007199254740992.0; /* 2^53: doubles tell integers up to it apart */

mlpd_status label_set_create(mlpd_task task, label_set *set) {
  *set = (label_set){.task = task, .minimum = INFINITY, .maximum = -INFINITY};
  TRY(memory_allocate(&set->entries, LABEL_CLASSES_MOST, sizeof *set->entries, "labels"));
  return memory_allocate(&set->slots, LABEL_SLOTS, sizeof *set->slots, "labels");
}

void label_set_free(label_set *set) {
  for (uint32_t i = 0; i < set->count; i++) free(set->entries[i].key);
  for (uint32_t k = 0; set->names != NULL && k < set->num_classes; k++) free(set->names[k]);
  free(set->entries);
  free(set->slots);
  free(set->names);
  *set = (label_set){.count = 0};
}

/* The slot of key: of its entry, or the empty one where it belongs. */
static uint32_t *find_slot(const label_set *set, const void *key, size_t length) {
  uint64_t at = XXH3_64bits(key, length);
  for (;; at++) {
    uint32_t *slot = &set->slots[at % LABEL_SLOTS];
    if (*slot == 0) return slot;
    const label_entry *entry = &set->entries[*slot - 1];
    if (entry->length == length && memcmp(entry->key, key, length) == 0) return slot;
  }
}

static mlpd_status insert(label_set *set, const void *key, size_t length, double value) {
  if (set->full) return MLPD_OK;
  uint32_t *slot = find_slot(set, key, length);
  if (*slot != 0) return MLPD_OK;
  if (set->count == LABEL_CLASSES_MOST) {
    set->full = true;
    return MLPD_OK;
  }
  label_entry *entry = &set->entries[set->count];
  TRY(memory_allocate(&entry->key, length + 1, 1, "label"));
  memcpy(entry->key, key, length);
  entry->length = length;
  entry->value = value;
  *slot = ++set->count;
  return MLPD_OK;
}

static void widen_range(label_set *set, double value) {
  if (value < set->minimum) set->minimum = value;
  if (value > set->maximum) set->maximum = value;
}

mlpd_status label_add_text(label_set *set, const char *text, size_t length, const number *parsed) {
  if (parsed == NULL && set->task == MLPD_REGRESSION)
    return FAIL(MLPD_ERROR_DATA, "'%.*s' is no number, which a regression target must be",
                length < 40 ? (int)length : 40, text);
  if (length > LABEL_NAME_BYTES) {
    if (parsed == NULL || set->task == MLPD_CLASSIFICATION)
      return FAIL(MLPD_ERROR_DATA, "the label is longer than %d bytes", LABEL_NAME_BYTES);
    set->full = true; /* a number too long to be a class: only values remain */
  }
  if (parsed == NULL) {
    set->any_text = true;
  } else {
    if (!parsed->is_integer) set->any_decimal = true;
    widen_range(set, parsed->value);
  }
  if (set->task != MLPD_REGRESSION) TRY(insert(set, text, length, parsed != NULL ? parsed->value : 0));
  if (set->full && (set->any_text || set->task == MLPD_CLASSIFICATION))
    return FAIL(MLPD_ERROR_DATA, "'%.*s': more than %d distinct classes; for values, every label must be a number",
                length < 40 ? (int)length : 40, text, LABEL_CLASSES_MOST);
  return MLPD_OK;
}

mlpd_status label_add_integer(label_set *set, int64_t value) {
  const double as_double = (double)value;
  widen_range(set, as_double);
  if (set->task == MLPD_REGRESSION) return MLPD_OK;
  if (fabs(as_double) >= INTEGER_MOST) set->full = true;
  TRY(insert(set, &value, sizeof value, as_double));
  if (set->full && set->task == MLPD_CLASSIFICATION)
    return FAIL(MLPD_ERROR_DATA, "label %lld: too large for a class, or more than %d distinct classes",
                (long long)value, LABEL_CLASSES_MOST);
  return MLPD_OK;
}

mlpd_status label_add_value(label_set *set, double value) {
  if (value == floor(value) && fabs(value) < INTEGER_MOST) return label_add_integer(set, (int64_t)value);
  if (set->task == MLPD_CLASSIFICATION) return FAIL(MLPD_ERROR_DATA, "%g is no whole number, so no class", value);
  set->any_decimal = true;
  widen_range(set, value);
  return MLPD_OK;
}

static int by_value(const void *a, const void *b) {
  const label_entry *const *x = a, *const *y = b;
  return ((*x)->value > (*y)->value) - ((*x)->value < (*y)->value);
}

static int by_text(const void *a, const void *b) {
  const label_entry *const *x = a, *const *y = b;
  return strcmp((*x)->key, (*y)->key);
}

/* Numbers the distinct labels in order; equal numbers ("7", "07", "7.0") are one class. first (count)
 * receives an entry of each class. */
static void number_classes(label_set *set, label_entry **order, label_entry **first) {
  for (uint32_t i = 0; i < set->count; i++) order[i] = &set->entries[i];
  qsort(order, set->count, sizeof *order, set->any_text ? by_text : by_value);
  set->num_classes = 0;
  for (uint32_t i = 0; i < set->count; i++) {
    const bool same = i > 0 && !set->any_text && order[i]->value == order[i - 1]->value;
    if (!same) first[set->num_classes++] = order[i];
    order[i]->class_index = (int32_t)set->num_classes - 1;
  }
}

static mlpd_status name_classes(label_set *set, label_entry *const *first) {
  bool is_identity = !set->any_text;
  for (uint32_t k = 0; k < set->num_classes && is_identity; k++) is_identity = first[k]->value == (double)k;
  if (is_identity) return MLPD_OK;
  TRY(memory_allocate(&set->names, set->num_classes, sizeof *set->names, "class names"));
  for (uint32_t k = 0; k < set->num_classes; k++) {
    char text[32];
    const double value = first[k]->value;
    const bool is_whole = !set->any_text && value == floor(value) && fabs(value) < 1e15;
    (void)snprintf(text, sizeof text, "%.0f", value);
    TRY(memory_copy_string(is_whole ? text : first[k]->key, &set->names[k]));
  }
  return MLPD_OK;
}

/* Names given for integer classes: as many as the labels' range from 0, or as there are labels. */
static mlpd_status apply_given_names(label_set *set, const char *given, label_entry *const *first) {
  uint32_t count = 1;
  for (const char *c = given; *c != '\0'; c++) count += *c == ',';
  if (set->any_text) return FAIL(MLPD_ERROR_USAGE, "class names are for integer labels; the labels are names already");
  bool direct = set->minimum >= 0 && set->maximum < (double)count;
  for (uint32_t k = 0; k < set->num_classes; k++) direct = direct && first[k]->value == floor(first[k]->value);
  if (!direct && count != set->num_classes)
    return FAIL(MLPD_ERROR_USAGE, "%u class names, but %u classes with labels from %g to %g", count, set->num_classes,
                set->minimum, set->maximum);
  if (direct)
    for (uint32_t i = 0; i < set->count; i++) set->entries[i].class_index = (int32_t)set->entries[i].value;
  if (count > LABEL_CLASSES_MOST)
    return FAIL(MLPD_ERROR_USAGE, "%u class names; at most %d", count, LABEL_CLASSES_MOST);
  set->num_classes = count;
  TRY(memory_allocate(&set->names, count, sizeof *set->names, "class names"));
  const char *at = given;
  for (uint32_t k = 0; k < count; k++) {
    const size_t length = strcspn(at, ",");
    if (length == 0) return FAIL(MLPD_ERROR_USAGE, "class name %u of '%s' is empty", k, given);
    TRY(memory_allocate(&set->names[k], length + 1, 1, "class name"));
    memcpy(set->names[k], at, length);
    at += length + 1;
  }
  return MLPD_OK;
}

static bool are_classes(const label_set *set) {
  if (set->any_text) return true;
  return set->count > 0 && !set->any_vector && !set->any_decimal && !set->full && set->minimum >= 0 &&
         set->maximum <= LABEL_AUTO_INTEGER && set->count <= LABEL_AUTO_MOST;
}

mlpd_status label_set_decide(label_set *set, const char *class_names) {
  if (set->task == MLPD_CLASSIFICATION && set->any_vector)
    return FAIL(MLPD_ERROR_DATA, "y has several columns, but classes are one whole number a row");
  set->classes = set->task == MLPD_CLASSIFICATION || (set->task == MLPD_TASK_AUTO && are_classes(set));
  set->type = set->any_real ? ELEMENT_F64 : ELEMENT_F32;
  if (!set->classes) {
    if (class_names != NULL) return FAIL(MLPD_ERROR_USAGE, "class names are given, but the labels are values");
    return MLPD_OK;
  }
  label_entry **order = NULL, **first = NULL;
  mlpd_status status;
  TRY_GOTO(status, memory_allocate(&order, set->count, sizeof(label_entry *), "classes"), done);
  TRY_GOTO(status, memory_allocate(&first, set->count, sizeof(label_entry *), "classes"), done);
  number_classes(set, order, first);
  TRY_GOTO(status, class_names == NULL ? name_classes(set, first) : apply_given_names(set, class_names, first), done);
  set->type = set->num_classes <= UINT8_MAX + 1    ? ELEMENT_U8
              : set->num_classes <= UINT16_MAX + 1 ? ELEMENT_U16
                                                   : ELEMENT_I32;
done:
  free(order);
  free(first);
  return status;
}

int32_t label_class_of_text(const label_set *set, const char *text, size_t length) {
  const uint32_t slot = *find_slot(set, text, length);
  return slot == 0 ? -1 : set->entries[slot - 1].class_index;
}

int32_t label_class_of_integer(const label_set *set, int64_t value) {
  return label_class_of_text(set, (const char *)&value, sizeof value);
}
