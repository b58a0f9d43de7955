/* The ranks that evaluate or predict compare their models. */
#ifndef MLPDIST_MODEL_AGREEMENT_H
#define MLPDIST_MODEL_AGREEMENT_H

#include "kernels/backend.h"

/* Are the arguments there that a function for a model's work cannot do without? result is where what it finds goes.
 * Collective. */
mlpd_status model_check_call(mlpd_comm *comm, const char *function, const mlpd_model *model,
                             const mlpd_data_paths *data, const void *result, const char *result_name);

/* agreement_of_process before a model computes on a part; model must be one model. Collective. */
mlpd_status model_agreement_check(mlpd_comm *comm, const backend *gemm, const mlpd_model *model,
                                  const mlpd_data_paths *data, mlpd_split split);

#endif
