/* The processor as this process sees it: cores, threads, denormals. */
#ifndef MLPDIST_CPU_H
#define MLPDIST_CPU_H

#include "base/status.h"

/* Cores this process is bound to (its affinity mask, capped by a cgroup's CPU quota), at least 1. Not collective. */
int cpu_cores_bound(void);

/* Cores' worth of CPU time a cgroup may use, rounded up; 0 where no quota holds. proc_cgroup is the file
 * /proc/self/cgroup, mount the folder /sys/fs/cgroup. Not collective. */
int cpu_quota_cores(const char *proc_cgroup, const char *mount);

/* Sets flush-to-zero and denormals-are-zero on the calling thread (x86: MXCSR, Arm: FPCR.FZ); elsewhere
 * does nothing. Not collective. */
void cpu_flush_denormals(void);

/* Name of the processor ("AMD EPYC"), or "unknown". Static storage. Not collective. */
const char *cpu_name(void);

/* FMA peak of the calling thread's core in GF/s, measured for about seconds by independent fused
 * multiply-adds in the widest registers of the machine. Not collective. */
double cpu_measure_peak(double seconds);

#endif
