/* Negative log-likelihood of a normal distribution whose mean m and log-variance s the network gives (Nix & Weigend
 * 1994): 1/2 (s + (y - m)^2 e^-s); 1/2 log 2 pi is left out (torch.nn.GaussianNLLLoss, full=False). Outputs of a
 * target: m, s. Below LEAST the variance counts as e^LEAST = 1e-6 (as there), so that a target fitted exactly does not
 * send the loss to minus infinity. */
#include <math.h>

#include "base/portable.h"
#include "loss/loss_kind.h"

static const double LEAST = -13.815510557964274; /* log 1e-6 */

static double exp_of(double x) { return x <= 0 ? portable_exp(x) : 1 / portable_exp(-x); }

/* One target: the loss; slope (2), or NULL, gets its derivatives. Under LEAST s may rise, but not fall. */
static double likelihood(float mean, float log_variance, float y, float weight, float *slope) {
  const double s = log_variance < LEAST ? LEAST : (double)log_variance; /* not a number stays */
  const double r = (double)mean - (double)y, precision = exp_of(-s), square = r * r * precision;
  if (slope != NULL) {
    const double ds = 0.5 * (1 - square);
    slope[0] = weight * (float)(r * precision);
    slope[1] = weight * (float)(log_variance < LEAST ? fmin(ds, 0) : ds);
  }
  return 0.5 * (s + square);
}

void loss_gaussian(const loss_block *b, loss_values *values) {
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const a = b->a + (size_t)i * b->k, *const y = b->y.values + (size_t)i * b->num_targets;
    float *const delta = b->delta != NULL ? b->delta + (size_t)i * b->k : NULL;
    values->loss[i] = (double)loss_finite_or_nan(b->k, a, a);
    values->square[i] = 0;
    for (uint32_t t = 0; t < b->num_targets; t++) {
      const size_t place = 2 * (size_t)t;
      const double r = (double)a[place] - (double)y[t];
      values->loss[i] +=
          likelihood(a[place], a[place + 1], y[t], loss_weight(b, i), delta != NULL ? delta + place : NULL);
      values->square[i] += 0.5 * (r * r);
    }
  }
}
