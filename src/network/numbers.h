/* What periodic.c and piecewise.c have in common: an input of size 1 is a number, with a row of each tensor. It becomes
 * `width` outputs: learned values, then x itself. Other inputs pass through. Members that share nothing have values of
 * their own: each tensor has a group of rows for each. Nothing here is collective. */
#ifndef MLPDIST_NUMBERS_H
#define MLPDIST_NUMBERS_H

#include "network/layer_kind.h"

/* One number in n rows of the batch, of one member: x, what is kept of each, and delta of its learned values. */
typedef struct number_rows {
  uint64_t n;
  const float *x, *kept, *delta;
  uint32_t x_stride, kept_stride, delta_stride;
} number_rows;

/* What a kind does with a number, whose row of the tensors is `number`. */
typedef struct numbers_kind {
  uint32_t kept; /* floats of each number and row of the batch */
  /* Learned values z (width - 1) of x. */
  void (*forward)(const mlpd_network *network, uint32_t l, uint32_t number, float x, float *kept, float *z);
  /* The part of dC/dx that comes through the learned values. */
  float (*slope)(const mlpd_network *network, uint32_t l, uint32_t number, const float *kept, const float *delta);
  /* Adds the gradient of the unit's columns of that row of the unit's tensor. */
  void (*add)(const mlpd_network *network, const gradient_unit *unit, const number_rows *rows, float *gradient);
} numbers_kind;

/* Functions of the layer_kind. */
uint32_t numbers_row_floats(const layer *l);
void numbers_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part, workspace *space);
void numbers_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                      workspace *space);
void numbers_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                      const workspace *space, float *gradient, uint32_t stride);

/* Rows of one member in each tensor. */
static inline uint32_t numbers_of_member(const mlpd_network *network, uint32_t l) {
  return tensor_group_rows(layer_tensor(network, l, 0));
}

/* Row `number` of tensor i, counted over all members. */
static inline const float *numbers_values(const mlpd_network *network, uint32_t l, uint32_t i, uint32_t number) {
  return layer_values(network, l, i) + (size_t)number * layer_tensor(network, l, i)->stride;
}

#endif
