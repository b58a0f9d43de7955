/* Reads arrays that are stored contiguously in the machine's own number format: with pread() from a file, or from the
 * caller's memory. This needs neither HDF5 nor its lock, so threads can read at the same time. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "h5/h5_internal.h"

void h5_direct_find(h5_array *array) {
  const int *descriptor = NULL;
  const h5_file *const file = array->file;
  uint64_t bytes = 0;
  array->descriptor = -1;
  array->lent = h5_lent_find(file, array->object);
  if (file->writable || array->chunk[0] > 0) return;
  const hid_t stored = H5Dget_type(array->id), access = H5Fget_access_plist(file->id);
  const bool as_in_memory = H5Tequal(stored, h5_native_type(array->shape.type)) > 0;
  const bool one_descriptor = H5Pget_driver(access) == h5_driver();
  h5_id_close(stored);
  h5_id_close(access);
  const haddr_t place = H5Dget_offset(array->id); /* undefined if nothing was written: every value is the fill value */
  if (!as_in_memory || !one_descriptor || place == HADDR_UNDEF ||
      __builtin_mul_overflow(array->shape.rows * array->shape.columns, element_size(array->shape.type), &bytes) ||
      place > file->size || bytes > file->size - place ||
      H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&descriptor) < 0 || descriptor == NULL)
    return;
  array->descriptor = *descriptor;
  array->place = place;
}

bool h5_direct_can(const h5_array *array, element_type as) {
  const element_type stored = array->shape.type;
  if (array->descriptor < 0 && array->lent == NULL) return false;
  return as == stored || (as == ELEMENT_I64 && element_is_integer(stored) && stored != ELEMENT_U64) ||
         (as == ELEMENT_F64 && stored == ELEMENT_F32);
}

/* Sets *done to the bytes read, fewer than bytes at the end of the file. Returns 0 or an errno. */
static int read_bytes(int descriptor, uint64_t place, uint64_t bytes, char *out, uint64_t *done) {
  for (*done = 0; *done < bytes;) {
    const ssize_t got = pread(descriptor, out + *done, bytes - *done, (off_t)(place + *done));
    if (got < 0 && errno != EINTR) return errno;
    if (got == 0) return 0;
    if (got > 0) *done += (uint64_t)got;
  }
  return 0;
}

#define WIDEN(from_type, to_type)                             \
  for (uint64_t i = 0; i < n; i++) {                          \
    from_type narrow;                                         \
    memcpy(&narrow, from + i * sizeof narrow, sizeof narrow); \
    const to_type wide = (to_type)narrow;                     \
    memcpy(to + i * sizeof wide, &wide, sizeof wide);         \
  }                                                           \
  break

/* Widens n numbers to 64 bits each. `from` occupies the end of the 8 n bytes at `to`, so converting in ascending order
 * never overwrites a number before it is read. */
static void widen(element_type stored, uint64_t n, const char *from, char *to) {
  switch (stored) {
    case ELEMENT_I8:
      WIDEN(int8_t, int64_t);
    case ELEMENT_U8:
      WIDEN(uint8_t, int64_t);
    case ELEMENT_I16:
      WIDEN(int16_t, int64_t);
    case ELEMENT_U16:
      WIDEN(uint16_t, int64_t);
    case ELEMENT_I32:
      WIDEN(int32_t, int64_t);
    case ELEMENT_U32:
      WIDEN(uint32_t, int64_t);
    case ELEMENT_F32:
      WIDEN(float, double);
    default: /* 64 bits already */
      break;
  }
}

/* Reads `bytes` at `place` of the array, where rows [row, row + count) begin. */
static mlpd_status read_stored(const h5_array *array, uint64_t row, uint64_t count, uint64_t place, uint64_t bytes,
                               char *out) {
  uint64_t done = 0;
  if (array->lent != NULL) {
    memcpy(out, array->lent + place, bytes);
    return MLPD_OK;
  }
  const int error = read_bytes(array->descriptor, array->place + place, bytes, out, &done);
  if (error != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: %s cannot be read at rows %" PRIu64 " to %" PRIu64 ": %s", array->file->path,
                array->object, row, row + count - 1, strerror(error));
  if (done < bytes) return h5_became_shorter(array, row, count, array->place + place + done);
  return h5_check_descriptor(array, array->descriptor, row, count);
}

mlpd_status h5_direct_read(h5_array *array, uint64_t row, uint64_t count, element_type as, void *out) {
  const size_t size = element_size(array->shape.type);
  const uint64_t n = count * array->shape.columns, bytes = n * size;
  char *const to = out, *const end = to + (n * element_size(as) - bytes);
  TRY(read_stored(array, row, count, row * array->shape.columns * size, bytes, end));
  if (end > to) widen(array->shape.type, n, end, to);
  return MLPD_OK;
}
