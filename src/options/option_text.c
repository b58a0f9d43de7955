#include "options/option_text.h"

#include <stdlib.h>
#include <string.h>

#include "options/option.h"
#include "options/preset_values.h"

enum { KEY_BYTES = 64, VALUE_BYTES = 4096 };

static void write_line(const mlpd_option *row, const mlpd_train_options *options, FILE *stream) {
  char buffer[64];
  const char *const value = mlpd_option_format(row, options, buffer, sizeof buffer);
  const char *const usual = row->decides == MLPD_DECIDES_WEIGHTS && row->default_text != NULL ? row->default_text : "";
  if (preset_waits(options, row->name)) {
    (void)fprintf(stream, "%s = by the preset\n", row->name);
    return;
  }
  (void)fprintf(stream, "%s = %s\n", row->name, value != NULL ? value : usual); /* NULL: see mlpd_train_options */
}

static bool decides_weights(const mlpd_option *row, const mlpd_train_options *options) {
  if (row->decides == MLPD_DECIDES_WEIGHTS) return option_condition_holds(mlpd_train_option_table, row->needs, options);
  return option_weights_with(mlpd_train_option_table, row, options);
}

void option_text_weights(const mlpd_train_options *options, FILE *stream) {
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++)
    if (decides_weights(row, options)) write_line(row, options, stream);
}

void option_text_course(const mlpd_train_options *options, FILE *stream) {
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++)
    if (row->decides != MLPD_DECIDES_LOCAL) write_line(row, options, stream);
}

/* ---- Comparison ------------------------------------------------------------------------------------- */

typedef struct option_line {
  char key[KEY_BYTES], value[VALUE_BYTES];
} option_line;

/* Reads the line at *at and moves *at past it; false at the end of the text. */
static bool next_line(const char **at, option_line *line) {
  if (**at == '\0') return false;
  const int length = (int)strcspn(*at, "\n");
  const char *const equals = strstr(*at, " = ");
  const int key = equals != NULL && equals - *at < length ? (int)(equals - *at) : length;
  const int value = key + 3 < length ? key + 3 : length;
  (void)snprintf(line->key, sizeof line->key, "%.*s", key, *at);
  (void)snprintf(line->value, sizeof line->value, "%.*s", length - value, *at + value);
  *at += length + ((*at)[length] == '\n');
  return true;
}

/* The value of a key in the text of a checkpoint; false if it has none. */
static bool find_value(const char *text, const char *key, char value[VALUE_BYTES]) {
  option_line line;
  while (next_line(&text, &line)) {
    /* Version 0.1.0 wrote the window under this name, which by itself meant --stream. */
    const bool window = strcmp(line.key, "stream window") == 0;
    if (window && strcmp(key, "stream") == 0) {
      (void)snprintf(value, VALUE_BYTES, "yes");
      return true;
    }
    if (strcmp(window ? "window" : line.key, key) != 0) continue;
    (void)snprintf(value, VALUE_BYTES, "%s", line.value);
    return true;
  }
  return false;
}

bool option_text_says(const char *checkpoint, const char *key, const char *value) {
  char found[VALUE_BYTES];
  return find_value(checkpoint, key, found) && strcmp(found, value) == 0;
}

double option_text_number(const char *checkpoint, const char *key, double otherwise) {
  char value[VALUE_BYTES];
  char *end = value;
  if (!find_value(checkpoint, key, value)) return otherwise;
  const double number = strtod(value, &end);
  return end != value && *end == '\0' ? number : otherwise;
}

/* The value that a checkpoint meant which lacks the key: the default of its version. */
static void former_value(const char *checkpoint, const mlpd_option *row, char value[VALUE_BYTES]) {
  const char *meant = row != NULL && row->default_text != NULL ? row->default_text : "";
  char inputs[VALUE_BYTES];
  /* --normalize once decided for the targets, too. */
  if (row != NULL && strcmp(row->name, "normalize-targets") == 0 && find_value(checkpoint, "normalize", inputs) &&
      strcmp(inputs, "none") == 0)
    meant = "none";
  if (row != NULL && strcmp(row->name, "select") == 0) meant = "loss";       /* before it could be chosen */
  if (row != NULL && strcmp(row->name, "embed-above") == 0) meant = "65536"; /* categories were one-hot */
  (void)snprintf(value, VALUE_BYTES, "%s", meant);
}

static bool equal_but_for_blanks(const char *a, const char *b) {
  for (;; a++, b++) {
    a += strspn(a, " ");
    b += strspn(b, " ");
    if (*a != *b) return false;
    if (*a == '\0') return true;
  }
}

/* Do two texts mean the same value of the option? Texts that the option does not accept are compared as they are. */
static bool is_same_value(const mlpd_option *row, const char *a, const char *b) {
  mlpd_train_options one = {0}, other = {0};
  char buffer[64], buffer_other[64];
  if (strcmp(a, b) == 0) return true;
  if (row != NULL && (row->type == MLPD_OPTION_WIDTHS || row->type == MLPD_OPTION_LIST) && equal_but_for_blanks(a, b))
    return true;
  if (row == NULL || mlpd_option_set(row, row->name, a, &one) != MLPD_OK ||
      mlpd_option_set(row, row->name, b, &other) != MLPD_OK)
    return false;
  const char *const text = mlpd_option_format(row, &one, buffer, sizeof buffer);
  const char *const text_other = mlpd_option_format(row, &other, buffer_other, sizeof buffer_other);
  return text != NULL && text_other != NULL && strcmp(text, text_other) == 0;
}

/* "key = value", cut to the buffer. */
static void copy_line(char line[OPTION_LINE_BYTES], const char *key, const char *value) {
  if (snprintf(line, OPTION_LINE_BYTES, "%s = %s", key, value) < 0) line[0] = '\0';
}

/* An option of a newer version, unknown to this one. */
static bool is_unknown(const char *key) {
  return strcmp(key, "backend") != 0 && strcmp(key, "stream window") != 0 &&
         mlpd_option_find(mlpd_train_option_table, key) == NULL;
}

bool option_text_differs(const char *checkpoint, const char *run, char theirs[OPTION_LINE_BYTES],
                         char ours[OPTION_LINE_BYTES]) {
  option_line line;
  char value[VALUE_BYTES];
  for (const char *at = checkpoint; next_line(&at, &line);) {
    if (!is_unknown(line.key)) continue;
    copy_line(theirs, line.key, line.value);
    (void)snprintf(ours, OPTION_LINE_BYTES, "no %s, an option of a newer version", line.key);
    return true;
  }
  while (next_line(&run, &line)) {
    const mlpd_option *const row = mlpd_option_find(mlpd_train_option_table, line.key);
    if (!find_value(checkpoint, line.key, value)) former_value(checkpoint, row, value);
    if (is_same_value(row, value, line.value)) continue;
    copy_line(theirs, line.key, value);
    copy_line(ours, line.key, line.value);
    return true;
  }
  return false;
}
