/* For tests that damage HDF5 files byte by byte. */
#ifndef MLPDIST_DAMAGE_H
#define MLPDIST_DAMAGE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "kernels/multiversion.h"

/* With a damaged header, HDF5 1.10 reads a few bytes past its buffers: harmless, but the address sanitizer would stop
 * there, before it reaches our code. MLPD_TEST_FLIPS=no turns flips off, too: each read forks a child, so flips need
 * half of the processor time of all unit tests, and what they find does not depend on our compiler. */
static bool flips(void) {
#ifdef UNDER_SANITIZER
  return false;
#else
  const char *const wanted = getenv("MLPD_TEST_FLIPS");
  return wanted == NULL || strcmp(wanted, "no") != 0;
#endif
}

/* HDF5 also trusts a damaged size and requests gigabytes before it notices that the file is short: the limit refuses
 * them. */
static void limit_memory(void) {
#ifndef UNDER_SANITIZER
  const struct rlimit limit = {.rlim_cur = (rlim_t)2 << 30, .rlim_max = (rlim_t)2 << 30};
  assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
#endif
}

#endif
