/* Timing for the doctor: medians of the slowest rank, equal on all ranks. Every function here is collective. */
#ifndef MLPDIST_DOCTOR_MEASURE_H
#define MLPDIST_DOCTOR_MEASURE_H

#include "base/status.h"

/* Replaces values (count) by their sums over all ranks. */
mlpd_status doctor_sum(mlpd_comm *comm, double *values, int count);

/* One execution of the work to be timed. */
typedef mlpd_status doctor_action(void *context);

/* Measures for about `seconds` (equal on all ranks) the median time of an action on the slowest rank. The action is
 * repeated in groups, and the lowest median of a group is the result, because other load on the machine comes and
 * goes. */
mlpd_status doctor_time(mlpd_comm *comm, doctor_action *action, void *context, double seconds, double *median);

#endif
