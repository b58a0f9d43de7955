/* The model that our own export describes in the metadata of an ONNX file. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_DESCRIBED_H
#define MLPDIST_IMPORT_ONNX_DESCRIBED_H

#include "import/onnx_read.h"
#include "model/model.h"

/* Stores the model, its weights from the constants of the graph. It is accepted if the graph that this model exports
 * is the one in the file: operators byte by byte, arrays by their numbers, which may lie in data files. Then the file
 * predicts what the model does. Other weights of the same shapes may have been put into the graph. *model stays NULL if
 * the file has no description; MLPD_ERROR_DATA: its description does not fit the graph, which another program has
 * written. */
mlpd_status import_onnx_described(const onnx_file *file, mlpd_model **model);

#endif
