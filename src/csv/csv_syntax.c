/* The notation of cells, from the options. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "csv/csv.h"

static mlpd_status check_syntax(const mlpd_convert_options *o, const csv_syntax *s) {
  if (s->thousands != 0 && (s->thousands == s->decimal || (s->thousands >= '0' && s->thousands <= '9') ||
                            strchr("+-eEdD\"#\r\n", s->thousands) != NULL))
    return FAIL(MLPD_ERROR_USAGE, "'%c' cannot separate thousands where the decimal sign is '%c'", s->thousands,
                s->decimal);
  if (o->missing != NULL && strchr(o->missing, '\n') != NULL)
    return FAIL(MLPD_ERROR_USAGE, "missing: a text contains a line end");
  return MLPD_OK;
}

/* Reads the texts of a list such as "NULL,-999". Those that are numbers also match by value: -999 matches -999.0. */
static mlpd_status take_missing(const char *list, csv_syntax *s) {
  uint32_t count = 1;
  for (const char *p = list; *p != '\0'; p++) count += *p == ',';
  TRY(memory_allocate(&s->missing, count, sizeof *s->missing, "missing values"));
  TRY(memory_allocate(&s->missing_real, count, sizeof *s->missing_real, "missing values"));
  for (const char *p = list;; p++) {
    const size_t length = strcspn(p, ",");
    char **text = &s->missing[s->num_missing];
    TRY(memory_allocate(text, length + 1, 1, "missing values"));
    s->num_missing++;
    memcpy(*text, p, length);
    const csv_cell cell = {.begin = *text, .end = *text + length};
    number parsed;
    if (csv_cell_number(s, &cell, &parsed)) s->missing_real[s->num_missing_real++] = parsed.value;
    p += length;
    if (*p == '\0') return MLPD_OK;
  }
}

/* Reads the texts of a list such as "%,$". */
static mlpd_status take_strips(const char *list, csv_syntax *s) {
  uint32_t count = 1;
  for (const char *p = list; *p != '\0'; p++) count += *p == ',';
  TRY(memory_allocate(&s->strips, count, sizeof *s->strips, "texts to strip"));
  for (const char *p = list;; p++) {
    const size_t length = strcspn(p, ",");
    if (strcspn(p, "0123456789+-.()") < length) /* bookkeepers write -5 as (5) */
      return FAIL(MLPD_ERROR_USAGE, "strip: '%.*s' may be part of a number", (int)length, p);
    if (length > 0) {
      char **text = &s->strips[s->num_strips];
      TRY(memory_allocate(text, length + 1, 1, "texts to strip"));
      s->num_strips++;
      memcpy(*text, p, length);
    }
    p += length;
    if (*p == '\0') return MLPD_OK;
  }
}

mlpd_status csv_syntax_make(const mlpd_convert_options *o, csv_syntax *s) {
  const bool comma = o->decimal != NULL && (strcmp(o->decimal, "comma") == 0 || strcmp(o->decimal, ",") == 0);
  const bool point = o->decimal == NULL || strcmp(o->decimal, "point") == 0 || strcmp(o->decimal, ".") == 0;
  *s = (csv_syntax){.delimiter = o->delimiter, .decimal = comma ? ',' : '.', .thousands = o->thousands};
  if (!comma && !point && strcmp(o->decimal, "auto") != 0)
    return FAIL(MLPD_ERROR_USAGE, "decimal must be auto, point or comma, not '%s'", o->decimal);
  TRY(check_syntax(o, s));
  if (o->strip != NULL) TRY(take_strips(o->strip, s));
  return o->missing != NULL && o->missing[0] != '\0' ? take_missing(o->missing, s) : MLPD_OK;
}

void csv_syntax_free(csv_syntax *s) {
  for (uint32_t i = 0; i < s->num_missing; i++) free(s->missing[i]);
  for (uint32_t i = 0; i < s->num_strips; i++) free(s->strips[i]);
  free(s->missing);
  free(s->missing_real);
  free(s->strips);
  *s = (csv_syntax){.num_missing = 0};
}
