#include "base/machine_cores.h"

#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

enum { PATH_BYTES = 512 };

/* The first line of a core's file, without its newline. */
static bool read_line(const char *root, uint32_t core, const char *file, char *line, size_t bytes) {
  char path[PATH_BYTES];
  if (snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%u/%s", root, core, file) >= (int)sizeof path)
    return false;
  FILE *const stream = fopen(path, "r");
  if (stream == NULL) return false;
  const bool read = fgets(line, (int)bytes, stream) != NULL;
  (void)fclose(stream);
  if (read) line[strcspn(line, "\n")] = '\0';
  return read;
}

uint32_t machine_physical_cores(const char *root, const uint32_t *cores, uint32_t count) {
  uint32_t physical = 0;
  for (uint32_t i = 0; i < count; i++) {
    char mine[256], other[256];
    if (!read_line(root, cores[i], "topology/thread_siblings_list", mine, sizeof mine)) return 0;
    bool seen = false; /* siblings all show the same list */
    for (uint32_t j = 0; j < i && !seen; j++)
      seen =
          read_line(root, cores[j], "topology/thread_siblings_list", other, sizeof other) && strcmp(mine, other) == 0;
    physical += !seen;
  }
  return physical;
}

bool machine_slow_governor(const char *root, uint32_t core, char *governor, size_t bytes) {
  char driver[64] = "";
  if (!read_line(root, core, "cpufreq/scaling_governor", governor, bytes)) return false;
  if (strcmp(governor, "powersave") != 0 && strcmp(governor, "conservative") != 0) return false;
  (void)read_line(root, core, "cpufreq/scaling_driver", driver, sizeof driver);
  return strncmp(driver, "intel_pstate", strlen("intel_pstate")) != 0 &&
         strncmp(driver, "amd-pstate", strlen("amd-pstate")) != 0 && strncmp(driver, "amd_pstate", 10) != 0;
}

/* Numbers from linux/magic.h and, of file systems outside the kernel, from their sources and coreutils' stat. */
static const struct {
  uint32_t type;
  bool network;
  const char *name;
} file_systems[] = {
    {0x6969, true, "nfs"},        {0x517B, true, "smb"},          {0xFF534D42, true, "cifs"},
    {0xFE534D42, true, "smb2"},   {0x0BD00BD0, true, "lustre"},   {0x47504653, true, "gpfs"},
    {0x00C36400, true, "ceph"},   {0x19830326, true, "beegfs"},   {0x5346414F, true, "afs"},
    {0x01021997, true, "9p"},     {0x20030528, true, "orangefs"}, {0xAAD7AAEA, true, "panfs"},
    {0x65735546, false, "fuse"},  {0xEF53, false, "ext4"},        {0x58465342, false, "xfs"},
    {0x9123683E, false, "btrfs"}, {0x01021994, false, "tmpfs"},   {0x794C7630, false, "overlay"},
    {0x2FC12FC1, false, "zfs"},
};

const char *machine_file_system_name(uint64_t type, bool *network) {
  *network = false;
  for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++) {
    if (file_systems[i].type != (uint32_t)type) continue; /* the kernel's number is 32 bits, some libraries' signed */
    *network = file_systems[i].network;
    return file_systems[i].name;
  }
  return "";
}

const char *machine_file_system(const char *path, bool *network) {
  struct statfs facts;
  *network = false;
  if (statfs(path, &facts) != 0) return "";
  return machine_file_system_name((uint64_t)facts.f_type, network);
}
