#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  DIGITS_OF_U64 = 19,    /* 10^19 - 1 < 2^64 */
  EXACT_POWER = 22,      /* 10^22 is a double */
  EXPONENT_MOST = 100000 /* beyond any double: larger exponents make no difference */
};

static const uint64_t EXACT_INTEGER = UINT64_C(1) << 53;

static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t integer_powers[DIGITS_OF_U64 + 1] = {UINT64_C(1),
                                                           UINT64_C(10),
                                                           UINT64_C(100),
                                                           UINT64_C(1000),
                                                           UINT64_C(10000),
                                                           UINT64_C(100000),
                                                           UINT64_C(1000000),
                                                           UINT64_C(10000000),
                                                           UINT64_C(100000000),
                                                           UINT64_C(1000000000),
                                                           UINT64_C(10000000000),
                                                           UINT64_C(100000000000),
                                                           UINT64_C(1000000000000),
                                                           UINT64_C(10000000000000),
                                                           UINT64_C(100000000000000),
                                                           UINT64_C(1000000000000000),
                                                           UINT64_C(10000000000000000),
                                                           UINT64_C(100000000000000000),
                                                           UINT64_C(1000000000000000000),
                                                           UINT64_C(10000000000000000000)};

#ifdef __SIZEOF_INT128__
/* digits / 10^decimals, correctly rounded: a 127 by 64 bit division gives at least 63 bits of quotient,
 * and whether anything is left decides ties. digits > 0. */
static double divide_exactly(uint64_t digits, int decimals) {
  const uint64_t divisor = integer_powers[decimals];
  const int digits_zeros = __builtin_clzll(digits), divisor_zeros = __builtin_clzll(divisor);
  const unsigned __int128 numerator = (unsigned __int128)(digits << digits_zeros) << 63;
  const uint64_t denominator = divisor << divisor_zeros;
  uint64_t quotient = (uint64_t)(numerator / denominator);
  if ((unsigned __int128)quotient * denominator != numerator) quotient |= 1;
  /* 2^exponent as bits of a double: -63 + 0 - 63 <= exponent <= 0, far from the ends. */
  const int exponent = divisor_zeros - digits_zeros - 63;
  const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
  double scale;
  memcpy(&scale, &bits, sizeof scale);
  return (double)quotient * scale;
}
#endif

/* digits * 10^exponent if it can be computed without strtod. One operation on two exact doubles rounds once
 * (Clinger, "How to read floating point numbers accurately", PLDI 1990). */
static bool scale_fast(uint64_t digits, int exponent, double *value) {
  if (exponent == 0 || digits == 0) return *value = (double)digits, true;
  if (digits <= EXACT_INTEGER && exponent >= -EXACT_POWER && exponent <= EXACT_POWER)
    return *value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent], true;
#ifdef __SIZEOF_INT128__
  if (exponent < 0 && exponent >= -DIGITS_OF_U64) return *value = divide_exactly(digits, -exponent), true;
#endif
  return false;
}

static const char *parse_digits(const char *p, const char *end, uint64_t *digits) {
  uint64_t w = *digits;
  for (; p < end && (unsigned char)(*p - '0') < 10; p++) w = w * 10 + (uint64_t)(*p - '0');
  *digits = w;
  return p;
}

static const char *parse_exponent(const char *p, const char *end, int *exponent) {
  bool negative = false;
  if (p < end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  const char *first = p;
  int value = 0;
  for (; p < end && (unsigned char)(*p - '0') < 10; p++)
    if (value < EXPONENT_MOST) value = value * 10 + (*p - '0');
  *exponent = negative ? -value : value;
  return p == first ? NULL : p;
}

const char *number_parse(const char *at, const char *end, number *parsed) {
  const char *p = at;
  bool negative = false;
  if (p < end && (*p == '-' || *p == '+')) negative = *p++ == '-';
  uint64_t digits = 0;
  const char *first = p;
  p = parse_digits(p, end, &digits);
  int64_t count = p - first;
  if (p == end || (*p != '.' && *p != 'e' && *p != 'E')) {
    if (count == 0) return NULL;
    if (count <= DIGITS_OF_U64 && digits <= INT64_MAX) {
      parsed->is_integer = true;
      parsed->is_longer = false;
      parsed->integer = negative ? -(int64_t)digits : (int64_t)digits;
      parsed->value = negative ? -(double)digits : (double)digits;
      return p;
    }
  }
  parsed->is_longer = p == end || (*p != '.' && *p != 'e' && *p != 'E');
  int64_t decimals = 0;
  int exponent = 0;
  if (p < end && *p == '.') {
    const char *point = ++p;
    p = parse_digits(p, end, &digits);
    decimals = p - point;
    count += decimals;
  }
  if (count == 0) return NULL;
  if (p < end && (*p == 'e' || *p == 'E')) {
    p = parse_exponent(p + 1, end, &exponent);
    if (p == NULL) return NULL;
  }
  parsed->is_integer = false;
  double value;
  if (count <= DIGITS_OF_U64 && scale_fast(digits, exponent - (int)decimals, &value))
    parsed->value = negative ? -value : value;
  else
    parsed->value = strtod(at, NULL);
  return p;
}

bool number_is_whole(const number *n, int64_t *whole) {
  static const double MOST = 9007199254740992.0; /* 2^53 */
  if (n->is_integer) return *whole = n->integer, true;
  if (n->is_longer || !(fabs(n->value) <= MOST) || n->value != trunc(n->value)) return false;
  return *whole = (int64_t)n->value, true;
}

bool number_needs_double(double least, double most, bool whole) {
  const double exact = 16777216, finest = 256; /* float32 has 24 bits; the spread keeps 16 of them at least */
  const double size = fmax(fabs(least), fabs(most)), spread = most - least;
  if (!(size > 0) || least > most) return false;
  if (size > (double)FLT_MAX || size < 1e6 * (double)FLT_MIN) return true;
  if (whole && size <= exact) return false;
  if (!(spread > 0)) return size > exact && (double)(float)most != most; /* another file may hold another value */
  return size > finest * spread;
}
