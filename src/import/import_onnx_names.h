/* What our own export wrote about a model into the metadata of an ONNX file. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_NAMES_H
#define MLPDIST_IMPORT_ONNX_NAMES_H

#include "import/import.h"
#include "import/onnx_read.h"

/* Task, loss and names, where the file has them. */
mlpd_status import_onnx_names(const onnx_file *file, import_chain *chain);

#endif
