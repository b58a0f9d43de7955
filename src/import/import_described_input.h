/* The parts "input" and "output" of the description of a model, and its values. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_DESCRIBED_INPUT_H
#define MLPDIST_IMPORT_DESCRIBED_INPUT_H

#include <jansson.h>

#include "model/model.h"

/* MLPD_ERROR_DATA: something is missing or cannot be. */
mlpd_status described_fault(const char *what);

/* A member of an object: a whole number above 0, and the name of a choice. */
mlpd_status described_count(const json_t *from, const char *key, uint32_t *count);
mlpd_status described_choice(const json_t *from, const char *key, const mlpd_choice *choices, int *value);

/* A list of `count` finite numbers. */
mlpd_status described_numbers(const json_t *list, size_t count, double *values);

/* Columns, their normalisation and names; after the task. */
mlpd_status described_input(const json_t *input, mlpd_model *model);

/* The scaling and range of targets, and names of targets and classes. */
mlpd_status described_output(const json_t *output, mlpd_model *model);

#endif
