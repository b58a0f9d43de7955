/* The processor as this process sees it: cores, threads, denormals. Nothing here is collective. */
#ifndef MLPDIST_CPU_H
#define MLPDIST_CPU_H

#include "base/status.h"

enum { CPU_MOST_THREADS = 4096 }; /* that a caller may ask for */

/* Number of cores that this process may use (its affinity mask, limited by a cgroup's CPU quota), at least 1. */
int cpu_cores_bound(void);

/* CPU time that the cgroup allows, in cores, rounded up; 0 without a quota. proc_cgroup is the file
 * /proc/self/cgroup, mount the folder /sys/fs/cgroup. */
int cpu_quota_cores(const char *proc_cgroup, const char *mount);

/* Sets flush-to-zero and denormals-are-zero on the calling thread (x86: MXCSR, Arm: FPCR.FZ); elsewhere
 * does nothing. */
void cpu_flush_denormals(void);

/* Treats denormals as numbers again on the calling thread, until its former mode is restored. */
uint64_t cpu_keep_denormals(void);
void cpu_restore_denormals(uint64_t mode);

/* Sets the floating-point mode of training on the calling thread, whatever the program set: round to nearest, no traps,
 * denormals flushed. Returns the former mode, including exception flags, for cpu_restore_denormals(). */
uint64_t cpu_enter_arithmetic(void);

/* How many OpenMP threads the calling program has, and how its calling thread computes. */
typedef struct cpu_threads {
  int count;
  uint64_t mode;
} cpu_threads;

cpu_threads cpu_threads_get(void);
void cpu_threads_restore(const cpu_threads *former); /* on all OpenMP threads in use */

/* The first line of public functions that call mlpd_threads_set(): until the function returns. */
#define KEEP_CALLERS_THREADS() \
  __attribute__((cleanup(cpu_threads_restore), unused)) const cpu_threads callers_threads_ = cpu_threads_get()

/* MLPD_ERROR_MEMORY if the calling thread cannot start a team of so many OpenMP threads: OpenMP would end the process.
 * Call it before each first use of a larger team; a team no larger than those tried before is not tried again. */
mlpd_status cpu_try_team(long wanted);

/* Name of the processor ("AMD EPYC"), or "unknown". Static storage. */
const char *cpu_name(void);

/* Measures the peak of the calling thread's core in GF/s for about `seconds`, by independent fused multiply-adds in the
 * widest registers of the machine. */
double cpu_measure_peak(double seconds);

#endif
