/* Operators of ONNX that are activations or parts of one: how they become ours again. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_ACTIVATIONS_H
#define MLPDIST_IMPORT_ONNX_ACTIVATIONS_H

#include "import/import_onnx_build.h"

/* Forms are activations, and these parts of some. */
enum {
  FORM_TANH_SOFTPLUS = MLPD_NUM_ACTIVATIONS, /* of mish */
  FORM_ERF,                                  /* erf(z / sqrt(2)), of gelu */
  FORM_TANH_CUBIC,                           /* tanh(sqrt(2 / pi) (z + 0.044715 z^3)), of gelu-tanh */
  FORM_HARD_SIGMOID,                         /* of hardswish */
  FORM_ABS,                                  /* |z|, of softsign */
  FORM_PART,                                 /* of a norm (import_onnx_norms.h) */
  FORM_PAIR,                                 /* 1 - p and p of two classes, p = sigmoid(z) (import_onnx_classes.h) */
  FORM_LOG_SOFTMAX,                          /* of the output alone, whose probabilities the model predicts */
  FORM_LABEL,                                /* the class of the largest value */
  FORM_NONE
};

/* z times a part of an activation: which activation that is, and by which factor it is larger; FORM_NONE: none. */
int import_complete(const import_builder *b, const import_value *part, double *times);

/* z times an activation of factor z + shift, which are another stage's: z sigmoid(c z) is a silu, z relu6(z + 3) a
 * hardswish. *made: the node's value; NULL: it is something else. */
mlpd_status import_complete_scaled(import_builder *b, const import_value *z, const import_value *part,
                                   import_value **made);

/* The node divides v by w, a value of FORM_ABS: z / (1 + |z|) is a softsign. */
mlpd_status import_quotient_of_abs(import_builder *b, const import_value *v, const import_value *w);

/* The node applies this form to its input. */
mlpd_status import_activate(import_builder *b, int form);

/* The node is this operator, with the parameters that our activations have. */
mlpd_status import_leaky_relu(import_builder *b);
mlpd_status import_prelu(import_builder *b);
mlpd_status import_celu(import_builder *b);
mlpd_status import_swish(import_builder *b);
mlpd_status import_gelu(import_builder *b);
mlpd_status import_log(import_builder *b);
mlpd_status import_elu(import_builder *b);
mlpd_status import_selu(import_builder *b);
mlpd_status import_hard_sigmoid(import_builder *b);
mlpd_status import_softmax(import_builder *b);
mlpd_status import_tanh(import_builder *b);
mlpd_status import_erf_of_gelu(import_builder *b);
mlpd_status import_abs(import_builder *b);
mlpd_status import_clip(import_builder *b);
mlpd_status import_where(import_builder *b);

#endif
