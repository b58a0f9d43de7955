/* The two least and the two largest values of a column, from which a number that stands for missing values, such as
 * -999, is found. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_EXTREMES_H
#define MLPDIST_SOURCE_EXTREMES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct extremes {
  double least[2], most[2];       /* different values, the outer one first; infinite where there is none */
  uint64_t least_rows, most_rows; /* with the outer ones */
  double sum, last;               /* of all values; the last one */
  uint64_t values, steps;         /* values, and those that are one more than the value before them */
} extremes;

extremes extremes_none(void);

/* Ignores NaN. */
void extremes_add(extremes *e, double value);

/* The number of rows that hold a number people write for missing values (99, 999, ..., the least integers, the fill
 * values of NetCDF) farther away from all others than these are from each other; *value receives it. 0: none. */
uint64_t extremes_placeholder(const extremes *e, double *value);

/* true if the values are 0, 1, 2, ..., or begin elsewhere, and are too many for that to be chance. */
bool extremes_count_rows(const extremes *e);

/* true if the last value is the sum of those before it and farther from 0 than each of them. */
bool extremes_end_in_sum(const extremes *e);

/* true if the last value is the mean of those before it, within 2 % of the range. */
bool extremes_end_in_mean(const extremes *e);

#endif
