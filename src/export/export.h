/* Export: a model in a format of others, with everything that a prediction needs. The file of a format writes to a
 * stream; whoever opened it looks at the stream's error flag. Nothing here is collective. */
#ifndef MLPDIST_EXPORT_H
#define MLPDIST_EXPORT_H

#include <stdio.h>

#include "base/protobuf.h"
#include "model/model.h"

/* model: with the network of export_fold. digest: of the network as it was trained. path: where the output will lie,
 * for names in it. */
typedef mlpd_status export_writer(const mlpd_model *model, const char *digest, const char *path, FILE *stream);

export_writer export_json, export_npz, export_c, export_c_header, export_onnx;

/* What export_json writes. whole: with all tensors; else without those that a graph of ONNX holds as they are. */
mlpd_status export_describe(const mlpd_model *model, const char *digest, bool whole, FILE *stream);

/* Does a graph of ONNX hold the tensors of such a layer as they are, under names such as layer_2_bias? (The weights of
 * a dense layer are transposed there.) */
bool export_onnx_holds(const layer *shape);

/* Adds to made (ModelProto) the graph that export_onnx writes. */
mlpd_status export_onnx_graph(const mlpd_model *model, protobuf *made);

/* The options of the model's training, without those that name files, and without batch norms and scales that
 * export_fold took out of the network; NULL: the model has none. To be freed. */
mlpd_status export_config(const mlpd_model *model, char **config);

/* Makes a network with the same outputs as this one outside of training: layers that do nothing then are left out, and
 * products take over the batch norms and scales beside them. */
mlpd_status export_fold(const mlpd_network *network, mlpd_network **made);

/* Tensor i of layer l without gaps between rows, to be freed. */
mlpd_status export_values(const mlpd_network *network, uint32_t l, uint32_t i, float **values);

/* "classes", "targets": what the names of the outputs are; NULL: there are none. */
const char *export_outputs(const mlpd_model *model, const name_list **names);

/* Are some inputs of the network made from categories, or tell that a value is missing? Then model->codes counts. */
static inline bool export_has_codes(const mlpd_model *model) { return !column_codes_plain(&model->codes); }

/* What stands for a missing number; 0 where nothing does. */
double export_fill(const mlpd_model *model, uint32_t column);

/* Text of model files as UTF-8, to be freed; NULL: out of memory. */
char *export_utf8(const char *text);

/* Text of model files as a string of JSON. */
void export_json_text(FILE *stream, const char *text);

#endif
