/* Placement: how the ranks of one machine share its cores. */
#ifndef MLPDIST_PLACEMENT_H
#define MLPDIST_PLACEMENT_H

#include "base/status.h"

/* Sets this rank's threads and stores their number. requested 0: OMP_NUM_THREADS where set, else the cores the
 * rank is bound to divided by the ranks of this machine that are bound to the same ones (mpirun binds more than
 * two ranks to sockets, and 16 ranks with 16 threads each would crawl). Collective. */
mlpd_status placement_threads(mlpd_comm *comm, int requested, int *taken);

#endif
