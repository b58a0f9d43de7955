#include "import/import_onnx_polynomial.h"

#include <math.h>
#include <stdlib.h>

#include "import/import_onnx_activations.h"
#include "import/onnx_constant.h"

/* Values that one search looks at (gelu needs 11), and all of a file: each costs a walk over its nodes. */
enum { MOST_LOOKS = 24, MOST_LOOKS_OF_FILE = 50000 };

static const uint32_t NO_STAGE = UINT32_MAX; /* of a number */

static import_polynomial of_number(double number) {
  return (import_polynomial){.known = true, .stage = NO_STAGE, .term = {number}};
}

/* f z + s, if all columns have the same f and s. */
static import_polynomial of_value(const import_builder *b, const import_value *v) {
  const uint32_t n = import_width_of(b, v);
  if (v->form != MLPD_IDENTITY || !import_all_equal(n, v->factor, v->factor[0]) ||
      !import_all_equal(n, v->shift, v->shift[0]))
    return (import_polynomial){0};
  return (import_polynomial){.known = true, .stage = v->stage, .term = {v->shift[0], v->factor[0]}};
}

static import_polynomial product(const import_polynomial *p, const import_polynomial *q) {
  import_polynomial made = of_number(0);
  for (int i = 0; i < POLYNOMIAL_TERMS; i++)
    for (int j = 0; j < POLYNOMIAL_TERMS; j++) {
      const double term = p->term[i] * q->term[j];
      if (i + j < POLYNOMIAL_TERMS)
        made.term[i + j] += term;
      else if (term != 0)
        made.known = false;
    }
  return made;
}

static import_polynomial sum(const import_polynomial *p, const import_polynomial *q, double sign) {
  import_polynomial made = of_number(0);
  for (int i = 0; i < POLYNOMIAL_TERMS; i++) made.term[i] = p->term[i] + sign * q->term[i];
  return made;
}

static import_polynomial power(const import_polynomial *p, double exponent) {
  const import_polynomial square = product(p, p);
  if (!square.known || (exponent != 2 && exponent != 3)) return (import_polynomial){0};
  return exponent == 2 ? square : product(&square, p);
}

static import_polynomial combine(const onnx_node *node, const import_polynomial *p, const import_polynomial *q) {
  import_polynomial made = {0};
  if (protobuf_slice_is(node->op, "Mul")) made = product(p, q);
  if (protobuf_slice_is(node->op, "Add")) made = sum(p, q, 1);
  if (protobuf_slice_is(node->op, "Sub")) made = sum(p, q, -1);
  if (q->stage == NO_STAGE && protobuf_slice_is(node->op, "Pow")) made = power(p, q->term[0]);
  if (q->stage == NO_STAGE && q->term[0] != 0 && protobuf_slice_is(node->op, "Div")) {
    const import_polynomial inverse = of_number(1 / q->term[0]);
    made = product(p, &inverse);
  }
  made.stage = p->stage != NO_STAGE ? p->stage : q->stage;
  if (p->stage != NO_STAGE && q->stage != NO_STAGE && p->stage != q->stage) made.known = false;
  return made;
}

static mlpd_status find(import_builder *b, protobuf_slice name, int *looks, import_polynomial *p);

static mlpd_status find_of_node(import_builder *b, const onnx_node *node, int *looks, import_polynomial *p) {
  import_polynomial first, second;
  *p = (import_polynomial){0};
  if (node->num_inputs != 2) return MLPD_OK;
  TRY(find(b, node->inputs[0], looks, &first));
  if (!first.known) return MLPD_OK;
  TRY(find(b, node->inputs[1], looks, &second));
  if (second.known) *p = combine(node, &first, &second);
  return MLPD_OK;
}

static mlpd_status find(import_builder *b, protobuf_slice name, int *looks, import_polynomial *p) {
  double number;
  *p = (import_polynomial){0};
  if (--*looks < 0 || ++b->looks > MOST_LOOKS_OF_FILE) return MLPD_OK;
  const import_value *const v = import_find_value(b, name);
  if (v != NULL && v->form != FORM_PART) *p = of_value(b, v);
  const onnx_node *const node = v != NULL && v->form == FORM_PART ? onnx_maker(b->file, name) : NULL;
  if (node != NULL) return find_of_node(b, node, looks, p);
  if (v != NULL) return MLPD_OK;
  TRY(onnx_constant_number(b->file, name, &number));
  if (!isnan(number)) *p = of_number(number);
  return MLPD_OK;
}

mlpd_status import_node_polynomial(import_builder *b, import_polynomial *p) {
  int looks = MOST_LOOKS;
  return find_of_node(b, b->node, &looks, p);
}

mlpd_status import_find_cubic(import_builder *b, bool *found, uint32_t *stage) {
  static const double FACTOR = 0.79788456080286536, CUBIC = 0.044715;
  int looks = MOST_LOOKS;
  import_polynomial p;
  TRY(find(b, b->node->inputs[0], &looks, &p));
  *stage = p.stage;
  *found = p.known && p.term[0] == 0 && p.term[2] == 0 && fabs(p.term[1] - FACTOR) < 1e-6 &&
           fabs(p.term[3] - FACTOR * CUBIC) < 1e-6;
  return MLPD_OK;
}
