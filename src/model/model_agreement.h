/* Ranks that evaluate or predict compare their models. */
#ifndef MLPDIST_MODEL_AGREEMENT_H
#define MLPDIST_MODEL_AGREEMENT_H

#include "kernels/backend.h"

/* MLPD_ERROR_USAGE on all ranks if an argument that evaluation or prediction needs is NULL on some rank. function and
 * result_name are for the message. Collective. */
mlpd_status model_check_call(mlpd_comm *comm, const char *function, const mlpd_model *model,
                             const mlpd_data_paths *data, const void *result, const char *result_name);

/* agreement_of_process before a model is used on a part; also fails if the ranks have different models or are asked for
 * different things: "eval", "predict". Collective. */
mlpd_status model_agreement_check(mlpd_comm *comm, const backend *gemm, const mlpd_model *model,
                                  const mlpd_data_paths *data, mlpd_split split, const char *asked);

#endif
