/* Opens the data file of a run on all ranks, with as few reads of its metadata as possible. */
#ifndef MLPDIST_DATA_OPEN_H
#define MLPDIST_DATA_OPEN_H

#include "data/dataset.h"
#include "ranks/comm.h"

/* Returns paths. For rows in memory, drops the settings that only files have, and sets a name for messages as the file.
 * Not collective. */
mlpd_data_paths data_settled(const mlpd_data_paths *paths);

/* MLPD_ERROR_USAGE unless paths name a file and part is one of the three parts. Not collective. */
mlpd_status data_check(const mlpd_data_paths *paths, mlpd_split part);

/* Opens the file, or makes one of rows in memory, once on each rank. Rank 0 opens it first, with a trial (h5_open),
 * reads the metadata of every part and broadcasts it. The other ranks then read no metadata, if their path leads to the
 * same version of the file. Close with h5_close. Collective. */
mlpd_status data_open(mlpd_comm *comm, const mlpd_data_paths *paths, h5_file **file);

#endif
