#include "prepare/class_weights.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NAMES_BYTES = 300 };

static void balance(const preparation *p, float *weights) {
  const uint64_t *const rows = p->class_rows[MLPD_TRAIN].rows;
  double all = 0, present = 0;
  for (uint32_t k = 0; k < p->options.classes; k++) {
    all += (double)rows[k];
    present += rows[k] > 0;
  }
  for (uint32_t k = 0; k < p->options.classes; k++)
    weights[k] = rows[k] > 0 ? (float)(all / (present * (double)rows[k])) : 1;
}

/* "'cat', 'dog' and 3 more" */
static void list_classes(const preparation *p, char text[NAMES_BYTES]) {
  name_list numbers = {0};
  const name_list *const named = &p->model->names.classes;
  text[0] = '\0';
  if (named->count == 0 && name_list_numbers(p->options.classes, &numbers) != MLPD_OK) return;
  name_list_print(named->count > 0 ? named : &numbers, NULL, text, NAMES_BYTES);
  name_list_free(&numbers);
}

static mlpd_status read_weight(const char *text, size_t length, float *weight) {
  char number[64], *end = NULL;
  (void)snprintf(number, sizeof number, "%.*s", (int)(length < sizeof number ? length : sizeof number - 1), text);
  errno = 0;
  const double value = strtod(number, &end);
  if (end == number || *end != '\0' || !(value >= 0) || value > 1e30)
    return FAIL(MLPD_ERROR_USAGE,
                "--class-weight: '%s' is not a weight: a number of at least 0 (balanced and none stand alone)", number);
  *weight = (float)value;
  return MLPD_OK;
}

/* "dog=2": the weight of the class of this name, which is not named yet: its weight is below 0. */
static mlpd_status read_named(const preparation *p, const char *item, size_t length, size_t name_length,
                              float *weights) {
  char names[NAMES_BYTES];
  for (uint32_t k = 0; k < p->options.classes; k++) {
    const char *const name = mlpd_model_class_name(p->model, k);
    if (strlen(name) != name_length || strncmp(name, item, name_length) != 0) continue;
    if (weights[k] >= 0)
      return FAIL(MLPD_ERROR_USAGE, "--class-weight: class '%s' is named twice; give it one weight", name);
    return read_weight(item + name_length + 1, length - name_length - 1, &weights[k]);
  }
  list_classes(p, names);
  return FAIL(MLPD_ERROR_USAGE, "--class-weight: no class is named '%.*s'; the classes are %s", (int)name_length, item,
              names);
}

/* The place of the last '=' of an item, or its length. */
static size_t name_end(const char *item, size_t length) {
  for (size_t i = length; i-- > 0;)
    if (item[i] == '=') return i;
  return length;
}

static mlpd_status read_list(const preparation *p, const char *text, float *weights) {
  const uint32_t classes = p->options.classes;
  uint32_t count = 0, named = 0;
  char names[NAMES_BYTES];
  for (uint32_t k = 0; k < classes; k++) weights[k] = -1;
  for (const char *item = text;; item++) {
    const size_t length = strcspn(item, ","), end = name_end(item, length);
    named += end < length;
    if (end < length)
      TRY(read_named(p, item, length, end, weights));
    else if (count < classes)
      TRY(read_weight(item, length, &weights[count]));
    count++;
    item += length;
    if (*item == '\0') break;
  }
  for (uint32_t k = 0; k < classes; k++)
    if (weights[k] < 0) weights[k] = 1;
  if (named == count || (named == 0 && count == classes)) return MLPD_OK;
  list_classes(p, names);
  if (named > 0)
    return FAIL(MLPD_ERROR_USAGE, "--class-weight %s: some weights are named and some are not; name all", text);
  return FAIL(MLPD_ERROR_USAGE, "--class-weight %s: %u weight%s, but there are %u classes, %s", text, count,
              count == 1 ? "" : "s", classes, names);
}

static mlpd_status check_some_count(const preparation *p) {
  for (uint32_t k = 0; k < p->options.classes; k++)
    if (p->class_rows[MLPD_TRAIN].rows[k] > 0 && p->class_weights[k] > 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "--class-weight %s: every class that has training rows has weight 0",
              p->options.class_weight);
}

mlpd_status class_weights_find(preparation *p) {
  const char *const text = p->options.class_weight;
  p->loss = p->model->loss;
  if (text == NULL || text[0] == '\0' || strcmp(text, "none") == 0) return MLPD_OK;
  if (p->options.task != MLPD_CLASSIFICATION)
    return FAIL(MLPD_ERROR_USAGE, "--class-weight %s: the targets are values, not classes", text);
  TRY(memory_allocate(&p->class_weights, p->options.classes, sizeof *p->class_weights, "class weights"));
  p->loss.class_weights = p->class_weights;
  if (strcmp(text, "balanced") == 0)
    balance(p, p->class_weights);
  else
    TRY(read_list(p, text, p->class_weights));
  return check_some_count(p);
}
