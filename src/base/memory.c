#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE_BYTES = 2 << 20, LARGE_BYTES = 2 * HUGE_PAGE_BYTES };

mlpd_status memory_allocate(void *array, size_t count, size_t size, const char *what) {
  void *memory = NULL;
  memcpy(array, &memory, sizeof memory);
  if (count == 0 || size == 0) return MLPD_OK;
  if (count > (SIZE_MAX - MEMORY_ALIGNMENT) / size)
    return FAIL(MLPD_ERROR_MEMORY, "%s: %zu x %zu bytes are more than this machine can address", what, count, size);
  const size_t bytes = (count * size + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
  const bool large = bytes >= LARGE_BYTES;
  if (posix_memalign(&memory, large ? HUGE_PAGE_BYTES : MEMORY_ALIGNMENT, bytes) != 0)
    return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory, %.3g MB asked for", what, (double)bytes * 1e-6);
  /* Only a request. Rows picked at random, and weights with one row per page, then miss the TLB less. */
  if (large) (void)madvise(memory, bytes / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES, MADV_HUGEPAGE);
  memset(memory, 0, bytes);
  memcpy(array, &memory, sizeof memory);
  return MLPD_OK;
}

mlpd_status memory_copy_string(const char *text, char **copy) {
  *copy = NULL;
  if (text == NULL) return MLPD_OK;
  *copy = strdup(text);
  if (*copy == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, copying a text of %zu bytes", strlen(text));
  return MLPD_OK;
}
