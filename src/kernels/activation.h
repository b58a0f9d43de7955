/* Activations: A and A' over blocks, vectorised; the same bits on every instruction set (no contraction
 * to FMA, one fixed polynomial for exp). */
#ifndef MLPDIST_ACTIVATION_H
#define MLPDIST_ACTIVATION_H

#include "mlpdist.h"

/* True where A'(z) is computed from z rather than from a = A(z): gelu, silu. */
bool activation_needs_z(mlpd_activation kind);

/* z (m, n) gets bias (n) added to each row in place; then a = A(z). z and a have leading dimension ld; a
 * may be z where activation_needs_z(kind) is false. bias NULL adds nothing. Not for softmax.
 * Elementwise: any split into blocks gives the same bits. Not collective. */
void activation_forward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z,
                        float *a);

/* delta (m, n) *= A'(z), elementwise; z is read only where activation_needs_z(kind) (else it may be
 * NULL), a only where not. All with leading dimension ld. Not for softmax. Not collective. */
void activation_backward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *z, const float *a,
                         float *delta);

/* a (m, n) = softmax of each row of z (m, n), stable: exp(z - max) / sum, the sum taken in a fixed order.
 * Contiguous; a may be z. Not collective. */
void softmax_forward(uint64_t m, uint64_t n, const float *z, float *a);

/* delta (m, n) = J^T delta for each row, J the softmax Jacobian at a: delta_j <- a_j (delta_j - sum_i
 * delta_i a_i). Contiguous. Not collective. */
void softmax_backward(uint64_t m, uint64_t n, const float *a, float *delta);

#endif
