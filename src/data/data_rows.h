/* Rows that the ranks' program holds, as a data set: a file in the memory of each rank. */
#ifndef MLPDIST_DATA_ROWS_H
#define MLPDIST_DATA_ROWS_H

#include "h5/h5.h"

/* Their name in messages, in place of a file's. */
#define DATA_ROWS_NAME "the rows in memory"

/* The schema's data set (dataset.h) of the rows of all ranks in rank order; every rank gets all of them. Close with
 * h5_close. The x of a single rank, in C order, is not copied. Collective. */
mlpd_status data_rows_open(mlpd_comm *comm, const mlpd_data_rows *rows, h5_file **file);

/* The member of mlpd_data_rows that is this array: "valid_x" of "/valid/x"; another path itself. */
const char *data_rows_member(const char *path);

#endif
