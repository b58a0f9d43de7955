/* A limit to the memory of this process, as ulimit -v sets one. Not under the sanitizers, whose own allocations would
 * fail, too. */
#ifndef MLPDIST_MEMORY_LIMIT_H
#define MLPDIST_MEMORY_LIMIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/multiversion.h"

#ifndef UNDER_SANITIZER
/* From now on this process may take so many bytes more. Returns what limit_memory_end() sets again. */
static struct rlimit limit_memory(size_t more) {
  struct rlimit former;
  unsigned long pages = 0;
  FILE *const file = fopen("/proc/self/statm", "r");
  assert_true(file != NULL && fscanf(file, "%lu", &pages) == 1);
  (void)fclose(file);
  assert_int_equal(getrlimit(RLIMIT_AS, &former), 0);
  const rlim_t most = pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
  assert_int_equal(setrlimit(RLIMIT_AS, &(struct rlimit){most, former.rlim_max}), 0);
  return former;
}

static void limit_memory_end(struct rlimit former) { assert_int_equal(setrlimit(RLIMIT_AS, &former), 0); }
#endif

#endif
