/* Numbers in bins with ascending edges e: c_t = (x - e_t) / (e_{t+1} - e_t), limited to 0 to 1, or 0 for an empty bin
 * (e_t = e_{t+1}); only empty bins follow an empty one. c is 1 before the bin of x and 0 after it, so that
 * sum_t c_t w_t is a sum of whole rows of w and a part of one row. The bits are the same on each instruction set.
 * Nothing here is collective. */
#ifndef MLPDIST_PIECEWISE_H
#define MLPDIST_PIECEWISE_H

#include <stdbool.h>
#include <stdint.h>

enum { PIECEWISE_MOST_BINS = 1024, PIECEWISE_MOST_WIDTH = 4097 }; /* width: values, and x */

/* Where x lies. */
typedef struct piecewise_place {
  uint32_t full; /* bins that are 1 */
  float part;    /* c of the next bin; 0 if there is none */
  float slope;   /* dc/dx of that bin */
} piecewise_place;

/* Merges equal and nearly equal edges in place. edges (bins + 1): quantiles in ascending order. Bins that are left over
 * become empty bins at the end. */
void piecewise_join(uint32_t bins, float *edges);

/* values (bins + 1): quantiles of a column of so many rows at the fractions t / bins. Where many rows share a value,
 * bins between equal quantiles are empty. Writes to fractions (bins + 1), ascending, where quantiles are better: the
 * other bins are cut into parts, as many as there are bins or, if these would hold fewer than 32 rows, as have so many.
 * What is left over is 1. false: no bin is cut. */
bool piecewise_spread(uint32_t bins, const double *values, uint64_t rows, double *fractions);

/* edges (bins + 1) */
piecewise_place piecewise_find(float x, uint32_t bins, const float *edges);

/* z (width) = sum_t c_t weight_t; weight (bins, width). */
void piecewise_forward(const piecewise_place *at, uint32_t width, const float *weight, float *z);

/* Elements [begin, end) of the gradient of weight, counted row by row: gradient[i - begin] += c_t delta_j. */
void piecewise_add(const piecewise_place *at, uint32_t width, const float *delta, uint32_t begin, uint32_t end,
                   float *gradient);

/* dz/dx times delta (width). */
float piecewise_input_slope(const piecewise_place *at, uint32_t width, const float *weight, const float *delta);

#endif
