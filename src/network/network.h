/* The network: a list of layers, each of a kind, over a list of tensors in one arena, and the pieces of a forward and
 * backward pass. Arrays and shapes only: no MPI, no files, no threads (callers run the pieces in parallel).
 *
 * Work is cut into blocks of a layer's outputs for one lane, and units of a tensor's gradient. The bits of each depend
 * on shapes alone, never on the thread or rank that computes it, so the weights do not depend on the split. Nothing
 * here is collective. */
#ifndef MLPDIST_NETWORK_H
#define MLPDIST_NETWORK_H

#include "base/status.h"
#include "kernels/backend.h"
#include "network/tensor.h"

typedef struct layer_kind layer_kind; /* of layer_kind.h */

/* z = what the kind computes of the outputs a of the layer before; a = A(z). */
typedef struct layer {
  const layer_kind *kind;
  uint32_t inputs, outputs;
  uint32_t copies; /* rows of z, a and delta for each row of x: 1, above a fan-out one for each member */
  mlpd_activation activation;
  uint32_t stride;                    /* floats between rows of z, a and delta: outputs, or a little more */
  uint32_t first_tensor, num_tensors; /* consecutive */
  double amount;                      /* its meaning depends on the kind: the probability of a dropout, ... */
  uint32_t *sizes; /* (inputs) of a kind that expands inputs: rows of its tensors for each, 0: it passes through */
  uint32_t width;  /* of such a kind: outputs that an input becomes which does not pass through */
} layer;

struct mlpd_network {
  uint32_t num_layers;
  layer *layers; /* (num_layers) */
  uint32_t num_tensors;
  tensor *tensors;       /* (num_tensors), in arena order */
  uint32_t lowest_delta; /* no tensor needs the deltas of layers below this one */
  bool has_statistics;   /* some tensor's source is TENSOR_STATISTICS */
  bool members_apart;    /* members share no layer above the fork: each learns from its own loss, not from the mean */
  size_t arena_size;     /* floats, alignment gaps included; gaps stay zero */
  float *parameters;     /* (arena_size); NULL: a shape alone */
};

/* How a dense layer learns, or one of bins (rate and decay), where not as usual: NULL in a spec. */
typedef struct dense_learning {
  float rate, decay;   /* of the weights, as in a tensor */
  float bias_rate;     /* the biases start from N(0, 1) */
  bool starts_at_zero; /* weights and biases */
} dense_learning;

/* What a layer is made from. */
typedef struct layer_spec {
  const layer_kind *kind;
  uint32_t outputs;
  mlpd_activation activation;
  mlpd_activation starts_for; /* initial weights suit this activation, which may be in a later layer */
  bool no_bias;
  const dense_learning *learning;
  uint32_t copies; /* of a fan-out or a fork: the number of members; of others it is not read */
  double amount;
  double decay;          /* of a scale or a fork: factor of the weight decay */
  const uint32_t *sizes; /* (inputs of the layer), as in a layer; outputs: network_expanded() of them */
  uint32_t width;
} layer_spec;

/* Makes a network of these layers, the first of which gets `inputs` values a row; all parameters are as the tensors
 * start, those drawn zero. shape_alone: without parameters, to ask for sizes. Softmax only in the last layer, which is
 * dense or, of an ensemble, heads. */
mlpd_status network_build(uint32_t inputs, uint32_t num_layers, const layer_spec *specs, bool shape_alone,
                          mlpd_network **network);

/* A copy with parameters of its own, which the caller frees. */
mlpd_status network_copy(const mlpd_network *network, mlpd_network **copy);

/* The outputs of a layer that expands these inputs. */
uint32_t network_expanded(uint32_t inputs, const uint32_t *sizes, uint32_t width);

static inline uint32_t network_inputs(const mlpd_network *network) { return network->layers[0].inputs; }
static inline const layer *network_output(const mlpd_network *network) {
  return &network->layers[network->num_layers - 1];
}

/* Members of an ensemble; 1: the network is none. */
static inline uint32_t network_members(const mlpd_network *network) { return network_output(network)->copies; }

/* Where a row stands, for layers that draw: row r of x is sample first + r of the epoch. */
typedef struct pass_context {
  bool training; /* false: layers that only training needs do nothing, and others take running statistics */
  uint64_t seed;
  uint32_t epoch;
  uint64_t first;
  double weaker; /* dropout: each probability is 1 - weaker times the layer's */
} pass_context;

/* Arrays kept between forward and backward pass: per layer z, a, delta (rows * copies, outputs), rows `stride` floats
 * apart; contiguous in the output layer. Row r of x becomes rows r * copies and those after it. */
typedef struct workspace {
  uint32_t num_layers;
  uint64_t rows;        /* capacity */
  pass_context context; /* of the pass; all zero, not training, unless the caller sets it */
  float *x;             /* (rows, inputs of layer 0) */
  bool keeps_slopes;    /* set by the caller before a pass, not with keep_z: forward leaves A'(z) in z of hidden layers
                           whose A' is a function of z, because A and A' together take little more time than A */
  float **z;            /* [l] is a[l] if z need not be kept */
  float **a, **delta;
  /* (rows, outputs): what the network says of each row, and dC/d output: arrays of the last layer or, of an ensemble,
   * the means over its members (ensemble_average). */
  float *output_z, *output, *output_delta;
  float *x_delta; /* (rows, inputs of layer 0): dC/dx, for network_input_gradient; NULL: nobody asks */
  float **kept;   /* [l] (rows * copies, row_floats of its kind), or NULL: what the kind keeps of each row */
  char *memory;   /* of all of these */
} workspace;

/* keep_z: z apart from a in every layer (mlpd_network_trace). Free with workspace_free. */
mlpd_status workspace_create(const mlpd_network *network, uint64_t rows, bool keep_z, workspace *space);
void workspace_free(workspace *space);
size_t workspace_size(const mlpd_network *network, uint64_t rows, bool keep_z); /* bytes */

/* ---- Blocks ---------------------------------------------------------------------------------------- */

/* The part of a layer's outputs that one call computes: some rows of its arrays, all copies of a row of x, and some
 * columns. */
typedef struct block {
  uint64_t row, rows;
  uint32_t column, columns;
} block;

/* Which outputs a block of layer l holds at least, forward (its outputs) or backward (its delta). */
typedef enum block_reach {
  REACH_ELEMENT, /* any rows and columns */
  REACH_ROW,     /* all columns of each row */
  REACH_LANE     /* all rows of a lane */
} block_reach;

typedef enum pass_way { WAY_FORWARD, WAY_BACKWARD } pass_way;

block_reach network_reach(const mlpd_network *network, uint32_t l, pass_way way);

/* Does some layer need whole lanes? */
bool network_needs_lanes(const mlpd_network *network);

/* The number of blocks of layer l over n rows of x from row on, and each of them. If the bits of products depend on the
 * cut, blocks have a fixed size; otherwise (gemm->sum_gradients is set) there are at least `wanted` blocks, to feed
 * that many threads, if the layer is large enough. The rows are one lane's where network_reach is REACH_LANE. */
uint32_t network_num_blocks(const mlpd_network *network, const backend *gemm, uint32_t l, pass_way way, uint64_t n,
                            uint32_t wanted);
block network_block(const mlpd_network *network, const backend *gemm, uint32_t l, pass_way way, uint64_t row,
                    uint64_t n, uint32_t wanted, uint32_t index);

/* Unit `index` of tensor i: tensor_unit, and whose it is. */
gradient_unit network_unit(const mlpd_network *network, const backend *gemm, uint32_t i, uint32_t index);

/* ---- Pieces of a pass ------------------------------------------------------------------------------ */

/* z_l and a_l = A(z_l) for a block (softmax output: only z, see network_finish_output) */
void network_forward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                           workspace *space);

/* The softmax of the output layer, if it has one, over n rows of x from row on; call it after all their blocks. */
void network_finish_output(const mlpd_network *network, uint64_t row, uint64_t n, workspace *space);

/* delta_l = dC/dz_l for a block of layer l, from delta_{l+1} */
void network_backward_block(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                            workspace *space);

/* gradient (unit's rows, columns), rows `stride` floats apart, = the unit's gradient or statistic, summed over n rows
 * from row on: those of one lane. */
void network_gradient(const mlpd_network *network, const backend *gemm, const gradient_unit *unit, uint64_t row,
                      uint64_t n, const workspace *space, float *gradient, uint32_t stride);

/* The factors of the gradient of a unit of a TENSOR_PRODUCT from row on, for gemm->sum_gradients. */
typedef struct gradient_factors {
  const float *a, *delta;
  int a_stride, delta_stride;
  uint32_t copies; /* rows of both for each row of x */
} gradient_factors;
gradient_factors network_gradient_factors(const mlpd_network *network, const gradient_unit *unit, uint64_t row,
                                          const workspace *space);

/* The whole forward pass over n rows, as one lane, on the calling thread: the blocks above in order, and output. */
void network_forward(const mlpd_network *network, const backend *gemm, uint64_t n, workspace *space);

/* x_delta = sum over outputs k of u_k d a_k / d x for n rows, on the calling thread, after network_forward. u (n,
 * outputs) is in space's output_delta. Overwrites it and the deltas of all layers; z, a and x stay. */
void network_input_gradient(const mlpd_network *network, const backend *gemm, uint64_t n, workspace *space);

/* ---- All tensors ----------------------------------------------------------------------------------- */

/* A network's digest with these parameters in place of its own: for checkpoints that hold other arenas. */
uint64_t network_hash(const mlpd_network *network, const float *parameters);

/* Sets the statistics among floats [begin, begin + count) of an arena to zero, of which values is a copy. */
void network_clear_statistics(const mlpd_network *network, size_t begin, size_t count, float *values);

/* mlpd_network_tensor() with the values of another arena. */
mlpd_tensor_view network_view_tensor(const mlpd_network *network, uint32_t layer, uint32_t index, float *arena);

/* The gradients of a trace, an arena; statistics are the sums over its samples. */
const float *network_trace_gradient(const mlpd_trace *trace);

#endif
