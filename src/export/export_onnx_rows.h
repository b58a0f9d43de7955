/* Export to ONNX: how raw rows become inputs of the network, and its outputs values of the targets; and what the file
 * tells about both. Nothing here is collective. */
#ifndef MLPDIST_EXPORT_ONNX_ROWS_H
#define MLPDIST_EXPORT_ONNX_ROWS_H

#include "data/column_curves.h"
#include "export/onnx_graph.h"
#include "model/model.h"

/* How the inputs follow from the columns, an element for each input. */
typedef struct onnx_inputs {
  uint32_t width;
  int64_t *source;                            /* its column */
  double *fill, *shift, *scale, *code, *room; /* room (2 width) */
  unsigned char *is_number;                   /* else it is 1 where the column is `code`, and 0 */
} onnx_inputs;

/* Of raw columns or targets: float, or double where some column's values differ so little from one another beside their
 * size, or its curve is so steep, that float would lose digits that matter. */
onnx_type export_onnx_type(const affine *a);

/* From x (n, columns), codes in the place of categories, to inputs of the network. */
mlpd_status export_onnx_input(onnx_graph *g, const mlpd_model *model, const char *x);

/* Raw values (n, inputs) become normal scores, as doubles; those of inputs without a curve (x - shift) scale. */
mlpd_status export_onnx_curves(onnx_graph *g, const column_curves *c, const onnx_inputs *of);

/* These columns of the value, in this order. */
void export_onnx_gather(onnx_graph *g, const char *name, uint32_t count, const int64_t *columns);

/* Columns that a layer takes in the graph: where it embeds codes, one for each category, and one for each other input.
 */
uint32_t export_onnx_columns(const layer *of);

/* What passes through a layer of several values of each number: its input x becomes 0, ..., 0, x; others stay. */
mlpd_status export_onnx_passed(onnx_graph *g, const layer *of);

/* Layer l, of kind periodic, of a member: of each cosine its number, of each output its input; cosines times weights,
 * and what passes through. */
mlpd_status export_onnx_numbers(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t member);

/* Layer l, of kind piecewise, of a member: of each bin its number, of each output its input; parts of bins times
 * weights, and what passes through. */
mlpd_status export_onnx_bins(onnx_graph *g, const mlpd_network *network, uint32_t l, uint32_t member);

/* From outputs of the network to means, quantiles, deviations in the units of the targets: of a regression. */
mlpd_status export_onnx_targets(onnx_graph *g, const mlpd_model *model);

/* Digest, task, loss and names, as the file's metadata. */
mlpd_status export_onnx_about(protobuf *to, const mlpd_model *model, const char *digest);

#endif
