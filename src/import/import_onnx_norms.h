/* Operators of ONNX that together are a layer norm or an RMS norm, the squashing of inputs, a squareplus, or bounds of
 * values: how they become ours again. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_NORMS_H
#define MLPDIST_IMPORT_ONNX_NORMS_H

#include "import/import_onnx_build.h"

/* LayerNormalization of operator set 17, RMSNormalization of 23. */
mlpd_status import_layer_norm(import_builder *b);

/* The node makes a part of a norm, of which nothing is known before the last operator: a mean, a square, a root. */
mlpd_status import_part(import_builder *b);

/* The node divides one value by another: the last operator of a norm, or of the squashing of inputs. */
mlpd_status import_quotient(import_builder *b);

/* The node multiplies a value by a part: x times 1 / sqrt(mean of x^2 + epsilon), a norm, or a polynomial. */
mlpd_status import_product_with_part(import_builder *b);

/* The node adds one value to another: z + sqrt(z^2 + 4), which is twice a squareplus, or a polynomial. */
mlpd_status import_sum(import_builder *b);

/* Max and Min of a value and constants; Clip (import_onnx_activations.h) with other bounds than those of activations.
 * low, high (width), owned by the stage from then on, also on failure; NULL: no bound. */
mlpd_status import_max(import_builder *b);
mlpd_status import_min(import_builder *b);
mlpd_status import_bound(import_builder *b, import_value *v, double *low, double *high);

#endif
