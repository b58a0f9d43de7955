/* Activations: A and A' over blocks, vectorised, with the same bits on every instruction set (no contraction to FMA,
 * one fixed polynomial for exp). Nothing here is collective. */
#ifndef MLPDIST_ACTIVATION_H
#define MLPDIST_ACTIVATION_H

#include "mlpdist.h"

/* true if A'(z) is computed from z, false if from a = A(z) */
bool activation_needs_z(mlpd_activation kind);

/* Adds bias (n) to each row of z (m, n) in place, then computes a = A(z). z and a have leading dimension ld; a may be z
 * if activation_needs_z(kind) is false. With bias NULL nothing is added. Not for softmax. Elementwise: any division
 * into blocks gives the same bits. */
void activation_forward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z,
                        float *a);

/* The same if activation_needs_z(kind), but z becomes A'(z): computing both at once is cheaper than one after the
 * other. a must not be z. Then activation_apply_slopes(z) does what activation_backward would do. */
void activation_forward_slopes(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *bias, float *z,
                               float *a);

/* delta (m, n) *= slopes, both with leading dimension ld */
void activation_apply_slopes(uint64_t m, uint64_t n, uint64_t ld, const float *slopes, float *delta);

/* delta (m, n) *= A'(z), elementwise; reads z if activation_needs_z(kind) (else it may be NULL), and
 * a otherwise. All with leading dimension ld. Not for softmax. */
void activation_backward(mlpd_activation kind, uint64_t m, uint64_t n, uint64_t ld, const float *z, const float *a,
                         float *delta);

/* a (m, n) = softmax of each row of z (m, n), stable: exp(z - max) / sum, the sum taken in a fixed order.
 * Contiguous; a may be z. */
void softmax_forward(uint64_t m, uint64_t n, const float *z, float *a);

/* delta (m, n) = J^T delta for each row, J the softmax Jacobian at a: delta_j <- a_j (delta_j - sum_i
 * delta_i a_i). Contiguous. */
void softmax_backward(uint64_t m, uint64_t n, const float *a, float *delta);

#endif
