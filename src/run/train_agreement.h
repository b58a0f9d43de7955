/* The ranks of a training run compare their options. */
#ifndef MLPDIST_TRAIN_AGREEMENT_H
#define MLPDIST_TRAIN_AGREEMENT_H

#include "ranks/agreement.h"

/* agreement_of_process before a training run, with all options that must be equal on all ranks: not paths on a node,
 * threads, or options that only rank 0 uses. notice is also "" if the options promise no equal bits. Collective. */
mlpd_status train_agreement_check(mlpd_comm *comm, const backend *gemm, const mlpd_train_options *options,
                                  char *notice);

#endif
