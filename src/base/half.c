#include "base/half.h"

#include <math.h>
#include <string.h>

double half_to_double(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023, sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
  return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25));
}

float half_from_bfloat16(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float made;
  memcpy(&made, &wide, sizeof made);
  return made;
}
