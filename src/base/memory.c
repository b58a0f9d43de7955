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

void *memory_place(memory_layout *layout, size_t count, size_t size) {
  size_t bytes = 0, end = 0;
  if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(bytes, MEMORY_ALIGNMENT - 1, &bytes) ||
      __builtin_add_overflow(layout->bytes, bytes / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT, &end))
    end = SIZE_MAX;
  void *const place = layout->memory != NULL && end > layout->bytes ? layout->memory + layout->bytes : NULL;
  layout->bytes = end;
  return place;
}

size_t memory_layout_size(memory_lay_out *lay_out, void *owner) {
  memory_layout layout = {0};
  lay_out(owner, &layout);
  return layout.bytes;
}

mlpd_status memory_allocate_layout(memory_lay_out *lay_out, void *owner, const char *what, char **block) {
  TRY(memory_allocate(block, memory_layout_size(lay_out, owner), 1, what));
  memory_layout layout = {.memory = *block};
  lay_out(owner, &layout);
  return MLPD_OK;
}

mlpd_status memory_copy_string(const char *text, char **copy) {
  *copy = NULL;
  if (text == NULL) return MLPD_OK;
  *copy = strdup(text);
  if (*copy == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, copying a text of %zu bytes", strlen(text));
  return MLPD_OK;
}
