/* The line with which export and import end. */
#ifndef MLPDIST_PROGRAM_WRITTEN_H
#define MLPDIST_PROGRAM_WRITTEN_H

#include "mlpdist.h"

/* The format of a file by its extension: "ONNX"; of another extension "". */
const char *written_format(const char *path);

/* Prints what was written to path: "net.onnx: ONNX, 38.2 KB, network 64-128-10, 9610 parameters, 10 classes"; of C also
 * its header: "net.c and net.h: C, ...", with the size of net.c. */
void written_print(const char *path, const char *format, mlpd_model *model);

#endif
