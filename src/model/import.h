/* Import: a network of dense layers that another program trained, as a model. A reader of a format fills a chain of
 * layers; import.c makes the model. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_H
#define MLPDIST_IMPORT_H

#include "model/model.h"

/* z = x W + b, a = A(z) */
typedef struct import_layer {
  uint32_t inputs, outputs;
  double *weight, *bias; /* (inputs, outputs), (outputs), owned */
  mlpd_activation activation;
} import_layer;

/* What a format tells; all zero: nothing. Lists of the reader's own go to the chain, which frees them. */
typedef struct import_chain {
  import_layer *layers;
  uint32_t num_layers;
  double *input_shift, *input_scale;   /* (inputs): x' = (x - shift) scale; NULL: as they are */
  double *target_shift, *target_scale; /* (outputs): value = a / scale + shift; NULL: as they are */
  mlpd_task task;                      /* MLPD_TASK_AUTO: not told */
  mlpd_loss loss;                      /* MLPD_LOSS_AUTO: not told */
  bool needs_activation;               /* the file does not tell activations */
  data_names names;
} import_chain;

/* Adds a layer with weights and biases of zero. */
mlpd_status import_add_layer(import_chain *chain, uint32_t inputs, uint32_t outputs, import_layer **layer);
void import_chain_free(import_chain *chain);

/* Fills *chain, which is all zero; messages of failures need not name the file. */
typedef mlpd_status import_reader(const char *path, const mlpd_import_options *options, import_chain *chain);

import_reader import_onnx, import_keras, import_npz;

#endif
