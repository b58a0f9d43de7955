/* Explain: the two examples of `mlpdist explain`. All numbers come out of the library that trains. */
#ifndef MLPDIST_PROGRAM_EXPLAIN_H
#define MLPDIST_PROGRAM_EXPLAIN_H

#include "mlpdist.h"

mlpd_status explain_sigmoid(FILE *stream); /* 3-2-1, sigmoid, one sample: unit after unit */
mlpd_status explain_relu(FILE *stream);    /* 1-2-2, ReLU, three samples: matrix after matrix */

/* One gradient-descent step: before as it was, after it, and the traces of both. */
typedef struct explain_step {
  mlpd_network *before, *after;
  mlpd_trace trace, trace_after;
} explain_step;

/* A network whose layer l holds weights[l] (inputs, outputs) and biases[l] (outputs), taken through one step of rate lr
 * on n samples x, y with loss mse. Free with explain_step_free, also after a failure. */
mlpd_status explain_step_make(uint32_t num_layers, const uint32_t *widths, mlpd_activation activation,
                              const float *const *weights, const float *const *biases, uint64_t n, const float *x,
                              const float *y, float lr, explain_step *step);
void explain_step_free(explain_step *step);

/* value with this many decimals, never as -0.000, in buffer. */
const char *explain_number(double value, int decimals, char buffer[32]);

#endif
