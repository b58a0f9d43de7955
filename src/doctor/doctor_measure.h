/* How the doctor measures: medians of the slowest rank, equal on all ranks. Every function here is collective. */
#ifndef MLPDIST_DOCTOR_MEASURE_H
#define MLPDIST_DOCTOR_MEASURE_H

#include "base/status.h"

/* values[0 ... count) become their sums over ranks. */
mlpd_status doctor_sum(mlpd_comm *comm, double *values, int count);

/* Something that is timed: done once. */
typedef mlpd_status doctor_action(void *context);

/* Median seconds of an action, of the slowest rank, in about seconds. It is done in groups, and the group with the
 * lowest median counts: what else runs on the machine comes and goes.
 * Seconds equal on all ranks. */
mlpd_status doctor_time(mlpd_comm *comm, doctor_action *action, void *context, double seconds, double *median);

#endif
