/* Decimal numbers in text, exact (rounded to nearest even), whatever the locale. */
#ifndef MLPDIST_CONVERT_NUMBER_H
#define MLPDIST_CONVERT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct number {
  double value;    /* infinite where the text is beyond double's range */
  int64_t integer; /* the value, where is_integer */
  bool is_integer; /* at most 18 digits, no decimal point and no exponent */
} number;

/* Parses [+-] digits [. digits] [e[+-] digits] at the start of [at, end). Returns what follows it, or NULL
 * where no number stands there. *end must be readable and no digit. Not collective. */
const char *number_parse(const char *at, const char *end, number *parsed);

#endif
