/* The ranks of a training run compare their options. */
#ifndef MLPDIST_TRAIN_AGREEMENT_H
#define MLPDIST_TRAIN_AGREEMENT_H

#include "ranks/agreement.h"

/* agreement_of_process before a training run, with all options that the ranks must have in common. Not paths on a node,
 * threads, or what rank 0 alone acts on. notice also "" where the options promise nothing of bits. Collective. */
mlpd_status train_agreement_check(mlpd_comm *comm, const backend *gemm, const mlpd_train_options *options,
                                  char *notice);

#endif
