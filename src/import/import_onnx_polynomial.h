/* Products and sums of values that are polynomials, such as the argument of gelu's tanh, however it is written. Nothing
 * here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_POLYNOMIAL_H
#define MLPDIST_IMPORT_ONNX_POLYNOMIAL_H

#include "import/import_onnx_build.h"

enum { POLYNOMIAL_TERMS = 4 };

/* term[0] + term[1] z + term[2] z^2 + term[3] z^3 of the z of a stage. */
typedef struct import_polynomial {
  bool known; /* else the value is something else */
  uint32_t stage;
  double term[POLYNOMIAL_TERMS];
} import_polynomial;

/* What the node at work makes. */
mlpd_status import_node_polynomial(import_builder *b, import_polynomial *p);

/* Is input 0 of the node sqrt(2 / pi) (z + 0.044715 z^3) of a stage's z? */
mlpd_status import_find_cubic(import_builder *b, bool *found, uint32_t *stage);

#endif
