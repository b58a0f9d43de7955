/* Agreement: at the start of a run the ranks check that they run the same program with the same options. */
#ifndef MLPDIST_AGREEMENT_H
#define MLPDIST_AGREEMENT_H

#include "kernels/backend.h"

/* What the ranks compare. Texts are borrowed. */
typedef struct agreement {
  const char *build;        /* version, compiler, libraries, hash of the code */
  const char *backend;      /* library and version */
  const char *instructions; /* the instruction set in use; "" if the resulting bits do not depend on it */
  const char *options;      /* lines "key = value" */
} agreement;

enum { AGREEMENT_NOTICE_BYTES = 512 };

/* Compares this rank's texts with rank 0's; if all are equal, this takes 32 bytes per rank. A different build, back end
 * or option is MLPD_ERROR_USAGE; the message names rank and host, its value and rank 0's. If instruction sets differ,
 * notice (AGREEMENT_NOTICE_BYTES) becomes one line, equal on all ranks, which recommends `pin`; else "". Collective. */
mlpd_status agreement_check(mlpd_comm *comm, const agreement *mine, const char *pin, char *notice);

/* The same for this process, with its back end and options (lines "key = value"). Collective. */
mlpd_status agreement_of_process(mlpd_comm *comm, const backend *gemm, const char *options, char *notice);

#endif
