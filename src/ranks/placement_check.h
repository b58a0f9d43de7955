/* How threads and ranks lie on the cores of their machines, and what of it costs speed: told by the system, nothing is
 * measured. No function here is collective unless its comment says so. */
#ifndef MLPDIST_PLACEMENT_CHECK_H
#define MLPDIST_PLACEMENT_CHECK_H

#include "base/status.h"

enum { PLACEMENT_MAX_CORES = 1024, PLACEMENT_MAX_FINDINGS = 8 };

/* Where one rank computes. */
typedef struct rank_place {
  char host[256];
  uint8_t cores[PLACEMENT_MAX_CORES / 8]; /* bit c: its threads may run on core c */
  int32_t threads;
  int32_t bound;     /* cores it was started on, with the quota */
  int32_t physical;  /* physical cores among them; 0: not known */
  int32_t quota;     /* of its control group, cores; 0: none */
  char governor[32]; /* that keeps the clock low; "" where none does */
} rank_place;

typedef struct placement_view {
  int nodes;             /* machines */
  int ranks_on_node;     /* most on one */
  int32_t least_threads; /* of a rank */
  rank_place mine;
  uint32_t num_findings;
  mlpd_finding findings[PLACEMENT_MAX_FINDINGS];
} placement_view;

/* Looks at this rank with its threads and at all others. The view but for mine is equal on all ranks. Collective. */
mlpd_status placement_inspect(mlpd_comm *comm, int threads, placement_view *view);

/* The same of ranks (size) as given. */
void placement_judge(const rank_place *ranks, int size, placement_view *view);

#endif
