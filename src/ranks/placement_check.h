/* Checks how threads and ranks are placed on the cores of their machines, and reports what costs speed. Nothing is
 * measured: the operating system provides the facts. No function here is collective unless its comment says so. */
#ifndef MLPDIST_PLACEMENT_CHECK_H
#define MLPDIST_PLACEMENT_CHECK_H

#include "base/status.h"

enum { PLACEMENT_MAX_CORES = 1024, PLACEMENT_MAX_FINDINGS = 8 };

/* The placement of one rank. */
typedef struct rank_place {
  char host[256];
  uint8_t cores[PLACEMENT_MAX_CORES / 8]; /* bit c: its threads may run on core c */
  int32_t threads;
  int32_t bound;     /* cores that it may use, at most the quota */
  int32_t physical;  /* physical cores among them; 0: not known */
  int32_t quota;     /* CPU quota of its control group, in cores; 0: none */
  char governor[32]; /* a frequency governor that keeps the clock low, or "" */
} rank_place;

typedef struct placement_view {
  int nodes;             /* number of machines */
  int ranks_on_node;     /* most ranks on one machine */
  int32_t least_threads; /* fewest threads of a rank */
  rank_place mine;
  uint32_t num_findings;
  mlpd_finding findings[PLACEMENT_MAX_FINDINGS];
} placement_view;

/* Inspects the placement of this rank, with its number of threads, and of all others. The view, except mine, is equal
 * on all ranks. Collective. */
mlpd_status placement_inspect(mlpd_comm *comm, int threads, placement_view *view);

/* Derives the view from the placements of all ranks (size). */
void placement_judge(const rank_place *ranks, int size, placement_view *view);

#endif
