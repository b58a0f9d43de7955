/* Cores of the machine, from /sys: which ones share a physical core, and what governs their clock. root is put before
 * /sys ("" except in tests). Nothing here is collective. */
#ifndef MLPDIST_MACHINE_CORES_H
#define MLPDIST_MACHINE_CORES_H

#include "base/status.h"

/* The number of physical cores under these logical cores (count); 0 if unknown. */
uint32_t machine_physical_cores(const char *root, const uint32_t *cores, uint32_t count);

/* The governor of a core that keeps its clock low, "powersave" or "conservative"; false if there is none, or if
 * the driver scales the clock under that name all the same (intel_pstate, amd-pstate). */
bool machine_slow_governor(const char *root, uint32_t core, char *governor, size_t bytes);

/* The file system of path: "nfs", "lustre", ... (*network true) or a local one such as "ext4"; "" if unknown. Static
 * storage. */
const char *machine_file_system(const char *path, bool *network);

/* The same from the number in statfs(). */
const char *machine_file_system_name(uint64_t type, bool *network);

#endif
