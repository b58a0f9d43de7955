/* Agreement: at the start of a run the ranks compare what must be alike for their work to be one run. */
#ifndef MLPDIST_AGREEMENT_H
#define MLPDIST_AGREEMENT_H

#include "kernels/backend.h"

/* What a rank starts with. Texts are borrowed. */
typedef struct agreement {
  const char *build;        /* version, compiler, libraries, hash of the code */
  const char *backend;      /* library and version */
  const char *instructions; /* the instruction set it computes with; "" where its bits do not depend on it */
  const char *options;      /* a line "key = value" each */
} agreement;

enum { AGREEMENT_NOTICE_BYTES = 512 };

/* Compares this rank's texts with rank 0's: 32 bytes a rank where all are alike. Another build, back end or option
 * is MLPD_ERROR_USAGE, and the message names rank and host, its value and rank 0's. Another instruction set makes
 * notice (AGREEMENT_NOTICE_BYTES) one line on all ranks, else it is "". Collective. */
mlpd_status agreement_check(mlpd_comm *comm, const agreement *mine, const char *pin, char *notice);

/* The same of this process, with the back end taken and options (lines "key = value"). Collective. */
mlpd_status agreement_of_process(mlpd_comm *comm, const backend *gemm, const char *options, char *notice);

#endif
