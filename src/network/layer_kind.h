/* Kinds of layers: each is a table of functions in a file of its own, and a row of KINDS in layer_kind.c. See the
 * recipe in README.md. Nothing here is collective.
 *
 * A layer l has inputs a_{l-1} (x of the first) and outputs a_l = A(z_l). Its functions work on blocks.
 * They may read what an earlier pass wrote for the same rows, they write only what is said here, and they compute each
 * element by operations that do not depend on the block. gradient may read tensor values of its own unit only, because
 * other threads may be updating the others. Rows of blocks and of gradient are those of the layer's arrays: `copies`
 * for each row of x, and always all copies of a row. */
#ifndef MLPDIST_LAYER_KIND_H
#define MLPDIST_LAYER_KIND_H

#include "network/network.h"

enum { LAYER_MOST_TENSORS = 8 };

struct layer_kind {
  const char *name; /* in model files and --help */
  block_reach reach;
  bool training_only;                 /* outside of training it changes nothing: model files and digests leave it out */
  bool keeps_z;                       /* z apart from a, whatever the activation */
  bool activates;                     /* its formula contains A: delta_l is dC/da_l, and `backward` applies A', too */
  bool of_members;                    /* its tensors have rows for each member: it may stand above a fork, where others
                                         have no tensors */
  bool expands;                       /* its layers have sizes and a width */
  const struct numbers_kind *numbers; /* it expands numbers (numbers.h): sizes 0 or 1; NULL: it does not */
  uint32_t fixed_width;               /* the only width that an expanding kind has; 0: any */
  uint32_t (*row_floats)(const layer *l); /* floats to keep of each row from forward to backward; NULL: none */
  /* Fills made (name, rows, columns, vector, source, decay, rate, start) and returns their number; NULL: none. */
  uint32_t (*tensors)(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]);
  /* z and a of a block of layer l; in an output layer with softmax z alone. */
  void (*forward)(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part, workspace *space);
  /* Stores what `gradient` needs of delta_l and of tensor values in space->kept, for a block of whole rows of layer l.
   * Called once, when delta_l is known. NULL: nothing is needed. */
  void (*settle)(const mlpd_network *network, uint32_t l, const block *part, workspace *space);
  /* dC/da_{l-1} from delta_l for a block of layer l - 1, into layer_delta_below; of the first layer, dC/dx. */
  void (*backward)(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part, workspace *space);
  /* As network_gradient, n > 0, for tensors that are no TENSOR_PRODUCT; NULL: there are none. */
  void (*gradient)(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                   const workspace *space, float *gradient, uint32_t stride);
  /* Outside of training z = factor o x + shift: both (outputs), for a product beside it to take over. NULL: it is not.
   */
  void (*affine)(const mlpd_network *network, uint32_t l, double *factor, double *shift);
};

extern const layer_kind layer_dense;   /* z = a W + b */
extern const layer_kind layer_dropout; /* a = a_{l-1}, some values zero */
extern const layer_kind layer_noise;   /* a = a_{l-1} + noise */
extern const layer_kind layer_layer_norm, layer_batch_norm, layer_rms_norm;
extern const layer_kind layer_scale;      /* z = a_{l-1} o scale */
extern const layer_kind layer_fan_out;    /* a copy of each row for each member of an ensemble, o its own scale */
extern const layer_kind layer_fork;       /* a copy for each member that shares nothing, o its learned scale, if any */
extern const layer_kind layer_heads;      /* dense, weights and biases of each member */
extern const layer_kind layer_embed;      /* codes of categories become rows of a table */
extern const layer_kind layer_periodic;   /* numbers become sums of cosines */
extern const layer_kind layer_piecewise;  /* numbers become piecewise-linear functions */
extern const layer_kind layer_parametric; /* a = a_{l-1} + alpha (A(a_{l-1}) - a_{l-1}) */

/* The kind of this name, or NULL. */
const layer_kind *layer_kind_find(const char *name);

/* ---- For the files of kinds --------------------------------------------------------------------------- */

/* The inputs of layer l from row on, and the floats between their rows. */
static inline uint32_t layer_input_stride(const mlpd_network *network, uint32_t l) {
  return l == 0 ? network->layers[0].inputs : network->layers[l - 1].stride;
}
static inline const float *layer_input(const mlpd_network *network, const workspace *space, uint32_t l, uint64_t row) {
  return (l == 0 ? space->x : space->a[l - 1]) + row * layer_input_stride(network, l);
}

/* Tensor i of layer l, and its values. */
static inline const tensor *layer_tensor(const mlpd_network *network, uint32_t l, uint32_t i) {
  return &network->tensors[network->layers[l].first_tensor + i];
}
static inline const float *layer_values(const mlpd_network *network, uint32_t l, uint32_t i) {
  return network->parameters + layer_tensor(network, l, i)->offset;
}

/* The place of a block's first element in z, a and delta of layer l. */
static inline size_t layer_place(const mlpd_network *network, uint32_t l, const block *part) {
  return part->row * network->layers[l].stride + part->column;
}

/* Where dC/da_{l-1} of a block's first element goes; rows are layer_input_stride apart. */
static inline float *layer_delta_below(const mlpd_network *network, const workspace *space, uint32_t l,
                                       const block *part) {
  return (l == 0 ? space->x_delta : space->delta[l - 1]) + part->row * layer_input_stride(network, l) + part->column;
}

/* Rows of the tensors of a layer that expands inputs; 0: it has no sizes yet. */
uint32_t layer_total_size(const layer *l);

/* Draws to count for a row of `columns` values, so that each row begins with a group of its own. */
static inline uint64_t layer_draws(uint32_t columns) { return ((uint64_t)columns + 3) / 4 * 4; }

/* a_l = a_{l-1} of a block, and dC/da_{l-1} = delta_l. */
void layer_copy_forward(const mlpd_network *network, uint32_t l, const block *part, workspace *space);
void layer_copy_backward(const mlpd_network *network, uint32_t l, const block *part, workspace *space);

/* a = A(z) of a block, after bias (columns; NULL: none) is added to z; nothing but the addition where A is softmax.
 * Where the workspace keeps slopes, z becomes A'(z). */
void layer_activate(const mlpd_network *network, uint32_t l, const block *part, const float *bias, workspace *space);

/* Rows of z and a, `stride` floats apart, from `place` on. */
typedef struct layer_rows {
  size_t place;
  uint64_t rows;
  uint32_t columns, stride;
} layer_rows;

/* The same for any rows. */
void layer_activate_rows(const mlpd_network *network, uint32_t l, const layer_rows *part, const float *bias,
                         workspace *space);

/* Does a forward pass leave A'(z) in z of layer l? */
bool layer_keeps_slopes(const mlpd_network *network, uint32_t l, const workspace *space);

#endif
