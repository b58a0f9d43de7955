/* Decimal numbers in text, exact (rounded to nearest even). The caller has set the C locale. Nothing here is
 * collective. */
#ifndef MLPDIST_NUMBER_H
#define MLPDIST_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct number {
  double value;    /* infinite if the text is beyond double's range */
  int64_t integer; /* the value, where is_integer */
  bool is_integer; /* no decimal point, no exponent, and an int64_t holds it */
  bool is_longer;  /* no decimal point, no exponent, and an int64_t is too small */
} number;

/* Parses [+-] digits [. digits] [e[+-] digits] at the start of [at, end). Returns the place after it, or NULL if
 * there is no number. *end must be readable and not a digit. */
const char *number_parse(const char *at, const char *end, number *parsed);

/* Is it a whole number, however it is written (7, 7.0, 70e-1), of at most 2^53 unless it is written as an integer? */
bool number_is_whole(const number *n, int64_t *whole);

/* Does a column of values from least to most need float64, because float32 would blur its spread (an offset that is
 * large beside it), overflow, or lose digits near zero? whole: its values are whole numbers. */
bool number_needs_double(double least, double most, bool whole);

#endif
