/* Linked into programs that run under the leak sanitizer: leaks of the libraries below us are theirs.
 * Open MPI's components stay loaded until the process ends, so that their leaks have names, which tests/lsan.supp
 * lists. Memory that MPI_Init_thread allocates is no leak at all: some of it comes from functions of the C library, and
 * there the sanitizer's quick walk of the stack, which needs frame pointers, does not reach the caller. */
#include <mpi.h>
#include <stddef.h>

int dlclose(void *handle);

__attribute__((visibility("default"))) int dlclose(void *handle) {
  (void)handle;
  return 0;
}

/* Missing under sanitizers that find no leaks. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

__attribute__((visibility("default"))) int MPI_Init_thread(int *argc, char ***argv, int required, int *provided) {
  if (__lsan_disable != NULL) __lsan_disable();
  int result = PMPI_Init_thread(argc, argv, required, provided);
  if (__lsan_enable != NULL) __lsan_enable();
  return result;
}
