/* Values as whole numbers of the same order, and what lies between two of them. */
#ifndef MLPDIST_COLUMN_KEY_H
#define MLPDIST_COLUMN_KEY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Ascends with the value. */
static inline uint64_t column_key_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static inline double column_key_value(uint64_t key) {
  const uint64_t bits = key >> 63 != 0 ? key ^ UINT64_C(1) << 63 : ~key;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* The place of a quantile among so many values, from 0. */
static inline double column_key_place(double fraction, uint64_t values) { return fraction * (double)(values - 1); }

/* The value at the place, between those on both sides. */
static inline double column_key_between(uint64_t low, uint64_t high, double place) {
  const double part = place - floor(place);
  return part > 0 ? (1 - part) * column_key_value(low) + part * column_key_value(high) : column_key_value(low);
}

#endif
