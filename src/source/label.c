#include "source/label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "data/stored_labels.h"
#include "source/report.h"

enum { LABEL_SLOTS = 1 << 15 }; /* a power of two, over three times LABEL_CLASSES_MOST */

static const double INTEGER_MOST = 9007199254740992.0; /* 2^53: doubles represent all integers up to it */

mlpd_status label_set_create(mlpd_task task, label_set *set) {
  *set = (label_set){.task = task, .minimum = INFINITY, .maximum = -INFINITY, .before = NAN};
  TRY(memory_allocate(&set->entries, LABEL_CLASSES_MOST, sizeof *set->entries, "labels"));
  TRY(memory_allocate(&set->part_rows, LABEL_CLASSES_MOST, sizeof *set->part_rows, "labels"));
  return memory_allocate(&set->slots, LABEL_SLOTS, sizeof *set->slots, "labels");
}

void label_set_free(label_set *set) {
  for (uint32_t i = 0; i < set->count; i++) free(set->entries[i].key);
  for (uint32_t k = 0; set->names != NULL && k < set->num_classes; k++) free(set->names[k]);
  for (uint32_t k = 0; set->labels != NULL && k < set->num_classes; k++) free(set->labels[k]);
  free(set->entries);
  free(set->slots);
  free(set->part_rows);
  free(set->names);
  free(set->labels);
  *set = (label_set){.count = 0};
}

/* The slot of key, or the empty slot for it. */
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
  if (*slot != 0) {
    if (*slot <= set->input_begin) set->input_meets = true;
    set->part_rows[*slot - 1][set->part]++;
    set->entries[*slot - 1].rows++;
    return MLPD_OK;
  }
  if (set->count == LABEL_CLASSES_MOST) {
    set->full = true;
    return MLPD_OK;
  }
  label_entry *entry = &set->entries[set->count];
  TRY(memory_allocate(&entry->key, length + 1, 1, "label"));
  memcpy(entry->key, key, length);
  entry->length = length;
  entry->value = value;
  entry->rows = 1;
  set->part_rows[set->count][set->part]++;
  *slot = ++set->count;
  return MLPD_OK;
}

void label_set_begin_input(label_set *set, mlpd_split part) {
  set->part = part;
  set->before = NAN;
  set->input_begin = set->count;
  set->input_meets = false;
}

void label_set_end_input(label_set *set, const char *name) {
  const bool several = set->input_begin > 1 && set->count > set->input_begin + 1;
  if (set->part != MLPD_TRAIN || set->input_meets || !several || set->stranger != NULL) return;
  set->stranger = name;
  set->strange_begin = set->input_begin;
  set->strange_end = set->count;
}

void label_set_class_rows(const label_set *set, uint64_t (*rows)[3]) {
  for (uint32_t k = 0; k < set->num_classes; k++)
    for (int p = 0; p < 3; p++) rows[k][p] = 0;
  for (uint32_t i = 0; i < set->count; i++)
    for (int p = 0; p < 3; p++) rows[set->entries[i].class_index][p] += set->part_rows[i][p];
}

static void add_number(label_set *set, double value) {
  set->numbers++;
  set->steps += isnan(set->before) || value == set->before + 1;
  set->before = value;
  if (value != floor(value)) set->any_fraction = true;
  if (value < set->minimum) set->minimum = value;
  if (value > set->maximum) set->maximum = value;
}

mlpd_status label_add_text(label_set *set, const char *text, size_t length, const number *parsed) {
  if (parsed == NULL && set->task == MLPD_REGRESSION)
    return FAIL(MLPD_ERROR_DATA, "'%.*s' is not a number, but a regression target must be one",
                length < 40 ? (int)length : 40, text);
  if (length > LABEL_NAME_BYTES) {
    if (parsed == NULL || set->task == MLPD_CLASSIFICATION)
      return FAIL(MLPD_ERROR_DATA,
                  "'%.40s...' is longer than %d bytes, too long for the name of a class; shorten it, or choose another "
                  "target",
                  text, LABEL_NAME_BYTES);
    set->full = true; /* a number this long is not a class: the labels must be values */
  }
  if (parsed == NULL) {
    if (!set->any_text) (void)snprintf(set->text, sizeof set->text, "%.*s", length < 40 ? (int)length : 40, text);
    set->any_text = true;
    set->texts++;
  } else {
    if (!parsed->is_integer) set->any_decimal = true;
    add_number(set, parsed->value);
  }
  if (set->task != MLPD_REGRESSION) TRY(insert(set, text, length, parsed != NULL ? parsed->value : 0));
  if (set->full && (set->any_text || set->task == MLPD_CLASSIFICATION))
    return FAIL(MLPD_ERROR_DATA, "'%.*s': more than %d classes; for values, every label must be a number",
                length < 40 ? (int)length : 40, text, LABEL_CLASSES_MOST);
  return MLPD_OK;
}

mlpd_status label_add_integer(label_set *set, int64_t value) {
  const double as_double = (double)value;
  add_number(set, as_double);
  if (set->task == MLPD_REGRESSION) return MLPD_OK;
  if (fabs(as_double) >= INTEGER_MOST) set->full = true;
  TRY(insert(set, &value, sizeof value, as_double));
  if (set->full && set->task == MLPD_CLASSIFICATION)
    return FAIL(MLPD_ERROR_DATA, "label %lld: too large for a class, or there are more than %d classes",
                (long long)value, LABEL_CLASSES_MOST);
  return MLPD_OK;
}

mlpd_status label_add_value(label_set *set, double value) {
  if (value == floor(value) && fabs(value) < INTEGER_MOST) return label_add_integer(set, (int64_t)value);
  if (set->task == MLPD_CLASSIFICATION)
    return FAIL(MLPD_ERROR_DATA, "%g is not a whole number, so it is not a class", value);
  set->any_decimal = true;
  add_number(set, value);
  return MLPD_OK;
}

mlpd_status label_add_values(label_set *set, const double *values, uint32_t count) {
  if (!set->any_vector) set->any_vector = set->all_one_hot = true;
  for (uint32_t j = 0; j < count && !set->any_other; j++) set->any_other = values[j] != 0 && values[j] != 1;
  if (!set->all_one_hot) return MLPD_OK;
  const int64_t place = stored_one_hot(values, count);
  set->all_one_hot = place >= 0;
  return place < 0 || set->task == MLPD_REGRESSION ? MLPD_OK : label_add_integer(set, place);
}

static int by_value(const void *a, const void *b) {
  const label_entry *const *x = a, *const *y = b;
  return ((*x)->value > (*y)->value) - ((*x)->value < (*y)->value);
}

static int by_text(const void *a, const void *b) {
  const label_entry *const *x = a, *const *y = b;
  return strcmp((*x)->key, (*y)->key);
}

/* Numbers the distinct labels in order; equal numbers ("7", "07", "7.0") are one class. Writes one entry of each class
 * to first (count). */
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

/* A label as the name of its class. */
static mlpd_status copy_label(const label_set *set, const label_entry *label, char **made) {
  char text[32];
  const double value = label->value;
  const bool is_whole = !set->any_text && value == floor(value) && fabs(value) < 1e15;
  (void)snprintf(text, sizeof text, "%.0f", value);
  return memory_copy_string(is_whole ? text : label->key, made);
}

static mlpd_status name_classes(label_set *set, label_entry *const *first) {
  bool is_identity = !set->any_text;
  for (uint32_t k = 0; k < set->num_classes && is_identity; k++) is_identity = first[k]->value == (double)k;
  if (is_identity) return MLPD_OK;
  TRY(memory_allocate(&set->names, set->num_classes, sizeof *set->names, "class names"));
  for (uint32_t k = 0; k < set->num_classes; k++) TRY(copy_label(set, first[k], &set->names[k]));
  return MLPD_OK;
}

static mlpd_status name_after_numbers(uint32_t count, char ***names) {
  char text[16];
  TRY(memory_allocate(names, count, sizeof **names, "class names"));
  for (uint32_t k = 0; k < count; k++) {
    (void)snprintf(text, sizeof text, "%u", k);
    TRY(memory_copy_string(text, &(*names)[k]));
  }
  return MLPD_OK;
}

mlpd_status label_set_rename(label_set *set, const char *const *labels, const char *const *classes, uint32_t count) {
  if (count == 0 || !set->classes) return MLPD_OK;
  if (set->names == NULL) TRY(name_after_numbers(set->num_classes, &set->names));
  for (uint32_t k = 0; k < set->num_classes; k++) {
    uint32_t j = 0;
    while (j < count && strcmp(set->names[k], labels[j]) != 0) j++;
    if (j == count) continue; /* a name, or unknown */
    free(set->names[k]);
    set->names[k] = NULL;
    TRY(memory_copy_string(classes[j], &set->names[k]));
  }
  return MLPD_OK;
}

/* Applies names given for integer classes: one for each integer from 0 to the largest label, or one for each label. */
static mlpd_status apply_given_names(label_set *set, const char *given, label_entry *const *first) {
  uint32_t count = 1;
  for (const char *c = given; *c != '\0'; c++) count += *c == ',';
  if (set->any_text) return FAIL(MLPD_ERROR_USAGE, "class names are for integer labels, but these labels are names");
  bool direct = set->minimum >= 0 && set->maximum < (double)count;
  for (uint32_t k = 0; k < set->num_classes; k++) direct = direct && first[k]->value == floor(first[k]->value);
  if (!direct && count != set->num_classes)
    return FAIL(MLPD_ERROR_USAGE, "%u class names given, but there are %u classes, with labels from %g to %g", count,
                set->num_classes, set->minimum, set->maximum);
  if (direct)
    for (uint32_t i = 0; i < set->count; i++) set->entries[i].class_index = (int32_t)set->entries[i].value;
  if (count > LABEL_CLASSES_MOST)
    return FAIL(MLPD_ERROR_USAGE, "%u class names given; at most %d are supported", count, LABEL_CLASSES_MOST);
  set->num_classes = count;
  TRY(memory_allocate(&set->names, count, sizeof *set->names, "class names"));
  if (direct) TRY(name_after_numbers(count, &set->labels));
  if (!direct) TRY(memory_allocate(&set->labels, count, sizeof *set->labels, "class names"));
  for (uint32_t k = 0; k < count && !direct; k++) TRY(copy_label(set, first[k], &set->labels[k]));
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

/* More than a few labels of which nearly all differ are not classes. */
static bool nearly_all_differ(const label_set *set) {
  return set->count > LABEL_FEW && 2 * (uint64_t)set->count > set->numbers + set->texts;
}

/* Of more than a few whole numbers a tenth or more occur in one row only: counts and amounts thin out towards their far
 * end, and a class of one row teaches nothing. */
static bool thin_out(const label_set *set) {
  uint32_t single = 0;
  for (uint32_t i = 0; i < set->count; i++) single += set->entries[i].rows == 1;
  return set->count > LABEL_FEW && 10 * (uint64_t)single >= set->count;
}

/* true for 0.0 and 1.0, -1.0 and 1.0, or 1.0, 2.0, ...: classes that were written as real numbers. */
static bool are_written_classes(const label_set *set) {
  const double range = set->maximum - set->minimum;
  if (set->any_fraction || set->count < 2 || set->numbers < 5 * (uint64_t)set->count) return false;
  if (set->minimum == -1) return set->maximum == 1;
  return (set->minimum == 0 || set->minimum == 1) && range < LABEL_FEW && range < (double)set->count;
}

static bool are_classes(const label_set *set) {
  if (set->any_text) return true;
  if (set->count == 0 || set->any_vector || set->full || nearly_all_differ(set) || thin_out(set)) return false;
  if (set->any_decimal) return are_written_classes(set);
  if (set->minimum == -1) return set->maximum == 1;
  return set->minimum >= 0 && set->maximum <= LABEL_AUTO_INTEGER && set->count <= LABEL_AUTO_MOST;
}

/* Among texts, numbers that are not whole are values unless they repeat themselves, as versions do: 1.0, 1.1. */
static bool mixes_values(const label_set *set) {
  uint32_t fractions = 0, single = 0;
  for (uint32_t i = 0; i < set->count; i++) {
    if (set->entries[i].value == floor(set->entries[i].value)) continue;
    fractions++;
    single += set->entries[i].rows == 1;
  }
  return 2 * fractions > set->count && 2 * single > fractions && fractions > 2;
}

/* A text before the number that the first text is, as in temp=23.6. */
static const char *advise_name(const label_set *set) {
  const char *const sign = strchr(set->text, '=');
  const bool named = sign != NULL && sign > set->text && (sign[1] == '-' || (sign[1] >= '0' && sign[1] <= '9'));
  return named ? "; if each is a number with a name before it, --strip with the name reads it, as --strip temp=" : "";
}

/* Fails if a few texts occur among numbers (errors in a column of numbers), or if nearly all texts differ (they are not
 * classes). */
static mlpd_status check_texts(const label_set *set) {
  const uint64_t all = set->numbers + set->texts;
  const bool mostly = set->numbers + set->number_like >= all - all / 10;
  const bool values = 2 * set->numbers > all && (set->any_fraction || set->count > LABEL_FEW);
  const char *const place = set->text_place, *const text = set->text;
  const bool lots = set->lots == all && !nearly_all_differ(set);
  if (!set->any_text || set->task != MLPD_TASK_AUTO || lots) return MLPD_OK;
  if (set->dates >= all - all / 10 && set->count > LABEL_FEW)
    return FAIL(
        MLPD_ERROR_DATA,
        "%s: '%.40s': the target holds dates or times, %u different ones; choose another target with --label, or "
        "use --task classification to make each a class",
        place, text, set->count);
  const bool unit_like = nearly_all_differ(set) && set->numbers + set->unit_like >= all - all / 10;
  if (((mostly && set->number_like > 0) || unit_like) && set->text_hint[0] != '\0')
    return FAIL(MLPD_ERROR_DATA,
                "%s: '%.40s' is not a number in this notation (%llu labels are like this); %s reads it, --task "
                "classification makes the labels classes",
                place, text, (unsigned long long)set->texts, set->text_hint);
  if (mostly && set->numbers == 0)
    return FAIL(MLPD_ERROR_DATA,
                "%s: '%.40s' is not a number in this notation (%llu labels are like this); correct them, or use --task "
                "classification to make the labels classes",
                place, text, (unsigned long long)set->texts);
  const bool united = set->united > 0 && set->numbers + set->united + set->unknown >= all - all / 10;
  const bool flags = set->numbers + set->unknown > 0 && !set->many_flags;
  if (nearly_all_differ(set) && united && flags)
    return FAIL(
        MLPD_ERROR_DATA,
        "%s: '%.40s' is a number with a text behind it (%llu labels are like this); if these are flags, "
        "or a unit that other rows lack, --strip '%s' --task regression leaves them off; if they are units, write "
        "all rows in one; if they are names, as of houses, --task classification makes them classes",
        place, text, (unsigned long long)set->united, set->flags);
  if (nearly_all_differ(set) && united)
    return FAIL(
        MLPD_ERROR_DATA,
        "%s: '%.40s' is a number with a unit (%llu labels are like this); if the unit is the same in all rows, "
        "--strip with it reads the numbers, as --strip kg; if units differ, write all rows in one; if they are names, "
        "as of houses, --task classification makes them classes",
        place, text, (unsigned long long)set->united);
  if ((mostly || values) && set->negative[0] != '\0')
    return FAIL(
        MLPD_ERROR_DATA,
        "%s: '%.40s' is a negative number in the notation of accounts; write -%s, or use --task classification to "
        "make the labels classes",
        place, text, set->negative);
  if (mostly || values)
    return FAIL(MLPD_ERROR_DATA,
                "%s: '%.40s' is not a number, but %llu of %llu labels are; correct it, leave out such rows with "
                "--missing '%s' --drop-missing, or use --task classification to make the labels classes",
                place, text, (unsigned long long)set->numbers, (unsigned long long)all, report_word(text));
  if (nearly_all_differ(set))
    return FAIL(MLPD_ERROR_DATA,
                "%s: '%.40s': the target has %u different texts in %llu rows, too many for classes; choose another "
                "target with --label, or use --task classification%s",
                place, text, set->count, (unsigned long long)all, advise_name(set));
  if (mixes_values(set))
    return FAIL(MLPD_ERROR_DATA,
                "%s: '%.40s' is not a number, but %llu of %llu labels are, most of them numbers that are not whole and "
                "occur once; leave out the other rows with --missing '%s' --drop-missing, or use --task "
                "classification to make the labels classes",
                place, text, (unsigned long long)set->numbers, (unsigned long long)all, report_word(text));
  return MLPD_OK;
}

mlpd_status label_set_decide(label_set *set, const char *class_names) {
  set->one_hot = set->any_vector && set->all_one_hot && set->task != MLPD_REGRESSION;
  if (set->one_hot) set->any_vector = set->any_decimal = false; /* each row is one class number */
  if (set->task == MLPD_CLASSIFICATION && set->any_vector)
    return FAIL(MLPD_ERROR_DATA,
                "y has several columns that are not one-hot, but a class is one whole number per row; use --task "
                "regression for values");
  TRY(check_texts(set));
  set->classes = set->task == MLPD_CLASSIFICATION || (set->task == MLPD_TASK_AUTO && are_classes(set));
  const bool real = set->any_real || number_needs_double(set->minimum, set->maximum, !set->any_decimal);
  set->type = real ? ELEMENT_F64 : ELEMENT_F32;
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

mlpd_status label_set_name_columns(label_set *set, const char *const *names, uint64_t count) {
  if (count == 0) return MLPD_OK;
  if (set->names == NULL) TRY(memory_allocate(&set->names, set->num_classes, sizeof *set->names, "class names"));
  for (uint32_t i = 0; i < set->count; i++) {
    const label_entry *const e = &set->entries[i];
    free(set->names[e->class_index]);
    TRY(memory_copy_string(names[(uint64_t)e->value], &set->names[e->class_index]));
  }
  return MLPD_OK;
}

int32_t label_class_of_text(const label_set *set, const char *text, size_t length) {
  const uint32_t slot = *find_slot(set, text, length);
  return slot == 0 ? -1 : set->entries[slot - 1].class_index;
}

int32_t label_class_of_integer(const label_set *set, int64_t value) {
  return label_class_of_text(set, (const char *)&value, sizeof value);
}

bool label_set_is_guess(const label_set *set) {
  const bool numbers = set->classes && set->task == MLPD_TASK_AUTO && !set->any_text && !set->one_hot;
  return numbers && set->num_classes > 1 && (set->minimum != 0 || set->maximum != set->num_classes - 1);
}

/* ---- The decision in words ---- */

static void describe_values(const label_set *set, char *text, size_t size) {
  const char *note = "";
  if (set->task == MLPD_TASK_AUTO && !set->any_fraction && !set->any_vector && set->count > 1)
    note = " (whole numbers; --task classification makes them classes)";
  if (set->numbers == 0) {
    (void)snprintf(text, size, "values");
    return;
  }
  (void)snprintf(text, size, "values from %.7g to %.7g%s", set->minimum, set->maximum, note);
}

static void describe_classes(const label_set *set, char *text, size_t size) {
  enum { SHOWN = 8 };
  const bool numbers = !set->any_text && set->task == MLPD_TASK_AUTO && !set->one_hot;
  size_t used = (size_t)snprintf(text, size, "%u class%s: ", set->num_classes, set->num_classes == 1 ? "" : "es");
  for (uint32_t k = 0; k < set->num_classes && k < SHOWN && used + 80 < size; k++) {
    if (set->names != NULL)
      used += (size_t)snprintf(text + used, size - used, "%s%.40s", k > 0 ? ", " : "", set->names[k]);
    else
      used += (size_t)snprintf(text + used, size - used, "%s%u", k > 0 ? ", " : "", k);
  }
  (void)snprintf(text + used, size - used, "%s%s", set->num_classes > SHOWN ? ", ..." : "",
                 set->one_hot ? " (one-hot: each row has a single 1; --task regression makes them values)"
                 : numbers && !label_set_is_guess(set) ? " (numbers; --task regression makes them values)"
                                                       : "");
}

void label_set_describe(const label_set *set, char *text, size_t size) {
  const int used = snprintf(text, size, "target: %s%s", set->target, set->target[0] != '\0' ? ", " : "");
  if (set->classes)
    describe_classes(set, text + used, size - (size_t)used);
  else
    describe_values(set, text + used, size - (size_t)used);
}
