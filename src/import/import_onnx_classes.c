#include "import/import_onnx_classes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "import/import_onnx_activations.h"
#include "import/import_onnx_shape.h"
#include "import/onnx_attribute.h"
#include "import/onnx_constant.h"

static bool is_plain_value(const import_value *v) { return v->form < MLPD_NUM_ACTIVATIONS; }

static mlpd_status pass_value(import_builder *b, const import_value *v) {
  import_value *made = NULL;
  return import_copy_value(b, v, &made);
}

mlpd_status import_arg_max(import_builder *b) {
  int64_t axis;
  import_value *v = NULL, *made = NULL;
  TRY(import_take_value(b, 0, &v));
  TRY(onnx_attribute_integer(b->node, "axis", 0, &axis));
  if (axis != 1 && axis != -1) return import_refuse(b, "is along another axis than the classes");
  const bool is_log = v->form == FORM_LOG_SOFTMAX; /* the largest is that of the probabilities */
  if (!((is_plain_value(v) || is_log) && import_width_of(b, v) > 1) && v->form != FORM_PAIR)
    return import_refuse(b, "is of something else than the values of classes");
  b->labelled = v;
  return import_add_value(b, b->node->output, v->stage, FORM_LABEL, &made);
}

mlpd_status import_feature_extractor(import_builder *b) {
  import_value *const v = b->node->num_inputs > 1 ? import_find_value(b, b->node->inputs[1]) : NULL;
  if (v == NULL || v->form != FORM_LABEL) return import_refuse(b, "takes something else than the names of classes");
  name_list_free(&b->classes);
  TRY(onnx_constant_texts(b->file, b->node->inputs[0], &b->classes));
  return pass_value(b, v);
}

/* Rows as maps from class to probability. */
mlpd_status import_zip_map(import_builder *b) {
  import_value *v = NULL;
  TRY(import_take_value(b, 0, &v));
  if (!is_plain_value(v) && v->form != FORM_PAIR) return import_refuse(b, "is of something else than probabilities");
  name_list_free(&b->classes);
  TRY(onnx_attribute_texts(b->node, "classlabels_int64s", &b->classes));
  TRY(onnx_attribute_texts(b->node, "classlabels_strings", &b->classes));
  return pass_value(b, v);
}

static bool takes_values(const import_builder *b) {
  for (uint32_t i = 0; i < b->node->num_inputs; i++)
    if (import_find_value(b, b->node->inputs[i]) != NULL) return true;
  return false;
}

/* The probability of the first of two classes, 1 - p, before that of the second, p. */
mlpd_status import_concat(import_builder *b) {
  import_value *first = NULL, *second = NULL, *made = NULL;
  int64_t axis;
  if (!takes_values(b)) return MLPD_OK; /* parts of a shape */
  TRY(onnx_attribute_integer(b->node, "axis", 1, &axis));
  TRY(import_take_value(b, 0, &first));
  TRY(import_take_value(b, 1, &second));
  const bool is_pair = b->node->num_inputs == 2 && (axis == 1 || axis == -1) && first->stage == second->stage &&
                       import_width_of(b, second) == 1 && first->form == MLPD_SIGMOID && second->form == MLPD_SIGMOID &&
                       first->factor[0] == -1 && first->shift[0] == 1 && import_is_bare(b, second);
  if (!is_pair) return import_refuse(b, "joins something else than the probabilities 1 - p and p of two classes");
  return import_add_value(b, b->node->output, second->stage, FORM_PAIR, &made);
}

/* Is this the shape of all rows? A graph for a fixed number of rows may name it. */
static bool is_rows(const import_builder *b, const double to[2], double width) {
  const bool is_all = to[0] == 0 || (b->file->rows > 0 && to[0] == (double)b->file->rows);
  return (to[0] == -1 && to[1] == width) || (is_all && (to[1] == -1 || to[1] == width));
}

/* To rows of as many values as they have; of labels and of single values, in any shape. */
mlpd_status import_reshape(import_builder *b) {
  import_value *v = NULL;
  onnx_constant shape = {0};
  bool found = false, keeps_rows = false;
  if (!takes_values(b)) return MLPD_OK; /* a part of a shape */
  TRY(import_take_value(b, 0, &v));
  if (b->node->num_inputs > 1) TRY(onnx_constant_read(b->file, b->node->inputs[1], &found, &shape));
  if (b->node->num_inputs > 1 && !found)
    TRY(import_keeps_rows(b, b->node->inputs[1], import_width_of(b, v), &keeps_rows));
  const double width = import_width_of(b, v), *const to = shape.values;
  const bool is_row = v->form != FORM_PAIR && (keeps_rows || (found && shape.count == 2 && is_rows(b, to, width)));
  const bool is_one = v->form != FORM_PAIR && found && width == 1 && shape.count == 1 && to[0] == -1;
  free(shape.values);
  return is_row || is_one || v->form == FORM_LABEL ? pass_value(b, v) : import_refuse(b, "changes the width of rows");
}

mlpd_status import_squeeze(import_builder *b) {
  import_value *v = NULL;
  if (!takes_values(b)) return MLPD_OK; /* a part of a shape */
  TRY(import_take_value(b, 0, &v));
  const bool is_one = is_plain_value(v) && import_width_of(b, v) == 1;
  return is_one || v->form == FORM_LABEL ? pass_value(b, v) : import_refuse(b, "changes the width of rows");
}

mlpd_status import_choose_output(import_builder *b, import_value **output) {
  const onnx_file *const file = b->file;
  import_value *const first = import_find_value(b, file->outputs[0]);
  import_value *const second = file->num_outputs > 1 ? import_find_value(b, file->outputs[1]) : NULL;
  const bool is_label = first != NULL && first->form == FORM_LABEL;
  if (file->num_outputs > 1 && (second == NULL || is_label == (second->form == FORM_LABEL)))
    return FAIL(
        MLPD_ERROR_DATA, "the graph has several outputs, such as %.*s and %.*s; import takes one, and labels beside it",
        (int)file->outputs[0].count, file->outputs[0].bytes, (int)file->outputs[1].count, file->outputs[1].bytes);
  *output = !is_label ? first : second != NULL ? second : b->labelled;
  if (*output == NULL) return FAIL(MLPD_ERROR_DATA, "no operator makes its output");
  if ((*output)->form == FORM_PAIR) (*output)->form = MLPD_SIGMOID;
  if ((*output)->form == FORM_LOG_SOFTMAX) (*output)->form = MLPD_SOFTMAX; /* predict gives the probabilities */
  return MLPD_OK;
}
