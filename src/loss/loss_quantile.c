/* Quantile (pinball) loss: output q of a target estimates its quantile tau_q (Koenker & Bassett 1978). Outputs of a
 * target lie together, in the order of the quantiles. */
#include "loss/loss_kind.h"

/* One target and the outputs a of its quantiles; slope (quantiles) or NULL gets dloss/da. 0 at a = y, as mae. */
static double pinball(const loss_spec *loss, const float *a, float y, float weight, float *slope) {
  double sum = 0;
  for (uint32_t q = 0; q < loss->num_quantiles; q++) {
    const double tau = (double)loss->quantiles[q], r = (double)a[q] - (double)y;
    const double steep = r > 0 ? 1 - tau : r < 0 ? -tau : r; /* r: 0, or not a number */
    sum += steep * r;
    if (slope != NULL) slope[q] = weight * (float)steep;
  }
  return sum;
}

void loss_quantile(const loss_block *b, loss_values *values) {
  const uint32_t each = b->loss->num_quantiles, point = loss_point(b->loss);
  for (uint32_t i = 0; i < b->n; i++) {
    const float *const a = b->a + (size_t)i * b->k, *const y = b->y.values + (size_t)i * b->num_targets;
    float *const delta = b->delta != NULL ? b->delta + (size_t)i * b->k : NULL;
    values->loss[i] = values->square[i] = 0;
    for (uint32_t t = 0; t < b->num_targets; t++) {
      const size_t place = (size_t)t * each;
      const double r = (double)a[place + point] - (double)y[t];
      values->loss[i] += pinball(b->loss, a + place, y[t], loss_weight(b, i), delta != NULL ? delta + place : NULL);
      values->square[i] += 0.5 * (r * r);
    }
  }
}
