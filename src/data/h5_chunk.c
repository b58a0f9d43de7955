#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "data/h5_internal.h"

#if H5_VERSION_GE(1, 10, 5)

/* The filters of an array, a bit each by their place. */
typedef struct filter_bits {
  unsigned packing; /* change the length */
  unsigned deflate; /* the last of those, where it is deflate */
} filter_bits;

static filter_bits filters_of(const h5_array *array) {
  const hid_t creation = H5Dget_create_plist(array->id);
  filter_bits bits = {0, 0};
  for (int i = 0; i < H5Pget_nfilters(creation) && i < 32; i++) {
    unsigned flags = 0, config = 0;
    size_t num_values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, (unsigned)i, &flags, &num_values, NULL, 0, NULL, &config);
    if (filter == H5Z_FILTER_SHUFFLE || filter == H5Z_FILTER_FLETCHER32) continue;
    bits.packing |= 1u << i;
    bits.deflate = filter == H5Z_FILTER_DEFLATE ? 1u << i : 0;
  }
  h5_id_close(creation);
  return bits;
}

/* Do the packed bytes unpack to `wanted` or more? Damage, too, is left to H5Dread. */
static bool inflates_to(const uint8_t *packed, size_t bytes, hsize_t wanted) {
  static _Thread_local uint8_t nowhere[1 << 15];
  z_stream stream = {.next_in = (uint8_t *)(uintptr_t)packed,
                     .avail_in = bytes < UINT32_MAX ? (uInt)bytes : UINT32_MAX};
  if (inflateInit(&stream) != Z_OK) return false;
  int result = Z_OK;
  while (result == Z_OK && stream.total_out < wanted) {
    stream.next_out = nowhere;
    stream.avail_out = sizeof nowhere;
    result = inflate(&stream, Z_NO_FLUSH);
  }
  (void)inflateEnd(&stream);
  return result != Z_STREAM_END || stream.total_out >= wanted;
}

/* Whether the chunk that begins at `at`, of `stored` bytes in the file, unpacks to its whole length. What cannot be
 * read is left to H5Dread, which says why. */
static mlpd_status check_deflated(const h5_array *array, const hsize_t *at, hsize_t stored, hsize_t bytes,
                                  bool *whole) {
  uint8_t *packed = NULL;
  uint32_t left_out = 0;
  *whole = true;
  if (stored > array->file->size) return MLPD_OK;
  TRY(memory_allocate(&packed, stored, 1, array->object));
  if (H5Dread_chunk(array->id, H5P_DEFAULT, at, &left_out, packed) >= 0) *whole = inflates_to(packed, stored, bytes);
  free(packed);
  return MLPD_OK;
}

static mlpd_status check_chunk(const h5_array *array, filter_bits filters, const hsize_t *at, hsize_t bytes) {
  unsigned left_out = 0; /* filters that were not used */
  haddr_t address = HADDR_UNDEF;
  hsize_t stored = 0;
  if (H5Dget_chunk_info_by_coord(array->id, at, &left_out, &address, &stored) < 0 || address == HADDR_UNDEF)
    return MLPD_OK;
  const unsigned packing = filters.packing & ~left_out;
  bool whole = true;
  if (packing == 0)
    whole = stored >= bytes;
  else if (packing == filters.deflate)
    TRY(check_deflated(array, at, stored, bytes, &whole));
  return whole ? MLPD_OK
               : FAIL(MLPD_ERROR_DATA,
                      "%s: %s has a chunk at row %" PRIu64 " shorter than its %" PRIu64 " bytes: damaged or forged",
                      array->file->path, array->object, (uint64_t)at[0], (uint64_t)bytes);
}

mlpd_status h5_check_chunks(h5_array *array, uint64_t row, uint64_t count) {
  const hid_t type = H5Dget_type(array->id);
  hsize_t bytes = H5Tget_size(type), at[H5_MAX_STORED_RANK] = {row / array->chunk[0] * array->chunk[0]};
  const filter_bits filters = filters_of(array);
  h5_id_close(type);
  for (int i = 0; i < array->stored_rank; i++) bytes *= array->chunk[i];
  while (at[0] < row + count) {
    if (array->is_checked && at[0] == array->checked_row) {
      at[0] += array->chunk[0];
      continue;
    }
    const hsize_t band = at[0];
    while (at[0] == band) {
      TRY(check_chunk(array, filters, at, bytes));
      int i = array->stored_rank - 1;
      for (at[i] += array->chunk[i]; i > 0 && at[i] >= array->dims[i]; at[i] += array->chunk[i]) at[i--] = 0;
    }
    array->is_checked = true;
    array->checked_row = band;
  }
  return MLPD_OK;
}

#else

mlpd_status h5_check_chunks(h5_array *array, uint64_t row, uint64_t count) {
  (void)array, (void)row, (void)count;
  return MLPD_OK;
}

#endif
