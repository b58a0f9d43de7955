/* A graph of ONNX, node by node, as values and stages (import_onnx.c). Nothing here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_BUILD_H
#define MLPDIST_IMPORT_ONNX_BUILD_H

#include "import/import_onnx_stages.h"
#include "import/onnx_read.h"

typedef struct import_builder {
  const onnx_file *file;
  import_stage *stages;
  import_value *values;
  uint32_t num_stages, num_values;
  uint64_t numbers;       /* that stages and values hold so far */
  uint64_t bytes;         /* of the graph and its data files */
  uint32_t looks;         /* at values, in search of polynomials */
  const onnx_node *node;  /* at work */
  import_value *labelled; /* which the graph makes labels of; NULL: none */
  name_list classes;
} import_builder;

/* Free also after a failure. */
mlpd_status import_builder_create(const onnx_file *file, import_builder *b);
void import_builder_free(import_builder *b);

/* MLPD_ERROR_DATA, about the node at work. */
mlpd_status import_refuse(const import_builder *b, const char *why);

/* Is the operator of another domain than those of ONNX? It may do anything, whatever its name. */
bool import_is_foreign(const onnx_node *node);

/* MLPD_ERROR_DATA for the node at work, whose operator is not known, with a cure if there is one. */
mlpd_status import_refuse_unknown(const import_builder *b);

/* Fails for numbers that a network of the file's size would not hold: a forged graph may repeat a wide one. */
mlpd_status import_claim(import_builder *b, uint64_t numbers);

uint32_t import_width_of(const import_builder *b, const import_value *v);

/* Is the value just F(z), just z? */
bool import_is_bare(const import_builder *b, const import_value *v);
bool import_is_z(const import_builder *b, const import_value *v);

/* The value of this name; NULL: none. */
import_value *import_find_value(const import_builder *b, protobuf_slice name);

/* A value F(z) of a stage. */
mlpd_status import_add_value(import_builder *b, protobuf_slice name, uint32_t of, int form, import_value **made);

/* The node's value, with the form, factor and shift of another. */
mlpd_status import_copy_value(import_builder *b, const import_value *v, import_value **made);

/* A stage that begins with v, whose factor and shift it takes over. */
mlpd_status import_add_stage(import_builder *b, import_value *v, uint32_t width, import_stage **made);

/* A hard sigmoid, which is no activation of ours, becomes relu6(z + 3) / 6. */
mlpd_status import_settle_form(import_builder *b, import_value *v);

/* Makes v the z of a stage, its own if need be. */
mlpd_status import_settle(import_builder *b, import_value *v);

/* Input i of the node, which must be a value. */
mlpd_status import_take_value(import_builder *b, uint32_t i, import_value **v);

/* Input i of the node as n numbers (to be freed): one for each, or one for all. */
mlpd_status import_take_numbers(const import_builder *b, uint32_t i, uint32_t n, double **numbers);

#endif
