#include "base/machine_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PATH_BYTES = 4096, LINE_BYTES = 4096 };

/* The number after name in a file of lines "name 123" or "name: 123 kB"; false if name is not there. */
static bool read_field(const char *path, const char *name, uint64_t *value) {
  char line[LINE_BYTES];
  const size_t length = strlen(name);
  FILE *const file = fopen(path, "r");
  if (file == NULL) return false;
  bool found = false;
  while (!found && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, length) != 0) continue;
    char *end = NULL;
    const char *const text = line + length + strspn(line + length, ": \t");
    *value = strtoull(text, &end, 10);
    found = end != text; /* "max": no limit */
    if (found && strncmp(end, " kB", 3) == 0) *value *= 1024;
  }
  (void)fclose(file);
  return found;
}

uint64_t machine_memory_resident(void) {
  uint64_t bytes = 0;
  return read_field("/proc/self/status", "VmRSS", &bytes) ? bytes : 0;
}

uint64_t machine_memory_peak(void) {
  uint64_t bytes = 0;
  struct rusage usage;
  if (read_field("/proc/self/status", "VmHWM", &bytes)) return bytes;
  /* Second choice: it includes the memory of the program that called exec. */
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

/* ---- Control groups ------------------------------------------------------------------------------ */

/* The names of the two versions. */
typedef struct group_files {
  const char *mount, *limit, *usage, *cache;
} group_files;

static const group_files version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                      "total_inactive_file"};
static const group_files version_2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};

static bool read_group(const char *folder, const char *file, const char *name, uint64_t *value) {
  char path[PATH_BYTES + 64];
  (void)snprintf(path, sizeof path, "%s/%s", folder, file);
  return read_field(path, name, value);
}

/* Bytes still free in the control group of folder; unused cached pages count as free. */
static uint64_t left_in_group(const char *folder, const group_files *files) {
  uint64_t limit = 0, usage = 0, cache = 0;
  if (!read_group(folder, files->limit, "", &limit) || !read_group(folder, files->usage, "", &usage)) return UINT64_MAX;
  (void)read_group(folder, "memory.stat", files->cache, &cache);
  usage -= cache < usage ? cache : usage;
  return limit > usage ? limit - usage : 0;
}

/* The least free of the control group named path, as this process sees it, and its parents. */
static uint64_t left_in_groups(const char *root, const group_files *files, const char *path) {
  char folder[PATH_BYTES];
  const size_t mount = (size_t)snprintf(folder, sizeof folder, "%s%s", root, files->mount);
  uint64_t least = UINT64_MAX;
  if (mount + strlen(path) >= sizeof folder) return least;
  (void)snprintf(folder + mount, sizeof folder - mount, "%s", path);
  for (;;) {
    const uint64_t left = left_in_group(folder, files);
    if (left < least) least = left;
    char *const slash = strrchr(folder + mount, '/');
    if (slash == NULL) return least;
    *slash = '\0';
  }
}

uint64_t machine_memory_available(const char *root) {
  char path[PATH_BYTES], line[LINE_BYTES];
  uint64_t least = UINT64_MAX, machine = 0;
  (void)snprintf(path, sizeof path, "%s/proc/meminfo", root);
  if (read_field(path, "MemAvailable", &machine)) least = machine;
  (void)snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  FILE *const file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    const char *const memory = strstr(line, ":memory:");
    const bool second = strncmp(line, "0::", 3) == 0;
    if (!second && memory == NULL) continue;
    const char *const group = second ? line + 3 : memory + strlen(":memory:");
    const uint64_t left = left_in_groups(root, second ? &version_2 : &version_1, group);
    if (left < least) least = left;
  }
  if (file != NULL) (void)fclose(file);
  return least;
}
