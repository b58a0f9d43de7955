/* The network: shapes, one parameter arena with named views, and the pieces of a forward and backward
 * pass. Arrays and shapes only: no MPI, no files, no threads (callers run the pieces in parallel).
 *
 * Work is cut into blocks of a layer's outputs for one lane, and units of a weight gradient. The bits of each depend on
 * shapes alone, never on the thread or rank that computes it, so the weights do not depend on the split. Nothing here
 * is collective. */
#ifndef MLPDIST_NETWORK_H
#define MLPDIST_NETWORK_H

#include "base/status.h"
#include "kernels/backend.h"

typedef struct layer {
  uint32_t inputs, outputs;
  mlpd_activation activation;
  uint32_t weight_stride;            /* floats between rows of the weights: outputs, or a little more */
  uint32_t stride;                   /* floats between rows of z, a and delta, likewise */
  size_t weight_offset, bias_offset; /* in floats, into an arena; multiples of 16 */
  uint32_t column_block;             /* outputs a forward or backward block covers */
  uint32_t row_block;                /* inputs a weight-gradient unit covers */
} layer;

struct mlpd_network {
  uint32_t num_layers;
  layer *layers;     /* (num_layers) */
  size_t arena_size; /* floats, alignment gaps included; gaps stay zero */
  float *parameters; /* (arena_size) */
};

/* As mlpd_network_create, but without parameters (NULL), to ask for sizes. */
mlpd_status network_shape(uint32_t num_layers, const uint32_t *widths, const mlpd_activation *activations,
                          mlpd_network **network);

/* Arrays kept between forward and backward pass: per layer z, a, delta (rows, outputs), rows `stride` floats apart;
 * contiguous in the output layer. */
typedef struct workspace {
  uint32_t num_layers;
  uint64_t rows; /* capacity */
  float *x;      /* (rows, inputs of layer 0) */
  float **z;     /* [l] is a[l] if z need not be kept */
  float **a, **delta;
  float *memory;
} workspace;

/* keep_z: z apart from a in every layer (mlpd_network_trace). Free with workspace_free. */
mlpd_status workspace_create(const mlpd_network *network, uint64_t rows, bool keep_z, workspace *space);
void workspace_free(workspace *space);
size_t workspace_size(const mlpd_network *network, uint64_t rows, bool keep_z); /* bytes */

/* The part of a layer's outputs that one call computes: some rows of a workspace, some columns. */
typedef struct block {
  uint64_t row, rows;
  uint32_t column, columns;
} block;

/* The number of blocks of layer l over n rows from row on, and each of them. If the bits of products depend on the cut,
 * blocks have a fixed size; otherwise (gemm->sum_gradients is set) there are at least `wanted` blocks, to feed that
 * many threads, if the layer is large enough. */
uint32_t layer_num_blocks(const layer *l, const backend *gemm, uint64_t n, uint32_t wanted);
block layer_block(const layer *l, const backend *gemm, uint64_t row, uint64_t n, uint32_t wanted, uint32_t index);

/* A weight-gradient unit: rows [row, row + rows) (inputs) and columns (outputs) of a layer's weights and, if row is 0,
 * of its biases. */
typedef struct gradient_unit {
  uint32_t layer, row, rows, column, columns;
} gradient_unit;

/* The number of units of layer l, and each of them. */
uint32_t layer_num_units(const layer *l, const backend *gemm);
gradient_unit layer_unit(const mlpd_network *network, const backend *gemm, uint32_t l, uint32_t index);

/* a_l = A(a_{l-1} W_l + b_l) for a block (softmax output: only z, see network_finish_output) */
void network_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space);

/* The softmax of the output layer, if it has one, over n rows from row on; call it after all their blocks. */
void network_finish_output(const mlpd_network *network, uint64_t row, uint64_t n, workspace *space);

/* delta_l = (delta_{l+1} W_{l+1}^T) o A'(z_l) for a block of layer l */
void network_backward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                            workspace *space);

/* gradient (unit's rows, columns), rows `stride` floats apart, = a_{l-1}^T delta_l over n rows from row on */
void network_weight_gradient(const mlpd_network *network, const backend *gemm, const gradient_unit *unit, uint64_t row,
                             uint64_t n, const workspace *space, float *gradient, uint32_t stride);

/* bias_gradient (unit's columns) = column sums of delta_l over n rows from row on */
void network_bias_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                           const workspace *space, float *bias_gradient);

/* The factors of a unit's weight gradient from row on, for gemm->sum_gradients. */
typedef struct gradient_factors {
  const float *a, *delta;
  int a_stride, delta_stride;
} gradient_factors;
gradient_factors network_gradient_factors(const mlpd_network *network, const gradient_unit *unit, uint64_t row,
                                          const workspace *space);

/* The whole forward pass over n rows on the calling thread: the blocks above in order. */
void network_forward(const mlpd_network *network, const backend *gemm, uint64_t n, workspace *space);

/* The part of a network's digest that every network of these shapes has in common plus the parameters
 * given: for checkpoints that hold other arenas. */
uint64_t network_hash(const mlpd_network *network, const float *parameters);

#endif
