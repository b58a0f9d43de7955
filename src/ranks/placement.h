/* Placement: divides the cores of a machine among its ranks. */
#ifndef MLPDIST_PLACEMENT_H
#define MLPDIST_PLACEMENT_H

#include "base/status.h"

/* Sets the number of threads of this rank, and stores it in *taken. If requested is 0, it is OMP_NUM_THREADS if set,
 * else the number of cores that this rank is bound to, divided by the number of ranks bound to the same cores. (mpirun
 * binds more than two ranks to sockets; without the division, 16 ranks with 16 threads each would crawl.) Collective.
 */
mlpd_status placement_threads(mlpd_comm *comm, int requested, int *taken);

#endif
