/* Cores of the machine as the system tells of them: which share a physical core, how their clock is governed. root is
 * put before /sys ("" but in tests). */
#ifndef MLPDIST_MACHINE_CORES_H
#define MLPDIST_MACHINE_CORES_H

#include "base/status.h"

/* Physical cores that the logical ones (count) lie on; 0 where the system does not tell. Not collective. */
uint32_t machine_physical_cores(const char *root, const uint32_t *cores, uint32_t count);

/* The governor of a core that keeps its clock low, "powersave" or "conservative"; false where there is none, or where
 * the driver scales all the same under that name (intel_pstate, amd-pstate). Not collective. */
bool machine_slow_governor(const char *root, uint32_t core, char *governor, size_t bytes);

/* "nfs", "lustre", ... where path lies on a file system that other machines serve, else the name of a local one
 * ("ext4", "tmpfs") or "" where it is not known. Static storage. Not collective. */
const char *machine_file_system(const char *path, bool *network);

/* The same by the number in statfs(). Not collective. */
const char *machine_file_system_name(uint64_t type, bool *network);

#endif
