#define _GNU_SOURCE /* sched_getaffinity */
#include "ranks/placement_check.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/machine_cores.h"
#include "base/memory.h"
#include "kernels/cpu.h"
#include "ranks/comm.h"

/* ---- This rank ----------------------------------------------------------------------------------- */

static bool has_core(const rank_place *place, uint32_t core) { return (place->cores[core / 8] >> core % 8 & 1) != 0; }

static int count_cores(const rank_place *place) {
  int count = 0;
  for (uint32_t core = 0; core < PLACEMENT_MAX_CORES; core++) count += has_core(place, core);
  return count;
}

/* Collects the cores of all threads. With OMP_PROC_BIND each thread has its own, otherwise all have the process's. */
static void take_cores(rank_place *place) {
#pragma omp parallel num_threads(place->threads)
  {
    cpu_set_t set;
    CPU_ZERO(&set);
    (void)sched_getaffinity(0, sizeof set, &set);
#pragma omp critical(placement_cores)
    for (uint32_t core = 0; core < PLACEMENT_MAX_CORES; core++)
      if (CPU_ISSET(core, &set)) place->cores[core / 8] |= (uint8_t)(1u << core % 8);
  }
}

static void look(const mlpd_comm *comm, int threads, rank_place *place) {
  *place = (rank_place){.threads = threads, .bound = cpu_cores_bound()};
  uint32_t cores[PLACEMENT_MAX_CORES], count = 0;
  (void)snprintf(place->host, sizeof place->host, "%s", comm_host(comm));
  take_cores(place);
  for (uint32_t core = 0; core < PLACEMENT_MAX_CORES; core++)
    if (has_core(place, core)) cores[count++] = core;
  place->physical = (int32_t)machine_physical_cores("", cores, count);
  place->quota = cpu_quota_cores("/proc/self/cgroup", "/sys/fs/cgroup");
  if (count == 0 || !machine_slow_governor("", cores[0], place->governor, sizeof place->governor))
    place->governor[0] = '\0';
}

/* ---- All ranks ----------------------------------------------------------------------------------- */

static void add(placement_view *view, const char *id, const char *what, const char *cure) {
  for (uint32_t i = 0; i < view->num_findings; i++)
    if (strcmp(view->findings[i].id, id) == 0) return; /* report each kind of finding once, for the lowest rank */
  if (view->num_findings == PLACEMENT_MAX_FINDINGS) return;
  mlpd_finding *const f = &view->findings[view->num_findings++];
  (void)snprintf(f->id, sizeof f->id, "%s", id);
  (void)snprintf(f->what, sizeof f->what, "%s", what);
  (void)snprintf(f->cure, sizeof f->cure, "%s", cure);
}

static const char *plural(int n) { return n == 1 ? "" : "s"; }

/* Reports threads that share a core: they wait for each other at every barrier, which can make a run ten times slower.
 */
static void judge_rank(const rank_place *rank, placement_view *view) {
  char what[240], cure[240];
  const int cores = count_cores(rank), threads = rank->threads;
  if (threads > rank->bound) {
    (void)snprintf(what, sizeof what, "%d threads share %d core%s", threads, rank->bound, plural(rank->bound));
    (void)snprintf(cure, sizeof cure, "under mpirun, --map-by slot:PE=%d or --bind-to none gives each its own",
                   threads);
    add(view, "threads-share-cores", what, cure);
  } else if (rank->physical > 0 && threads > rank->physical) {
    (void)snprintf(what, sizeof what, "%d threads run on %d physical core%s: SMT siblings share their arithmetic units",
                   threads, rank->physical, plural(rank->physical));
    (void)snprintf(cure, sizeof cure, "use --threads %d", rank->physical);
    add(view, "smt-siblings", what, cure);
  }
  if (rank->quota > 0 && rank->quota < cores) {
    (void)snprintf(what, sizeof what, "the control group's CPU quota allows %d of the %d cores that are seen",
                   rank->quota, cores);
    (void)snprintf(cure, sizeof cure,
                   "raise it (docker --cpus, Kubernetes limits.cpu, cpu.max), or expect no more speed than it allows");
    add(view, "cpu-quota", what, cure);
  }
  if (rank->governor[0] != '\0') {
    (void)snprintf(what, sizeof what, "the frequency governor of %.100s is %s", rank->host, rank->governor);
    add(view, "governor", what, "cpupower frequency-set -g performance");
  }
}

/* Reports if the ranks on first's machine that are bound to a subset of first's cores run more threads than these
 * cores. all: takes all ranks of the machine and all their cores together. */
static void judge_sharing(const rank_place *ranks, int size, const rank_place *first, bool all, placement_view *view) {
  int threads = 0, sharing = 0;
  rank_place together = *first;
  for (int r = 0; r < size; r++) {
    if (strcmp(ranks[r].host, first->host) != 0) continue;
    bool within = true;
    for (size_t i = 0; i < sizeof first->cores; i++) {
      within = within && (ranks[r].cores[i] & ~first->cores[i]) == 0;
      if (all) together.cores[i] |= ranks[r].cores[i];
    }
    if (!all && !within) continue;
    sharing++;
    threads += ranks[r].threads;
  }
  int cores = count_cores(&together);
  const bool quota = all && first->quota > 0 && first->quota < cores;
  if (quota) cores = first->quota;
  if (sharing < 2 || threads <= cores) return;
  char what[240], cure[240];
  (void)snprintf(what, sizeof what, "%d ranks on %.100s run %d threads on %d core%s%s", sharing, first->host, threads,
                 cores, plural(cores), quota ? " (the CPU quota)" : "");
  const int each = cores / sharing > 1 ? cores / sharing : 1;
  if (sharing > cores)
    (void)snprintf(cure, sizeof cure,
                   "start at most %d there, or use --bind-to none if they are bound to fewer cores than "
                   "the machine has",
                   cores);
  else
    (void)snprintf(cure, sizeof cure, "use --threads %d, or --map-by slot:PE=%d --bind-to core", each, each);
  add(view, "ranks-oversubscribe", what, cure);
}

void placement_judge(const rank_place *ranks, int size, placement_view *view) {
  view->nodes = view->ranks_on_node = 0;
  view->num_findings = 0;
  view->least_threads = ranks[0].threads;
  for (int r = 0; r < size; r++) {
    int before = 0, on_node = 0;
    for (int other = 0; other < size; other++) {
      const bool same = strcmp(ranks[other].host, ranks[r].host) == 0;
      before += same && other < r;
      on_node += same;
    }
    view->nodes += before == 0;
    if (on_node > view->ranks_on_node) view->ranks_on_node = on_node;
    if (ranks[r].threads < view->least_threads) view->least_threads = ranks[r].threads;
    judge_rank(&ranks[r], view);
    judge_sharing(ranks, size, &ranks[r], false, view);
    if (before == 0) judge_sharing(ranks, size, &ranks[r], true, view);
  }
}

mlpd_status placement_inspect(mlpd_comm *comm, int threads, placement_view *view) {
  rank_place *all = NULL;
  *view = (placement_view){0};
  look(comm, threads, &view->mine);
  const mlpd_status status = comm_gather_equal(comm, &view->mine, sizeof view->mine, "placement of ranks", &all);
  if (status == MLPD_OK) placement_judge(all, mlpd_comm_size(comm), view);
  free(all);
  return status;
}
