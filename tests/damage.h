/* For tests that damage HDF5 files byte by byte. */
#ifndef MLPDIST_DAMAGE_H
#define MLPDIST_DAMAGE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* HDF5 1.10 reads past its buffers where a damaged header says so, by a few bytes: harmless, but not to the address
 * sanitizer, which would stop at the library's fault before it sees ours. Nor are bits flipped where MLPD_TEST_FLIPS is
 * "no": each read forks a child, so that flips take half of the processor time of all unit tests, and what they look
 * for does not depend on our compiler. */
static bool flips(void) {
#ifdef __SANITIZE_ADDRESS__
  return false;
#else
  const char *const wanted = getenv("MLPD_TEST_FLIPS");
  return wanted == NULL || strcmp(wanted, "no") != 0;
#endif
}

/* HDF5 believes a damaged size, too, and asks for gigabytes before it sees that the file is short: let it be refused.
 */
static void limit_memory(void) {
#ifndef __SANITIZE_ADDRESS__
  const struct rlimit limit = {.rlim_cur = (rlim_t)2 << 30, .rlim_max = (rlim_t)2 << 30};
  assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
#endif
}

#endif
