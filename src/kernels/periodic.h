/* Numbers as cosines of learned frequencies: x becomes PERIODIC_LEARNED values z_j = sum_k weight_jk c_k + bias_j,
 * c_k = cos(2 pi frequency_k x + phase_k), of PERIODIC_COSINES cosines. The bits are the same on each instruction set.
 * Nothing here is collective. */
#ifndef MLPDIST_PERIODIC_H
#define MLPDIST_PERIODIC_H

enum { PERIODIC_COSINES = 16, PERIODIC_LEARNED = 3, PERIODIC_WEIGHTS = PERIODIC_COSINES * PERIODIC_LEARNED };

/* What a number learns. */
typedef struct periodic_values {
  const float *frequency, *phase; /* (PERIODIC_COSINES) turns a unit of x, and radians */
  const float *weight, *bias;     /* (PERIODIC_LEARNED, PERIODIC_COSINES), (PERIODIC_LEARNED) */
} periodic_values;

/* z (PERIODIC_LEARNED) of x; cosine and sine (PERIODIC_COSINES) are kept for the functions below. */
void periodic_forward(float x, const periodic_values *of, float *cosine, float *sine, float *z);

/* slope = dC/d phase (PERIODIC_COSINES) from delta = dC/dz (PERIODIC_LEARNED). */
void periodic_slopes(const float *weight, const float *delta, const float *sine, float *slope);

/* dC/dx from dC/d phase. */
float periodic_input_slope(const float *frequency, const float *slope);

/* y (PERIODIC_COSINES) += factor x */
void periodic_add(float factor, const float *x, float *y);

#endif
