#include "options/option.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/locale.h"
#include "base/status.h"
#include "options/option_chosen.h"

static const uint32_t MAX_WIDTH = 16777216;

const mlpd_option *mlpd_option_find(const mlpd_option *table, const char *name) {
  for (const mlpd_option *row = table; row->name != NULL; row++)
    if (strcmp(row->name, name) == 0) return row;
  return NULL;
}

static void store(const mlpd_option *row, void *values, const void *value) {
  memcpy((char *)values + row->offset, value, row->size);
}

/* ---- Refusals: the same words for texts and for values of a struct --------------------------------- */

static mlpd_status fail_range(const mlpd_option *row, const char *where, const char *text) {
  char low[32], high[32];
  option_format_real(row->minimum, low, sizeof low);
  option_format_real(row->maximum, high, sizeof high);
  return FAIL(MLPD_ERROR_USAGE, "%s: %s is not in [%s, %s]", where, text, low, high);
}

static mlpd_status fail_choice(const mlpd_option *row, const char *where, const char *text) {
  const char *near = NULL;
  char names[512] = "";
  size_t used = 0;
  if (row->automatic) {
    mlpd_name_offer(text, "auto", &near);
    used = (size_t)snprintf(names, sizeof names, "auto");
  }
  for (const mlpd_choice *choice = row->choices; choice->name != NULL && used < sizeof names; choice++) {
    mlpd_name_offer(text, choice->name, &near);
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", choice->name);
  }
  if (near != NULL)
    return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" is unknown; did you mean %s? The choices are %s", where, text, near,
                names);
  return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" is unknown; the choices are %s", where, text, names);
}

/* Files and messages hold one value a line. */
static bool has_control_character(const char *text) {
  for (const char *c = text; *c != '\0'; c++)
    if ((unsigned char)*c < ' ' || *c == 127) return true;
  return false;
}

static const char *after_blanks(const char *text) { return text + strspn(text, " "); }

static bool is_widths(const char *text) {
  const char *c = text;
  if (*c == '\0') return true;
  for (;;) {
    char *end = NULL;
    c = after_blanks(c);
    if (!isdigit((unsigned char)*c)) return false;
    const unsigned long long width = strtoull(c, &end, 10);
    if (width < 1 || width > MAX_WIDTH) return false;
    c = after_blanks(end);
    if (*c == '\0') return true;
    if (*c++ != ',') return false;
  }
}

static mlpd_status read_real(const mlpd_option *row, const char *where, const char *text, double *value) {
  char *end = NULL;
  *value = strtod(text, &end);
  if (end == text || *end != '\0' || isspace((unsigned char)text[0]) || isnan(*value))
    return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" is not a number", where, text);
  return *value < row->minimum || *value > row->maximum ? fail_range(row, where, text) : MLPD_OK;
}

static mlpd_status check_item(const mlpd_option *row, const char *where, const char *item) {
  int choice = 0;
  double real = 0;
  if (row->choices == NULL) return read_real(row, where, item, &real);
  return mlpd_choice_find(row->choices, item, &choice) ? MLPD_OK : fail_choice(row, where, item);
}

/* Items of at most ITEM_BYTES separated by commas, with blanks around them or none. */
static mlpd_status check_list(const mlpd_option *row, const char *where, const char *text) {
  enum { ITEM_BYTES = 64 };
  for (const char *at = text;; at++) {
    char item[ITEM_BYTES];
    at = after_blanks(at);
    const char *const next = at + strcspn(at, ",");
    size_t length = (size_t)(next - at);
    while (length > 0 && at[length - 1] == ' ') length--;
    if (length == 0 || length >= ITEM_BYTES)
      return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" is not a list of values separated by commas", where, text);
    (void)snprintf(item, sizeof item, "%.*s", (int)length, at);
    TRY(check_item(row, where, item));
    at = next;
    if (*at == '\0') return MLPD_OK;
  }
}

static mlpd_status check_text(const mlpd_option *row, const char *where, const char *text) {
  if (has_control_character(text))
    return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" has a control character such as a line end", where, text);
  if (row->type == MLPD_OPTION_PATH && text[0] == '\0') return FAIL(MLPD_ERROR_USAGE, "%s: the path is empty", where);
  if (row->type == MLPD_OPTION_WIDTHS && !is_widths(text))
    return FAIL(MLPD_ERROR_USAGE,
                "%s: \"%s\" is not a list of widths such as 512,256, of at most %u each, or \"\" for none", where, text,
                MAX_WIDTH);
  return row->type == MLPD_OPTION_LIST ? check_list(row, where, text) : MLPD_OK;
}

/* ---- Text to value ---------------------------------------------------------------------------------- */

static void store_whole(const mlpd_option *row, void *values, uint64_t whole) {
  const uint32_t narrow = (uint32_t)whole;
  store(row, values, row->size == sizeof whole ? (const void *)&whole : (const void *)&narrow);
}

/* What a unit stands for: k, M, G, T or kB, MB, ... for powers of 1000, KiB, MiB, ... for those of 1024; 0: no unit. */
static double bytes_of_unit(const char *unit) {
  static const char letters[] = "kmgt";
  if (*unit == ' ') unit++;
  const char *const letter = *unit != '\0' ? strchr(letters, tolower((unsigned char)*unit)) : NULL;
  if (letter == NULL) return strcmp(unit, "B") == 0 ? 1 : 0;
  const char *const rest = unit + 1;
  const bool binary = strcasecmp(rest, "iB") == 0;
  if (!binary && strcasecmp(rest, "B") != 0 && *rest != '\0') return 0;
  return pow(binary ? 1024 : 1000, (double)(letter - letters + 1));
}

/* People write 1e3 for a thousand, of which strtoull reads 1, and 4GB. */
static mlpd_status set_integer_from_real(const mlpd_option *row, const char *where, const char *text, void *values) {
  char *end = NULL;
  double real = strtod(text, &end);
  const bool bytes = row->metavar != NULL && strcmp(row->metavar, "BYTES") == 0;
  const double unit = bytes && end > text && *end != '\0' ? bytes_of_unit(end) : 0;
  if (end == text || (*end != '\0' && unit == 0) || isnan(real))
    return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" is not a whole number%s", where, text,
                bytes ? ", such as 4e9, 4GB or 4GiB" : "");
  if (unit > 0) real *= unit;
  if (real < row->minimum || real > row->maximum) return fail_range(row, where, text);
  if (floor(real) != real) return FAIL(MLPD_ERROR_USAGE, "%s: %s is not a whole number", where, text);
  store_whole(row, values, (uint64_t)real);
  return MLPD_OK;
}

static mlpd_status set_integer(const mlpd_option *row, const char *where, const char *text, void *values) {
  char *end = NULL;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (end == text || *end != '\0') return set_integer_from_real(row, where, text, values);
  /* strtoull silently turns -1 into 2^64 - 1. */
  const bool negative = strchr(text, '-') != NULL;
  if (errno == ERANGE || (negative && value != 0) || (double)value < row->minimum || (double)value > row->maximum)
    return fail_range(row, where, text);
  store_whole(row, values, value);
  return MLPD_OK;
}

static mlpd_status set_real(const mlpd_option *row, const char *where, const char *text, void *values) {
  double value = 0;
  TRY(read_real(row, where, text, &value));
  store(row, values, &value);
  return MLPD_OK;
}

static mlpd_status set_choice(const mlpd_option *row, const char *where, const char *text, void *values) {
  int value = 0;
  if (!mlpd_choice_find(row->choices, text, &value)) return fail_choice(row, where, text);
  store(row, values, &value);
  return MLPD_OK;
}

static mlpd_status set_text(const mlpd_option *row, const char *where, const char *text, void *values) {
  TRY(check_text(row, where, text));
  store(row, values, &text);
  return MLPD_OK;
}

/* On the command line "", in a config file the text of mlpd_option_format(). */
static mlpd_status set_flag(const mlpd_option *row, const char *where, const char *text, void *values) {
  const bool yes = text[0] == '\0' || strcmp(text, "yes") == 0;
  if (!yes && strcmp(text, "no") != 0) return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" is neither yes nor no", where, text);
  store(row, values, &yes);
  return MLPD_OK;
}

static void set_automatic(const mlpd_option *row, void *values) {
  static const uint64_t zero = 0;
  static const int minus_one = -1;
  static const double negative = -1;
  static const char *const none = NULL;
  store(row, values,
        row->type == MLPD_OPTION_INTEGER  ? (const void *)&zero
        : row->type == MLPD_OPTION_CHOICE ? (const void *)&minus_one
        : row->type == MLPD_OPTION_REAL   ? (const void *)&negative
                                          : (const void *)&none);
}

static mlpd_status set(const mlpd_option *row, const char *where, const char *text, void *values) {
  if (row->automatic && strcmp(text, "auto") == 0) {
    set_automatic(row, values);
    return MLPD_OK;
  }
  switch (row->type) {
    case MLPD_OPTION_INTEGER:
      return set_integer(row, where, text, values);
    case MLPD_OPTION_REAL:
      return set_real(row, where, text, values);
    case MLPD_OPTION_CHOICE:
      return set_choice(row, where, text, values);
    case MLPD_OPTION_FLAG:
      return set_flag(row, where, text, values);
    case MLPD_OPTION_TEXT:
    case MLPD_OPTION_PATH:
    case MLPD_OPTION_WIDTHS:
    case MLPD_OPTION_LIST:
      break;
  }
  return set_text(row, where, text, values);
}

mlpd_status mlpd_option_set(const mlpd_option *row, const char *where, const char *text, void *values) {
  IN_C_LOCALE();
  NEED(row);
  NEED(where);
  NEED(text);
  NEED(values);
  TRY(set(row, where, text, values));
  option_choose(row, text, values);
  return MLPD_OK;
}

void options_set_defaults(const mlpd_option *table, void *values) {
  for (const mlpd_option *row = table; row->name != NULL; row++)
    if (row->default_text != NULL) (void)mlpd_option_set(row, row->name, row->default_text, values);
}

/* ---- Value to text ---------------------------------------------------------------------------------- */

void option_format_real(double value, char *buffer, size_t bytes) {
  /* Starting with the digits before the point of a small number: 10, not 1e1. */
  const double size = fabs(value);
  for (int digits = size < 10 || !(size < 1e5) ? 1 : (int)log10(size) + 1; digits <= 17; digits++) {
    (void)snprintf(buffer, bytes, "%.*g", digits, value);
    if (strtod(buffer, NULL) == value) break;
  }
  char *exponent = isfinite(value) ? strchr(buffer, 'e') : NULL;
  if (exponent == NULL) return;
  const long power = strtol(exponent + 1, NULL, 10);
  (void)snprintf(exponent, bytes - (size_t)(exponent - buffer), "e%ld", power);
}

static uint64_t integer_of(const mlpd_option *row, const void *value) {
  if (row->size == sizeof(uint64_t)) {
    uint64_t whole;
    memcpy(&whole, value, sizeof whole);
    return whole;
  }
  uint32_t narrow;
  memcpy(&narrow, value, sizeof narrow);
  return narrow;
}

static double real_of(const void *value) {
  double real;
  memcpy(&real, value, sizeof real);
  return real;
}

static int choice_of(const void *value) {
  int choice;
  memcpy(&choice, value, sizeof choice);
  return choice;
}

static const char *text_of(const void *value) {
  const char *text;
  memcpy(&text, value, sizeof text);
  return text;
}

const char *mlpd_option_format(const mlpd_option *row, const void *values, char *buffer, size_t bytes) {
  IN_C_LOCALE();
  const char *value = (const char *)values + row->offset;
  switch (row->type) {
    case MLPD_OPTION_FLAG:
      return *value != 0 ? "yes" : "no";
    case MLPD_OPTION_INTEGER:
      if (row->automatic && integer_of(row, value) == 0) return "auto";
      (void)snprintf(buffer, bytes, "%llu", (unsigned long long)integer_of(row, value));
      return buffer;
    case MLPD_OPTION_REAL:
      if (row->automatic && real_of(value) == -1) return "auto";
      option_format_real(real_of(value), buffer, bytes);
      return buffer;
    case MLPD_OPTION_CHOICE:
      return row->automatic && choice_of(value) == -1 ? "auto" : mlpd_choice_name(row->choices, choice_of(value));
    case MLPD_OPTION_TEXT:
    case MLPD_OPTION_PATH:
    case MLPD_OPTION_WIDTHS:
    case MLPD_OPTION_LIST:
      break;
  }
  return text_of(value) == NULL && row->automatic ? "auto" : text_of(value);
}

/* ---- Values that did not come from text ------------------------------------------------------------- */

static mlpd_status check_integer(const mlpd_option *row, const char *where, const void *value) {
  const uint64_t whole = integer_of(row, value);
  char text[32];
  if ((double)whole >= row->minimum && (double)whole <= row->maximum) return MLPD_OK;
  if (row->automatic && whole == 0) return MLPD_OK;
  /* No 32-bit option exceeds the range of int, so the upper half means negative numbers. */
  if (row->size == sizeof(int32_t) && whole > INT32_MAX)
    (void)snprintf(text, sizeof text, "%d", choice_of(value));
  else
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)whole);
  return fail_range(row, where, text);
}

static mlpd_status check_real(const mlpd_option *row, const char *where, const void *value) {
  char text[32];
  const double real = real_of(value);
  if (real >= row->minimum && real <= row->maximum) return MLPD_OK;
  if (row->automatic && real == -1) return MLPD_OK;
  option_format_real(real, text, sizeof text);
  if (isnan(real)) return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" is not a number", where, text);
  return fail_range(row, where, text);
}

static mlpd_status check_choice(const mlpd_option *row, const char *where, const void *value) {
  char text[32];
  const int given = choice_of(value);
  if (row->automatic && given == -1) return MLPD_OK;
  for (const mlpd_choice *choice = row->choices; choice->name != NULL; choice++)
    if (choice->value == given) return MLPD_OK;
  (void)snprintf(text, sizeof text, "%d", given);
  return fail_choice(row, where, text);
}

mlpd_status mlpd_option_check(const mlpd_option *row, const char *where, const void *values) {
  IN_C_LOCALE();
  NEED(row);
  NEED(where);
  NEED(values);
  const char *const value = (const char *)values + row->offset;
  switch (row->type) {
    case MLPD_OPTION_INTEGER:
      return check_integer(row, where, value);
    case MLPD_OPTION_REAL:
      return check_real(row, where, value);
    case MLPD_OPTION_CHOICE:
      return check_choice(row, where, value);
    case MLPD_OPTION_FLAG:
      return MLPD_OK;
    case MLPD_OPTION_TEXT:
    case MLPD_OPTION_PATH:
    case MLPD_OPTION_WIDTHS:
    case MLPD_OPTION_LIST:
      break;
  }
  if (text_of(value) != NULL) return check_text(row, where, text_of(value));
  /* A NULL text means the default ("never", "auto"), a NULL path no file. Widths are needed. */
  if (row->type != MLPD_OPTION_WIDTHS || row->automatic || row->default_text == NULL) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "%s: NULL is not a value; the default is \"%s\"", where, row->default_text);
}

mlpd_status options_check(const mlpd_option *table, const void *values) {
  for (const mlpd_option *row = table; row->name != NULL; row++) {
    char where[72];
    (void)snprintf(where, sizeof where, "--%s", row->name);
    TRY(mlpd_option_check(row, where, values));
  }
  return MLPD_OK;
}
