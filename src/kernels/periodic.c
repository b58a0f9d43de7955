#include "kernels/periodic.h"

#include "kernels/multiversion.h"
#include "kernels/vmath.h"

enum { COSINES = PERIODIC_COSINES };

static const float TURN = 6.28318530717958648f, TURNS_PER_RADIAN = 0.159154943091895336f;

MULTIVERSION static void circle(float x, const float *frequency, const float *phase, float *cosine, float *sine) {
#pragma omp simd
  for (int k = 0; k < COSINES; k++) {
    const float turns = frequency[k] * x + phase[k] * TURNS_PER_RADIAN;
    cosine[k] = vmath_cos_turns(turns);
    sine[k] = vmath_sin_turns(turns);
  }
}

/* The sum of x_k y_k, in halves of halves. */
static inline float dot(const float *x, const float *y) {
  float part[COSINES];
  for (int k = 0; k < COSINES; k++) part[k] = x[k] * y[k];
  for (int half = COSINES / 2; half > 0; half /= 2)
    for (int k = 0; k < half; k++) part[k] += part[k + half];
  return part[0];
}

void periodic_forward(float x, const periodic_values *of, float *cosine, float *sine, float *z) {
  circle(x, of->frequency, of->phase, cosine, sine);
  for (int j = 0; j < PERIODIC_LEARNED; j++) z[j] = dot(of->weight + j * COSINES, cosine) + of->bias[j];
}

MULTIVERSION static void slopes(const float *weight, const float *delta, const float *sine, float *slope) {
#pragma omp simd
  for (int k = 0; k < COSINES; k++) {
    float sum = 0;
    for (int j = 0; j < PERIODIC_LEARNED; j++) sum += weight[j * COSINES + k] * delta[j];
    slope[k] = -sine[k] * sum;
  }
}

void periodic_slopes(const float *weight, const float *delta, const float *sine, float *slope) {
  slopes(weight, delta, sine, slope);
}

float periodic_input_slope(const float *frequency, const float *slope) { return TURN * dot(frequency, slope); }

void periodic_add(float factor, const float *x, float *y) {
  for (int k = 0; k < COSINES; k++) y[k] += factor * x[k];
}
