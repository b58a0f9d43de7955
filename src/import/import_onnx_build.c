#include "import/import_onnx_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "import/import_onnx_activations.h"
#include "import/onnx_constant.h"
#include "import/onnx_external.h"

void import_builder_free(import_builder *b) {
  for (uint32_t i = 0; i < b->num_stages; i++) {
    free(b->stages[i].factor);
    free(b->stages[i].shift);
    free(b->stages[i].weight);
    free(b->stages[i].bias);
    free(b->stages[i].low);
    free(b->stages[i].high);
    free(b->stages[i].slope);
  }
  for (uint32_t i = 0; i < b->num_values; i++) {
    free(b->values[i].factor);
    free(b->values[i].shift);
  }
  free(b->stages);
  free(b->values);
  name_list_free(&b->classes);
}

/* Every stage has a product or a value of its own, and every value a node: that bounds both lists. */
mlpd_status import_builder_create(const onnx_file *file, import_builder *b) {
  const size_t most = 4 * (size_t)file->num_nodes + 2;
  *b = (import_builder){.file = file};
  TRY(onnx_external_size(file, &b->bytes));
  b->bytes += file->graph.count;
  TRY(memory_allocate(&b->stages, most, sizeof *b->stages, "layers"));
  return memory_allocate(&b->values, most, sizeof *b->values, "layers");
}

mlpd_status import_refuse(const import_builder *b, const char *why) {
  return FAIL(MLPD_ERROR_DATA,
              "operator %.*s, which makes %.*s, %s; import takes dense layers (Gemm, MatMul) and activations",
              (int)b->node->op.count, b->node->op.bytes, (int)b->node->output.count, b->node->output.bytes, why);
}

bool import_is_foreign(const onnx_node *node) {
  static const char *const known[] = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (protobuf_slice_is(node->domain, known[i])) return false;
  return true;
}

static mlpd_status refuse_foreign(const import_builder *b) {
  char why[200];
  if (b->file->has_functions)
    return import_refuse(b,
                         "is a function of the file: have it written out, in Python, by onnx 1.15 or later: "
                         "onnx.save(onnx.inliner.inline_local_functions(onnx.load(\"net.onnx\")), \"flat.onnx\")");
  (void)snprintf(why, sizeof why, "is of the domain %.*s, which import does not know",
                 (int)(b->node->domain.count < 100 ? b->node->domain.count : 100), b->node->domain.bytes);
  text_make_printable(why);
  return import_refuse(b, why);
}

mlpd_status import_refuse_unknown(const import_builder *b) {
  if (import_is_foreign(b->node)) return refuse_foreign(b);
  static const char *const activations[] = {"Shrink", "ThresholdedRelu", "Hardmax", "Sin", "Cos"};
  for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
    if (protobuf_slice_is(b->node->op, activations[i]))
      return import_refuse(b,
                           "is an activation that mlpdist does not have: train the network again with another, such "
                           "as tanh");
  return import_refuse(b, "is not known here");
}

mlpd_status import_claim(import_builder *b, uint64_t numbers) {
  static const uint64_t FEW = UINT64_C(1) << 23, PER_BYTE = 16;
  b->numbers += numbers; /* each below 2^32, of at most a few for each node */
  if (b->numbers <= FEW + PER_BYTE * b->bytes) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA,
              "the file is damaged or forged: its %u operators would need %llu MiB for weights of %llu "
              "bytes",
              b->file->num_nodes, (unsigned long long)(b->numbers >> 17), (unsigned long long)b->bytes);
}

/* ---- Values and stages ------------------------------------------------------------------------------- */

uint32_t import_width_of(const import_builder *b, const import_value *v) { return b->stages[v->stage].width; }

bool import_is_bare(const import_builder *b, const import_value *v) {
  return import_all_equal(import_width_of(b, v), v->factor, 1) && import_all_equal(import_width_of(b, v), v->shift, 0);
}

bool import_is_z(const import_builder *b, const import_value *v) {
  return v->form == MLPD_IDENTITY && import_is_bare(b, v);
}

import_value *import_find_value(const import_builder *b, protobuf_slice name) {
  for (uint32_t i = b->num_values; i > 0; i--)
    if (protobuf_slices_equal(b->values[i - 1].name, name)) return &b->values[i - 1];
  return NULL;
}

mlpd_status import_add_value(import_builder *b, protobuf_slice name, uint32_t of, int form, import_value **made) {
  const uint32_t width = b->stages[of].width;
  TRY(import_claim(b, 2 * (uint64_t)width));
  *made = &b->values[b->num_values++];
  **made = (import_value){.name = name, .stage = of, .form = form};
  TRY(memory_allocate(&(*made)->factor, width, sizeof(double), "layers"));
  TRY(memory_allocate(&(*made)->shift, width, sizeof(double), "layers"));
  for (uint32_t j = 0; j < width; j++) (*made)->factor[j] = 1;
  return MLPD_OK;
}

mlpd_status import_copy_value(import_builder *b, const import_value *v, import_value **made) {
  TRY(import_add_value(b, b->node->output, v->stage, v->form, made));
  memcpy((*made)->factor, v->factor, import_width_of(b, v) * sizeof(double));
  memcpy((*made)->shift, v->shift, import_width_of(b, v) * sizeof(double));
  return MLPD_OK;
}

/* v is a value of an activation or of none. */
static mlpd_status begin_stage(import_builder *b, const import_value *v, uint32_t width, import_stage **made) {
  TRY(import_claim(b, 2 * (uint64_t)import_width_of(b, v)));
  *made = &b->stages[b->num_stages++];
  **made = (import_stage){.width = width, .from = v->stage, .form = v->form};
  TRY(memory_allocate(&(*made)->factor, import_width_of(b, v), sizeof(double), "layers"));
  TRY(memory_allocate(&(*made)->shift, import_width_of(b, v), sizeof(double), "layers"));
  memcpy((*made)->factor, v->factor, import_width_of(b, v) * sizeof(double));
  memcpy((*made)->shift, v->shift, import_width_of(b, v) * sizeof(double));
  return MLPD_OK;
}

mlpd_status import_settle_form(import_builder *b, import_value *v) {
  import_stage *made = NULL;
  if (v->form != FORM_HARD_SIGMOID) return MLPD_OK;
  const uint32_t n = import_width_of(b, v);
  import_value z = {.stage = v->stage, .form = MLPD_IDENTITY};
  TRY(memory_allocate(&z.factor, 2 * (size_t)n, sizeof *z.factor, "layers"));
  z.shift = z.factor + n;
  for (uint32_t j = 0; j < n; j++) {
    z.factor[j] = 1;
    z.shift[j] = 3;
  }
  const mlpd_status status = begin_stage(b, &z, n, &made);
  free(z.factor);
  TRY(status);
  v->stage = b->num_stages - 1;
  v->form = MLPD_RELU6;
  for (uint32_t j = 0; j < n; j++) v->factor[j] /= 6;
  return MLPD_OK;
}

mlpd_status import_add_stage(import_builder *b, import_value *v, uint32_t width, import_stage **made) {
  TRY(import_settle_form(b, v));
  if (v->form == FORM_LOG_SOFTMAX)
    return import_refuse(b, "takes the logarithm of a softmax, which only ends a network");
  if (v->form == FORM_ABS)
    return import_refuse(b,
                         "follows |z|, an activation that mlpdist does not have: train the network again with another, "
                         "such as tanh");
  if (v->form >= MLPD_NUM_ACTIVATIONS) return import_refuse(b, "uses a part of an incomplete activation");
  return begin_stage(b, v, width, made);
}

mlpd_status import_settle(import_builder *b, import_value *v) {
  import_stage *made = NULL;
  const uint32_t width = import_width_of(b, v);
  if (import_is_z(b, v)) return MLPD_OK;
  TRY(import_add_stage(b, v, width, &made));
  v->stage = b->num_stages - 1;
  v->form = MLPD_IDENTITY;
  for (uint32_t j = 0; j < width; j++) {
    v->factor[j] = 1;
    v->shift[j] = 0;
  }
  return MLPD_OK;
}

mlpd_status import_take_value(import_builder *b, uint32_t i, import_value **v) {
  *v = i < b->node->num_inputs ? import_find_value(b, b->node->inputs[i]) : NULL;
  return *v != NULL ? MLPD_OK : import_refuse(b, "uses a value that import cannot follow");
}

mlpd_status import_take_numbers(const import_builder *b, uint32_t i, uint32_t n, double **numbers) {
  onnx_constant c = {0};
  bool found = false;
  if (i < b->node->num_inputs) TRY(onnx_constant_read(b->file, b->node->inputs[i], &found, &c));
  if (!found || (c.count != 1 && c.count != n)) {
    free(c.values);
    return import_refuse(
        b, found ? "uses a constant whose width is not that of the values" : "uses a value that is not constant");
  }
  *numbers = c.values;
  if (c.count == n) return MLPD_OK;
  const double one = c.values[0];
  free(c.values);
  TRY(memory_allocate(numbers, n, sizeof **numbers, "layers"));
  for (uint32_t j = 0; j < n; j++) (*numbers)[j] = one;
  return MLPD_OK;
}
