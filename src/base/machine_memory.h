/* Memory of this process and of the machine it runs on, as the system tells it. */
#ifndef MLPDIST_MACHINE_MEMORY_H
#define MLPDIST_MACHINE_MEMORY_H

#include "base/status.h"

/* Resident bytes of this process, now and at the most so far; 0 where the system does not tell. Not collective. */
uint64_t machine_memory_resident(void);
uint64_t machine_memory_peak(void);

/* Bytes that can still be allocated without swapping: what is available on the machine or, where less, what the
 * control groups of this process leave it; UINT64_MAX where the system does not tell. root is put before /proc and
 * /sys ("" but in tests). Not collective. */
uint64_t machine_memory_available(const char *root);

#endif
