/* Negative log-likelihood of counts: y is Poisson distributed with mean a = exp(z), the output activation. The term log
 * y! is left out (torch.nn.PoissonNLLLoss, full=False). */
#include "loss/loss_kind.h"

void loss_poisson(const loss_block *b, loss_values *values) {
  const uint32_t k = b->k;
  for (uint32_t i = 0; i < b->n; i++) {
    const size_t row = (size_t)i * k;
    const float *const z = b->z + row, *const a = b->a + row, *const y = b->y.values + row;
    double loss = 0;
    for (uint32_t j = 0; j < k; j++) loss += (double)a[j] - (double)y[j] * (double)z[j];
    values->loss[i] = loss + (double)loss_finite_or_nan(k, z, a);
    values->square[i] = loss_half_square(k, a, y);
    if (b->delta != NULL) loss_difference(k, loss_weight(b, i), 1, a, y, b->delta + row);
  }
}
