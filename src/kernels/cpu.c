#include "kernels/cpu.h"

#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { PATH_BYTES = 4096 };

/* Reads the first line of folder/file; false if there is none. */
static bool read_line(const char *folder, const char *file, char *line, int bytes) {
  char path[PATH_BYTES];
  if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) return false;
  FILE *stream = fopen(path, "r");
  if (stream == NULL) return false;
  const bool read = fgets(line, bytes, stream) != NULL;
  (void)fclose(stream);
  return read;
}

/* The CPU quota of one cgroup, in cores. v2's "cpu.max" contains "quota period" or "max period"; v1 has one file for
 * each, with -1 for no quota. Both are in microseconds. */
static int folder_quota(const char *folder) {
  char line[128];
  long long quota = 0, period = 0;
  if (read_line(folder, "cpu.max", line, sizeof line)) {
    if (sscanf(line, "%lld %lld", &quota, &period) != 2) return 0;
  } else {
    if (!read_line(folder, "cpu.cfs_quota_us", line, sizeof line) || sscanf(line, "%lld", &quota) != 1) return 0;
    if (!read_line(folder, "cpu.cfs_period_us", line, sizeof line) || sscanf(line, "%lld", &period) != 1) return 0;
  }
  if (quota <= 0 || period <= 0 || quota / period >= CPU_MOST_THREADS) return 0;
  return (int)((quota + period - 1) / period);
}

/* The smallest quota of the cgroup at mount + path and its parents; path is shortened on the way up. */
static int least_quota(const char *mount, char *path) {
  int least = 0;
  for (;;) {
    char folder[PATH_BYTES];
    if (snprintf(folder, sizeof folder, "%s%s", mount, path) < (int)sizeof folder) {
      const int cores = folder_quota(folder);
      if (cores > 0 && (least == 0 || cores < least)) least = cores;
    }
    char *slash = strrchr(path, '/');
    if (slash == NULL) return least;
    *slash = '\0';
  }
}

/* true if controllers ("cpu,cpuacct") contains cpu */
static bool names_cpu(char *controllers) {
  char *rest = NULL;
  for (char *name = strtok_r(controllers, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
    if (strcmp(name, "cpu") == 0) return true;
  return false;
}

int cpu_quota_cores(const char *proc_cgroup, const char *mount) {
  FILE *stream = fopen(proc_cgroup, "r");
  if (stream == NULL) return 0;
  int least = 0;
  char line[PATH_BYTES];
  /* Lines are "number:controllers:path". v2 has no controllers; v1's cgroups are in a folder named after them. */
  while (fgets(line, sizeof line, stream) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL) continue;
    *path++ = '\0';
    controllers++;
    char folder[PATH_BYTES];
    if (snprintf(folder, sizeof folder, "%s%s%s", mount, *controllers != '\0' ? "/" : "", controllers) >=
        (int)sizeof folder)
      continue;
    if (*controllers != '\0' && !names_cpu(controllers)) continue;
    const int cores = least_quota(folder, path);
    if (cores > 0 && (least == 0 || cores < least)) least = cores;
  }
  (void)fclose(stream);
  return least;
}

int cpu_cores_bound(void) {
  /* Counts the affinity mask from the start of the process. sched_getaffinity would return one core if OMP_PROC_BIND
   * has bound this thread since. */
  const int cores = omp_get_num_procs(), quota = cpu_quota_cores("/proc/self/cgroup", "/sys/fs/cgroup");
  return quota > 0 && quota < cores ? quota : cores;
}

void cpu_flush_denormals(void) {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040u); /* flush-to-zero (bit 15), denormals-are-zero (bit 6) */
#elif defined(__aarch64__)
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  control |= (uint64_t)1 << 24; /* FZ flushes inputs and outputs */
  __asm__ volatile("msr fpcr, %0" : : "r"(control));
#endif
}

uint64_t cpu_keep_denormals(void) {
  uint64_t mode = 0;
#if defined(__x86_64__)
  mode = _mm_getcsr();
  _mm_setcsr((unsigned)mode & ~0x8040u);
#elif defined(__aarch64__)
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  __asm__ volatile("msr fpcr, %0" : : "r"(mode & ~((uint64_t)1 << 24)));
#endif
  return mode;
}

void cpu_restore_denormals(uint64_t mode) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned)mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
  (void)mode;
#endif
}

cpu_threads cpu_threads_get(void) {
  const uint64_t mode = cpu_keep_denormals();
  cpu_restore_denormals(mode);
  return (cpu_threads){.count = omp_get_max_threads(), .mode = mode};
}

void cpu_threads_restore(const cpu_threads *former) {
  cpu_restore_denormals(former->mode); /* first here: LLVM's runtime passes this thread's mode on at each fork */
#pragma omp parallel
  cpu_restore_denormals(former->mode);
  omp_set_num_threads(former->count);
}

uint64_t cpu_enter_arithmetic(void) {
  uint64_t mode = 0;
#if defined(__x86_64__)
  mode = _mm_getcsr();
  _mm_setcsr(0x9fc0u); /* all exceptions masked, no flag set, to nearest; flush-to-zero, denormals-are-zero */
#elif defined(__aarch64__)
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)1 << 24));
#endif
  return mode;
}

static char name[128] = "unknown";

static void read_name(void) {
  FILE *stream = fopen("/proc/cpuinfo", "r");
  if (stream == NULL) return;
  char line[256];
  while (fgets(line, sizeof line, stream) != NULL) {
    if (strncmp(line, "model name", strlen("model name")) != 0) continue;
    const char *value = strchr(line, ':');
    if (value == NULL) continue;
    value += 1 + strspn(value + 1, " \t");
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(value, "\n"), value);
    break;
  }
  (void)fclose(stream);
}

const char *cpu_name(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, read_name);
  return name;
}

/* The first number of OMP_NUM_THREADS (a list by nesting level); 0 if it is not set or not a number. */
static long threads_of_environment(void) {
  const char *text = getenv("OMP_NUM_THREADS");
  const long threads = text != NULL ? strtol(text, NULL, 10) : 0;
  return threads > 0 ? threads : 0;
}

/* The largest team of this thread that is known to start; OpenMP keeps its threads. */
static _Thread_local long tried = 1;

mlpd_status cpu_try_team(long wanted) {
  const long team = wanted < omp_get_thread_limit() ? wanted : omp_get_thread_limit();
  const int error = team > tried ? threads_try((int)(team - tried)) : 0;
  if (error != 0)
    return FAIL(MLPD_ERROR_MEMORY,
                "%ld threads cannot start: %s; ask for fewer (--threads), or raise the limits to "
                "processes (ulimit -u) and memory (ulimit -v)",
                team, strerror(error));
  if (team > tried) tried = team;
  return MLPD_OK;
}

mlpd_status mlpd_threads_set(int threads, int *taken) {
  NEED(taken);
  long wanted = threads;
  if (threads == 0) wanted = threads_of_environment();
  if (threads == 0 && wanted == 0) wanted = cpu_cores_bound();
  if (wanted < 1 || wanted > CPU_MOST_THREADS)
    return FAIL(MLPD_ERROR_USAGE, "threads is %ld; it must be 1 to %d, or 0 for one per core", wanted,
                CPU_MOST_THREADS);
  TRY(cpu_try_team(wanted));
  omp_set_dynamic(0);
  omp_set_num_threads((int)wanted);
  int team = 0;
  /* LLVM's runtime passes the caller's floating-point mode to the team at each fork; GNU's threads keep their own. */
  cpu_flush_denormals();
#pragma omp parallel
  {
    cpu_flush_denormals();
#pragma omp single
    team = omp_get_num_threads();
  }
  omp_set_num_threads(team); /* OMP_THREAD_LIMIT may have reduced it */
  *taken = team;
  return MLPD_OK;
}
