/* Shapes that an ONNX graph computes: x.view(x.size(0), -1) of PyTorch takes the number of rows from the shape of a
 * value. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_SHAPE_H
#define MLPDIST_IMPORT_ONNX_SHAPE_H

#include "import/import_onnx_build.h"

/* The node makes a part of a shape: it takes no value but the one whose shape it is. */
mlpd_status import_shape_part(import_builder *b);

/* Is this a shape (rows, width) or (rows, -1), with the number of rows of a value? */
mlpd_status import_keeps_rows(const import_builder *b, protobuf_slice shape, uint32_t width, bool *keeps);

#endif
