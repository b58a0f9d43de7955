/* Numbers by bins: bin t of x is c_t = (x - e_t) / (e_{t+1} - e_t), not below 0 and not above 1, of edges e that
 * ascend; an empty bin, e_t = e_{t+1}, is 0, and no other follows one. Of c all before x's bin are 1 and all after it
 * 0, so that sum_t c_t w_t is a sum of whole rows of w and a part of one. The bits are the same on each instruction
 * set. Nothing here is collective. */
#ifndef MLPDIST_PIECEWISE_H
#define MLPDIST_PIECEWISE_H

#include <stdint.h>

enum { PIECEWISE_MOST_BINS = 1024, PIECEWISE_MOST_WIDTH = 4097 }; /* width: values, and x */

/* Where x lies. */
typedef struct piecewise_place {
  uint32_t full; /* bins that are 1 */
  float part;    /* c of the next one; 0 if there is none */
  float slope;   /* dc/dx of that one */
} piecewise_place;

/* edges (bins + 1) of quantiles in ascending order, in place: equal ones, and all but equal ones, are one edge. Bins
 * that are left over are empty, at the end. */
void piecewise_join(uint32_t bins, float *edges);

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
