/* Options that depend on another: "optimizer=adam,adamw", "optimizer!=lbfgs" for any other value, "trace" for any value
 * but "" and 0, or alternatives with | between them. */
#include <string.h>

#include "options/option.h"
#include "options/option_given.h"
#include "options/preset_values.h"

enum { CONDITION_BYTES = 128 };

static size_t key_length(const char *condition) { return strcspn(condition, "!="); }

/* Is value one of the names in list, separated by commas? */
static bool is_listed(const char *list, const char *value) {
  const size_t length = strlen(value);
  for (const char *name = list; *name != '\0'; name += strcspn(name, ",")) {
    if (*name == ',') name++;
    if (strcspn(name, ",") == length && strncmp(name, value, length) == 0) return true;
  }
  return false;
}

/* The option that the condition is about; NULL: the table has none. */
static const mlpd_option *option_of(const mlpd_option *table, const char *condition) {
  char key[64];
  (void)snprintf(key, sizeof key, "%.*s", (int)key_length(condition), condition);
  return mlpd_option_find(table, key);
}

/* Does the condition, which has no alternatives, hold with this value of its option? */
static bool accepts(const char *condition, const char *value) {
  const char *const list = condition + key_length(condition);
  if (*list == '!') return !is_listed(list + 2, value);
  return *list == '\0' ? strcmp(value, "0") != 0 : is_listed(list + 1, value);
}

/* condition has no alternatives. */
static bool holds(const mlpd_option *table, const char *condition, const void *values) {
  char buffer[64];
  const mlpd_option *const other = option_of(table, condition);
  if (other == NULL) return true;
  const char *const value = mlpd_option_format(other, values, buffer, sizeof buffer);
  if (value == NULL || value[0] == '\0' || !option_condition_holds(table, other->needs, values)) return false;
  return accepts(condition, value);
}

/* Copies the first alternative of *conditions to one, and moves *conditions past it; false: there are no more. */
static bool next_alternative(const char **conditions, char one[CONDITION_BYTES]) {
  const size_t length = strcspn(*conditions, "|");
  (void)snprintf(one, CONDITION_BYTES, "%.*s", (int)length, *conditions);
  *conditions += length + ((*conditions)[length] == '|');
  return length > 0;
}

bool option_condition_holds(const mlpd_option *table, const char *condition, const void *values) {
  char one[CONDITION_BYTES];
  if (condition == NULL) return true;
  while (next_alternative(&condition, one))
    if (holds(table, one, values)) return true;
  return false;
}

bool option_weights_with(const mlpd_option *table, const mlpd_option *row, const void *values) {
  return row->weights_with != NULL && option_condition_holds(table, row->weights_with, values);
}

/* "--schedule step, exponential or plateau", "an --optimizer other than lbfgs"; for a flag its name alone. shows_auto:
 * names "auto", too, which is listed first. */
static void describe(const char *condition, bool shows_auto, char *buffer, size_t bytes) {
  const char *name = condition + key_length(condition);
  size_t used =
      (size_t)snprintf(buffer, bytes, "%s--%.*s", *name == '!' ? "an " : "", (int)key_length(condition), condition);
  int count = 0;
  if (*name == '!' && used < bytes) {
    used += (size_t)snprintf(buffer + used, bytes - used, " other than");
    name++;
  }
  while (*name != '\0' && used < bytes) {
    const int length = (int)strcspn(++name, ",");
    const bool hidden = (!shows_auto && strncmp(name, "auto,", 5) == 0) || strcmp(name, "yes") == 0;
    if (!hidden)
      used += (size_t)snprintf(buffer + used, bytes - used, "%s%.*s",
                               count++ == 0          ? " "
                               : name[length] == ',' ? ", "
                                                     : " or ",
                               length, name);
    name += length;
  }
}

static void describe_all(const char *conditions, bool shows_auto, char *buffer, size_t bytes) {
  char one[CONDITION_BYTES];
  for (size_t used = 0; used < bytes && next_alternative(&conditions, one); used = strlen(buffer)) {
    if (used > 0) used += (size_t)snprintf(buffer + used, bytes - used, " or ");
    if (used < bytes) describe(one, shows_auto, buffer + used, bytes - used);
  }
}

/* Where the option that a condition is about has no effect itself, its value is not what is missing. */
static const char *first_missing(const mlpd_option *table, const char *condition, const void *values) {
  const mlpd_option *const other = option_of(table, condition);
  const bool has_alternatives = strchr(condition, '|') != NULL;
  if (has_alternatives || other == NULL || option_condition_holds(table, other->needs, values)) return condition;
  return first_missing(table, other->needs, values);
}

/* May the model of --init-from, or a preset that waits for the data, make the condition, without alternatives, hold? */
static bool may_hold(const mlpd_option *table, const char *condition, const void *values) {
  const char *texts[PRESET_MOST_VALUES];
  const mlpd_option *const other = option_of(table, condition);
  if (other == NULL) return false;
  if (option_left_to_model(other, values)) return true;
  preset_open_values(values, other->name, texts);
  for (int i = 0; texts[i] != NULL; i++)
    if (accepts(condition, texts[i])) return true;
  return false;
}

static bool any_may_hold(const mlpd_option *table, const char *conditions, const void *values) {
  char one[CONDITION_BYTES];
  while (table == mlpd_train_option_table && next_alternative(&conditions, one))
    if (may_hold(table, one, values)) return true;
  return false;
}

const char *mlpd_option_lacks(const mlpd_option *table, const mlpd_option *row, const void *values, char *buffer,
                              size_t bytes) {
  if (row->needs == NULL || (values != NULL && option_condition_holds(table, row->needs, values))) return NULL;
  if (values != NULL && any_may_hold(table, row->needs, values)) return NULL;
  describe_all(values != NULL ? first_missing(table, row->needs, values) : row->needs, values == NULL, buffer, bytes);
  return buffer;
}
