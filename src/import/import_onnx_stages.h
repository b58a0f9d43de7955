/* What a graph of ONNX is taken apart into: values, and the stages that they are of (import_onnx.c). Nothing here is
 * collective. */
#ifndef MLPDIST_IMPORT_ONNX_STAGES_H
#define MLPDIST_IMPORT_ONNX_STAGES_H

#include "base/protobuf_read.h"
#include "import/import.h"

enum { INPUT_STAGE = 0 };

typedef struct import_value {
  protobuf_slice name;
  uint32_t stage;
  int form;
  double *factor, *shift; /* (width of the stage) */
} import_value;

/* z of a stage: the value x that it begins with, times weights if it has any, plus biases; or what became of it by
 * `epsilon`, `limit`, `low` and `high`, `slope`. */
typedef struct import_stage {
  uint32_t width, from;   /* from: the stage of its value */
  int form;               /* of its value */
  double *factor, *shift; /* (width of `from`), of its value */
  double *weight, *bias;  /* (width of `from`, width), (width); NULL: no product, none */
  double epsilon;         /* above 0: (x - mean) / sqrt(variance + epsilon) over a row */
  bool is_rms;            /* with epsilon: x / sqrt(mean of x^2 + epsilon) */
  double limit;           /* above 0: x / sqrt(1 + (x / limit)^2) */
  double *low, *high;     /* (width) x within these, some of them infinite; NULL: none */
  double *slope;          /* (width) x if x > 0 else slope x; NULL: none */
} import_stage;

/* Are n values this one, to 1e-6 of it? */
bool import_all_equal(uint32_t n, const double *values, double wanted);

/* The layers that lead from the input to this value, in the chain. A stage begins with a value of one before it. */
mlpd_status import_onnx_layers(const import_stage *stages, const import_value *output, import_chain *chain);

#endif
