/* Memory of this process and of its machine, from /proc and /sys. Nothing here is collective. */
#ifndef MLPDIST_MACHINE_MEMORY_H
#define MLPDIST_MACHINE_MEMORY_H

#include "base/status.h"

/* Resident bytes of this process, now and at their peak; 0 if unknown. */
uint64_t machine_memory_resident(void);
uint64_t machine_memory_peak(void);

/* Bytes that can still be allocated without swapping: what is available on the machine, or the limit of this process's
 * control groups if that is lower; UINT64_MAX if unknown. root is put before /proc and /sys ("" except in tests). */
uint64_t machine_memory_available(const char *root);

#endif
