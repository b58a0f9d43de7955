/* The data file of a run, opened by all ranks. No function here is collective unless its comment says so. */
#ifndef MLPDIST_DATA_OPEN_H
#define MLPDIST_DATA_OPEN_H

#include "data/dataset.h"
#include "ranks/comm.h"

/* A file is named and part is one of the three; else MLPD_ERROR_USAGE. */
mlpd_status data_check(const mlpd_data_paths *paths, mlpd_split part);

/* Opens the file once on each rank. Rank 0 does so first: reads it on trial (h5_open), looks at every part, and tells
 * the others what metadata it has read; they read none where their path leads to the same content. Close
 * with h5_close. Collective. */
mlpd_status data_open(mlpd_comm *comm, const mlpd_data_paths *paths, h5_file **file);

#endif
