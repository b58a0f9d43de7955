/* Preloaded by tests/faults.bats: on rank NO_MEMORY_RANK, the program's NO_MEMORY_AT-th call (from 1) of posix_memalign
 * fails, as where memory is short. Calls of the libraries under it are left alone. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static atomic_long calls;

static bool is_the_one(const void *caller) {
  const char *const of_open_mpi = getenv("OMPI_COMM_WORLD_RANK"), *const wanted = getenv("NO_MEMORY_RANK");
  const char *const rank = of_open_mpi != NULL ? of_open_mpi : getenv("PMI_RANK"); /* that of MPICH */
  const char *const at = getenv("NO_MEMORY_AT");
  Dl_info of;
  if (rank == NULL || wanted == NULL || at == NULL || strcmp(rank, wanted) != 0) return false;
  if (dladdr(caller, &of) == 0 || strstr(of.dli_fname, "mlpdist") == NULL) return false;
  return atomic_fetch_add(&calls, 1) + 1 == strtol(at, NULL, 10);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  static int (*real)(void **, size_t, size_t) = NULL;
  if (real == NULL) {
    void *const found = dlsym(RTLD_NEXT, "posix_memalign");
    memcpy(&real, &found, sizeof real);
  }
  if (is_the_one(__builtin_return_address(0))) return ENOMEM;
  return real(memory, alignment, bytes);
}
