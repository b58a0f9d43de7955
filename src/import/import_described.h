/* A model from the description that export writes: the JSON of README.md of program, "Export". Nothing here is
 * collective. */
#ifndef MLPDIST_IMPORT_DESCRIBED_H
#define MLPDIST_IMPORT_DESCRIBED_H

#include "model/model.h"

/* Reads the values (rows, columns) of a tensor that the description leaves out. */
typedef mlpd_status described_reader(void *context, const mlpd_network *network, const tensor *t, float *values);

/* text: `bytes` bytes of JSON. read: NULL: a tensor that is left out is a fault. most: bytes that hold the tensors,
 * which bounds what is allocated. The model has no epoch and step, so that another import may replace its file, and its
 * config names no files; all else is what was exported. MLPD_ERROR_DATA for what is no description of a model. */
mlpd_status import_described(const char *text, size_t bytes, size_t most, described_reader *read, void *context,
                             mlpd_model **model);

#endif
