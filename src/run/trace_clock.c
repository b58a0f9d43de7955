#include "run/trace_clock.h"

#include "ranks/comm.h"

enum { ROUND_TRIPS = 20 };

/* Rank 0 asks, the other rank answers with its time, which lies between question and answer. */
static mlpd_status compare_with(mlpd_comm *comm, int rank, uint64_t clock(const void *context), const void *context,
                                clock_pair *best) {
  for (int i = 0; i < ROUND_TRIPS; i++) {
    uint64_t question = 0;
    const uint64_t asked = clock(context);
    TRY(comm_move(comm, &question, sizeof question, 0, rank));
    uint64_t there = clock(context);
    TRY(comm_move(comm, &there, sizeof there, rank, 0));
    const uint64_t half = (clock(context) - asked) / 2;
    if (i == 0 || half < best->error) *best = (clock_pair){.there = there, .here = asked + half, .error = half};
  }
  return MLPD_OK;
}

mlpd_status trace_clock_compare(mlpd_comm *comm, uint64_t clock(const void *context), const void *context,
                                clock_pair *pairs) {
  const int size = mlpd_comm_size(comm), me = mlpd_comm_rank(comm);
  pairs[0].there = pairs[0].here = clock(context);
  pairs[0].error = 0;
  for (int rank = 1; rank < size; rank++)
    if (me == 0 || me == rank) TRY(compare_with(comm, rank, clock, context, &pairs[rank]));
  return MLPD_OK;
}
