#include "program/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program/outcome.h"
#include "program/suggest.h"

typedef struct option_string {
  struct option_string *next;
  char text[];
} option_string;

const char *option_keep(option_results *results, const char *text) {
  const size_t bytes = strlen(text) + 1;
  option_string *string = malloc(sizeof *string + bytes);
  if (string == NULL) return NULL;
  memcpy(string->text, text, bytes);
  string->next = results->strings;
  results->strings = string;
  return string->text;
}

void options_free(option_results *results) {
  while (results->strings != NULL) {
    option_string *next = results->strings->next;
    free(results->strings);
    results->strings = next;
  }
  free(results->positionals);
  *results = (option_results){0};
}

const option *option_find(const option_table *table, const char *name) {
  for (const option *row = table->rows; row->name != NULL; row++)
    if (strcmp(row->name, name) == 0) return row;
  return NULL;
}

/* ---- Values: text to bytes ------------------------------------------------------------------------ */

static void store(const option *row, void *values, const void *value) {
  memcpy((char *)values + row->offset, value, row->size);
}

/* %.*g with the fewest digits that give the same number back, and exponents as people write them: 1e6, 1e-8. */
static void format_real(double value, char *buffer, size_t bytes) {
  /* From as many digits as a small number has before its point: 10, not 1e1. */
  const double size = fabs(value);
  for (int digits = size < 10 || size >= 1e5 ? 1 : (int)log10(size) + 1; digits <= 17; digits++) {
    (void)snprintf(buffer, bytes, "%.*g", digits, value);
    if (strtod(buffer, NULL) == value) break;
  }
  char *exponent = strchr(buffer, 'e');
  if (exponent == NULL) return;
  const long power = strtol(exponent + 1, NULL, 10);
  (void)snprintf(exponent, bytes - (size_t)(exponent - buffer), "e%ld", power);
}

static mlpd_status fail_range(const option *row, const char *where, const char *text) {
  char low[32], high[32];
  format_real(row->minimum, low, sizeof low);
  format_real(row->maximum, high, sizeof high);
  return outcome_fail(MLPD_ERROR_USAGE, "%s: %s is not in [%s, %s]", where, text, low, high);
}

static mlpd_status set_integer(const option *row, const char *where, const char *text, void *values) {
  char *end = NULL;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  /* 1e3 is what people write for a thousand; strtoull alone takes it for 1. */
  if (end == text || *end != '\0') {
    char *real_end = NULL;
    const double real = strtod(text, &real_end);
    if (real_end == text || *real_end != '\0' || isnan(real))
      return outcome_fail(MLPD_ERROR_USAGE, "%s: \"%s\" is not a whole number", where, text);
    if (real < row->minimum || real > row->maximum) return fail_range(row, where, text);
    if (floor(real) != real) return outcome_fail(MLPD_ERROR_USAGE, "%s: %s is not a whole number", where, text);
    const uint64_t whole = (uint64_t)real;
    const uint32_t narrow = (uint32_t)whole;
    store(row, values, row->size == sizeof whole ? (const void *)&whole : (const void *)&narrow);
    return MLPD_OK;
  }
  /* strtoull turns -1 into 2^64 - 1 without a word. */
  const bool negative = strchr(text, '-') != NULL;
  if (errno == ERANGE || (negative && value != 0) || (double)value < row->minimum || (double)value > row->maximum)
    return fail_range(row, where, text);
  const uint64_t whole = value;
  const uint32_t narrow = (uint32_t)value;
  store(row, values, row->size == sizeof whole ? (const void *)&whole : (const void *)&narrow);
  return MLPD_OK;
}

static mlpd_status set_real(const option *row, const char *where, const char *text, void *values) {
  char *end = NULL;
  const double value = strtod(text, &end);
  if (end == text || *end != '\0' || isspace((unsigned char)text[0]) || isnan(value))
    return outcome_fail(MLPD_ERROR_USAGE, "%s: \"%s\" is not a number", where, text);
  if (value < row->minimum || value > row->maximum) return fail_range(row, where, text);
  store(row, values, &value);
  return MLPD_OK;
}

static mlpd_status fail_choice(const option *row, const char *where, const char *text) {
  const char *near = NULL;
  char names[512] = "";
  size_t used = 0;
  if (row->automatic) {
    suggest_offer(text, "auto", &near);
    used = (size_t)snprintf(names, sizeof names, "auto");
  }
  for (const mlpd_choice *choice = row->choices; choice->name != NULL && used < sizeof names; choice++) {
    suggest_offer(text, choice->name, &near);
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", choice->name);
  }
  if (near != NULL)
    return outcome_fail(MLPD_ERROR_USAGE, "%s: \"%s\" is unknown; did you mean %s? There are %s", where, text, near,
                        names);
  return outcome_fail(MLPD_ERROR_USAGE, "%s: \"%s\" is unknown; there are %s", where, text, names);
}

static mlpd_status set_choice(const option *row, const char *where, const char *text, void *values) {
  int value = 0;
  if (!mlpd_choice_find(row->choices, text, &value)) return fail_choice(row, where, text);
  store(row, values, &value);
  return MLPD_OK;
}

/* Could a config file hold this text? It ends at a line's end and at " ;", and loses blanks around it. */
static bool is_storable(const char *text) {
  const size_t length = strlen(text);
  if (length == 0) return true;
  if (text[0] == ' ' || text[0] == ';' || text[length - 1] == ' ' || strstr(text, " ;") != NULL) return false;
  for (const char *c = text; *c != '\0'; c++)
    if (iscntrl((unsigned char)*c)) return false;
  return true;
}

static bool is_widths(const char *text) {
  const char *c = text;
  if (*c == '\0') return true;
  for (;;) {
    char *end = NULL;
    if (!isdigit((unsigned char)*c)) return false;
    const unsigned long long width = strtoull(c, &end, 10);
    if (width < 1 || width > 16777216) return false;
    if (*end == '\0') return true;
    if (*end != ',') return false;
    c = end + 1;
  }
}

static mlpd_status set_text(const option *row, const char *where, const char *text, void *values) {
  if (!is_storable(text))
    return outcome_fail(MLPD_ERROR_USAGE,
                        "%s: \"%s\" has a control character, \" ;\" or a blank at an end, which config.ini cannot hold",
                        where, text);
  if (row->type == OPTION_PATH && text[0] == '\0')
    return outcome_fail(MLPD_ERROR_USAGE, "%s: the path is empty", where);
  if (row->type == OPTION_WIDTHS && !is_widths(text))
    return outcome_fail(MLPD_ERROR_USAGE, "%s: \"%s\" is not a list of widths such as 512,256, or \"\" for none", where,
                        text);
  store(row, values, &text);
  return MLPD_OK;
}

/* On the command line "", in a config file what option_format() writes. */
static mlpd_status set_flag(const option *row, const char *where, const char *text, void *values) {
  const bool yes = text[0] == '\0' || strcmp(text, "yes") == 0;
  if (!yes && strcmp(text, "no") != 0)
    return outcome_fail(MLPD_ERROR_USAGE, "%s: \"%s\" is neither yes nor no", where, text);
  store(row, values, &yes);
  return MLPD_OK;
}

static void set_automatic(const option *row, void *values) {
  static const uint64_t zero = 0;
  static const int minus_one = -1;
  static const char *const none = NULL;
  store(row, values,
        row->type == OPTION_INTEGER  ? (const void *)&zero
        : row->type == OPTION_CHOICE ? (const void *)&minus_one
                                     : (const void *)&none);
}

mlpd_status option_set(const option *row, const char *where, const char *text, void *values) {
  if (row->automatic && strcmp(text, "auto") == 0) {
    set_automatic(row, values);
    return MLPD_OK;
  }
  switch (row->type) {
    case OPTION_INTEGER:
      return set_integer(row, where, text, values);
    case OPTION_REAL:
      return set_real(row, where, text, values);
    case OPTION_CHOICE:
      return set_choice(row, where, text, values);
    case OPTION_FLAG:
      return set_flag(row, where, text, values);
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_WIDTHS:
      break;
  }
  return set_text(row, where, text, values);
}

/* ---- Values: bytes to text ------------------------------------------------------------------------ */

static uint64_t integer_of(const option *row, const void *value) {
  if (row->size == sizeof(uint64_t)) {
    uint64_t whole;
    memcpy(&whole, value, sizeof whole);
    return whole;
  }
  uint32_t narrow;
  memcpy(&narrow, value, sizeof narrow);
  return narrow;
}

const char *option_format(const option *row, const void *values, char *buffer, size_t bytes) {
  const char *value = (const char *)values + row->offset;
  if (row->type == OPTION_FLAG) return *value != 0 ? "yes" : "no";
  if (row->type == OPTION_INTEGER) {
    const uint64_t whole = integer_of(row, value);
    if (row->automatic && whole == 0) return "auto";
    (void)snprintf(buffer, bytes, "%llu", (unsigned long long)whole);
    return buffer;
  }
  if (row->type == OPTION_REAL) {
    double real;
    memcpy(&real, value, sizeof real);
    format_real(real, buffer, bytes);
    return buffer;
  }
  if (row->type == OPTION_CHOICE) {
    int choice;
    memcpy(&choice, value, sizeof choice);
    return row->automatic && choice == -1 ? "auto" : mlpd_choice_name(row->choices, choice);
  }
  const char *text;
  memcpy(&text, value, sizeof text);
  return text == NULL && row->automatic ? "auto" : text;
}

/* ---- The command line ----------------------------------------------------------------------------- */

bool options_want_help(int argc, char **argv) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
  return false;
}

static mlpd_status fail_unknown(const option_table *table, const char *argument, size_t length) {
  char word[64];
  const size_t kept = length < sizeof word ? length : sizeof word - 1;
  memcpy(word, argument + 2, kept);
  word[kept] = '\0';
  const char *near = NULL;
  for (const option *row = table->rows; row->name != NULL; row++) suggest_offer(word, row->name, &near);
  if (near != NULL) return outcome_fail(MLPD_ERROR_USAGE, "unknown option --%s; did you mean --%s?", word, near);
  return outcome_fail(MLPD_ERROR_USAGE, "unknown option --%s; mlpdist %s --help lists them", word, table->command);
}

/* Parses the option at argv[*i], with its value in the same argument or the next. */
static mlpd_status parse_option(const option_table *table, int argc, char **argv, int *i, void *values) {
  const char *argument = argv[*i];
  const char *equals = strchr(argument, '=');
  const size_t length = equals != NULL ? (size_t)(equals - argument) - 2 : strlen(argument) - 2;
  char name[64];
  (void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), argument + 2);
  const option *row = option_find(table, name);
  if (row == NULL) return fail_unknown(table, argument, length);
  char where[72];
  (void)snprintf(where, sizeof where, "--%s", row->name);
  if (row->type == OPTION_FLAG) {
    if (equals != NULL) return outcome_fail(MLPD_ERROR_USAGE, "--%s takes no value", row->name);
    return option_set(row, where, "", values);
  }
  if (equals != NULL) return option_set(row, where, equals + 1, values);
  if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
    return outcome_fail(MLPD_ERROR_USAGE, "--%s needs a value (%s)", row->name, row->metavar);
  *i += 1;
  return option_set(row, where, argv[*i], values);
}

static mlpd_status parse_arguments(const option_table *table, int argc, char **argv, void *values,
                                   option_results *results) {
  bool only_positionals = false;
  results->num_positionals = 0;
  for (int i = 1; i < argc; i++) {
    const char *argument = argv[i];
    if (!only_positionals && strcmp(argument, "--") == 0) {
      only_positionals = true;
    } else if (!only_positionals && strncmp(argument, "--", 2) == 0) {
      const mlpd_status status = parse_option(table, argc, argv, &i, values);
      if (status != MLPD_OK) return status;
    } else if (!only_positionals && argument[0] == '-' && argument[1] != '\0') {
      return outcome_fail(MLPD_ERROR_USAGE, "unknown option %s; options begin with --", argument);
    } else {
      results->positionals[results->num_positionals++] = argument;
    }
  }
  return MLPD_OK;
}

static mlpd_status check_positionals(const option_table *table, const option_results *results) {
  const int given = results->num_positionals;
  if (given < table->min_positionals)
    return outcome_fail(MLPD_ERROR_USAGE, "too few arguments: mlpdist %s %s", table->command, table->usage);
  if (table->max_positionals < 0 || given <= table->max_positionals) return MLPD_OK;
  const char *extra = results->positionals[table->max_positionals];
  const char *near = NULL;
  for (const option *row = table->rows; row->name != NULL; row++)
    if (strcmp(row->name, extra) == 0) near = row->name;
  if (near != NULL) return outcome_fail(MLPD_ERROR_USAGE, "unexpected \"%s\"; did you mean --%s?", extra, near);
  return outcome_fail(MLPD_ERROR_USAGE, "unexpected \"%s\"; usage: mlpdist %s %s", extra, table->command, table->usage);
}

mlpd_status options_parse(const option_table *table, int argc, char **argv, void *values, option_results *results) {
  results->positionals = calloc((size_t)argc + 1, sizeof *results->positionals);
  if (results->positionals == NULL) return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading the arguments");
  mlpd_status status = parse_arguments(table, argc, argv, values, results);
  const option *config = option_find(table, "config");
  const char *path = NULL;
  if (config != NULL) memcpy(&path, (const char *)values + config->offset, sizeof path);
  if (status == MLPD_OK && path != NULL) {
    status = options_read_file(table, path, values, results);
    /* Once more, because the command line beats the file. */
    if (status == MLPD_OK) status = parse_arguments(table, argc, argv, values, results);
  }
  return status == MLPD_OK ? check_positionals(table, results) : status;
}
