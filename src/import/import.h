/* Import: a network of dense layers and norms that another program trained, as a model. A reader of a format fills a
 * chain of layers; import.c makes the model. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_H
#define MLPDIST_IMPORT_H

#include "model/model.h"

/* a = A(z), or z + alpha (A(z) - z): of a dense layer z = x W + b, of a layer norm z = gain x^ + shift, which are in
 * the place of W and b; the shift of an RMS norm is 0. */
typedef struct import_layer {
  bool is_norm, is_rms; /* is_rms: an RMS norm */
  uint32_t inputs, outputs;
  double *weight, *bias; /* (inputs, outputs), or (outputs) of a norm; (outputs); owned */
  mlpd_activation activation;
  double *alpha;         /* (outputs); owned; NULL: a = A(z) */
  bool takes_activation; /* --activation is about this layer, where the file does not tell activations */
} import_layer;

/* What a format tells; all zero: nothing. Lists of the reader's own go to the chain, which frees them. */
typedef struct import_chain {
  import_layer *layers;
  uint32_t num_layers;
  double *input_shift, *input_scale;   /* (inputs): x' = (x - shift) scale; NULL: as they are */
  double input_limit;                  /* of the normalised inputs, as affine.limit; 0: none */
  double *target_shift, *target_scale; /* (outputs): value = a / scale + shift; NULL: as they are */
  double *least, *most;                /* (outputs) values are clamped to these; NULL: they are not */
  mlpd_task task;                      /* MLPD_TASK_AUTO: not told */
  mlpd_loss loss;                      /* MLPD_LOSS_AUTO: not told */
  bool needs_activation;               /* the file does not tell activations */
  data_names names;
  mlpd_model *described; /* NULL; or the model of our own export, in place of all else; owned */
} import_chain;

/* Adds a dense layer with weights and biases of zero, or a norm with gains of 1 and shifts of 0. */
mlpd_status import_add_layer(import_chain *chain, uint32_t inputs, uint32_t outputs, import_layer **layer);
mlpd_status import_add_norm(import_chain *chain, uint32_t width, bool is_rms, import_layer **layer);
void import_chain_free(import_chain *chain);

/* After a norm at the end, which no network here has there: a dense layer that changes nothing, with its activation. */
mlpd_status import_end_dense(import_chain *chain);

/* Puts factor o z + shift (outputs) in the place of a layer's z. */
void import_fold_after(import_layer *layer, const double *factor, const double *shift);

/* The same of a layer's a = A(z), where that is in z's power: false: its activation is another than relu and
 * leaky-relu, some factor is not above 0, or some shift not 0. */
bool import_scale_after(import_layer *layer, const double *factor, const double *shift);

/* Gives a layer without an activation a = z if z > 0 else slope z (outputs). */
mlpd_status import_set_slope(import_layer *layer, const double *slope);

/* Puts factor o x + shift (inputs) in the place of a dense layer's x. */
void import_fold_before(import_layer *layer, const double *factor, const double *shift);

/* Makes factor o x + shift (inputs) the normalisation of the inputs, x' = (x - -shift / factor) factor; the chain then
 * owns both. false: a factor of 0 has no such form. */
bool import_take_input(import_chain *chain, uint32_t inputs, double *factor, double *shift);

/* For messages about weights of a state dict that fit after a transposition. */
#define IMPORT_TURNED                                                                                       \
  "; NAME.weight is (outputs, inputs), as in PyTorch, NAME.kernel (inputs, outputs), as in NumPy, JAX and " \
  "scikit-learn"

/* Fills *chain, which is all zero; messages of failures need not name the file. */
typedef mlpd_status import_reader(const char *path, const mlpd_import_options *options, import_chain *chain);

import_reader import_onnx, import_keras, import_keras_archive, import_npz, import_safetensors, import_json;

#endif
