#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

enum {
  MOST_REMEMBERED = 1 << 27,
  MOST_ASKED_FOR = 4096 /* chunks; HDF5 1.10 searches the whole index for each */
};

static hsize_t chunks_of(const h5_array *array) {
  hsize_t chunks = 1;
  for (int i = 0; i < array->stored_rank; i++) chunks *= (array->dims[i] + array->chunk[i] - 1) / array->chunk[i];
  return chunks;
}

static void fill_describe(const h5_array *array, char fill[32]) {
  double value = 0;
  const hid_t creation = H5Dget_create_plist(array->id);
  if (!array->shape.text) (void)H5Pget_fill_value(creation, H5T_NATIVE_DOUBLE, &value);
  h5_id_close(creation);
  (void)snprintf(fill, 32, array->shape.text ? "empty texts" : "%g", value);
}

/* HDF5 before 1.10.5 does not count chunks: an array is then written or not. */
static hsize_t chunks_written(const h5_array *array) {
#if H5_VERSION_GE(1, 10, 5)
  hsize_t written = 0;
  const hid_t space = H5Dget_space(array->id);
  const bool known = H5Dget_num_chunks(array->id, space, &written) >= 0; /* 1.10 takes no H5S_ALL */
  h5_id_close(space);
  if (known) return written;
#endif
  return H5Dget_storage_size(array->id) > 0 ? chunks_of(array) : 0;
}

uint64_t h5_array_unwritten(const h5_array *array, uint64_t *pieces, char fill[32]) {
  H5_ENTER();
  H5D_space_status_t space = H5D_SPACE_STATUS_ALLOCATED;
  const bool chunked = array->chunk[0] > 0;
  (void)H5Dget_space_status(array->id, &space);
  *pieces = chunked ? chunks_of(array) : array->dims[0];
  fill_describe(array, fill);
  if (array->lent != NULL) return 0;
  if (!chunked) return space == H5D_SPACE_STATUS_NOT_ALLOCATED ? *pieces : 0;
  const hsize_t written = chunks_written(array);
  return written < *pieces ? *pieces - written : 0;
}

#if H5_VERSION_GE(1, 10, 5)

/* Sets of filters of an array: bit i stands for filter i. */
typedef struct filter_bits {
  unsigned packing; /* filters that change the length */
  unsigned deflate; /* the last of those if it is deflate, else 0 */
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

/* true if the packed bytes unpack to at least `wanted` bytes, or are damaged (H5Dread reports that). */
static bool inflates_to(uint8_t *packed, size_t bytes, hsize_t wanted) {
  static _Thread_local uint8_t nowhere[1 << 15];
  z_stream stream = {.next_in = packed, .avail_in = bytes < UINT32_MAX ? (uInt)bytes : UINT32_MAX};
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

/* For a chunk that is not packed. */
static bool plain_is_whole(const h5_array *array, const hsize_t *at, hsize_t bytes) {
  unsigned left_out = 0;
  haddr_t address = HADDR_UNDEF;
  hsize_t stored = 0;
  return chunks_of(array) > MOST_ASKED_FOR ||
         H5Dget_chunk_info_by_coord(array->id, at, &left_out, &address, &stored) < 0 || address == HADDR_UNDEF ||
         stored >= bytes;
}

/* *whole stays true for a chunk that cannot be read: H5Dread reports why. */
static mlpd_status chunk_is_whole(const h5_array *array, filter_bits filters, const hsize_t *at, hsize_t bytes,
                                  bool *whole) {
  hsize_t stored = 0;
  uint8_t *data = NULL;
  uint32_t left_out = 0; /* filters that were not applied to this chunk */
  *whole = filters.packing != 0 || plain_is_whole(array, at, bytes);
  if (filters.packing == 0 || filters.packing != filters.deflate ||
      H5Dget_chunk_storage_size(array->id, at, &stored) < 0 || stored > array->file->size)
    return MLPD_OK;
  /* A chunk that does not exist also has 0 bytes, but H5Dread_chunk fails for it. */
  TRY(memory_allocate(&data, stored + 1, 1, array->object));
  if (H5Dread_chunk(array->id, H5P_DEFAULT, at, &left_out, data) >= 0)
    *whole = (filters.packing & ~left_out) == 0 ? stored >= bytes : inflates_to(data, stored, bytes);
  free(data);
  return MLPD_OK;
}

/* true if the band of chunks was checked before; marks it as checked. If there are too many bands to remember, each is
 * checked at every read. */
static bool was_checked(h5_array *array, hsize_t band) {
  const hsize_t bands = array->dims[0] / array->chunk[0] + 1;
  if (bands > MOST_REMEMBERED) return false;
  if (array->checked == NULL) array->checked = calloc(bands / 8 + 1, 1);
  if (array->checked == NULL) return false;
  const uint8_t bit = (uint8_t)(1u << band % 8), before = array->checked[band / 8];
  array->checked[band / 8] |= bit;
  return (before & bit) != 0;
}

mlpd_status h5_check_chunks(h5_array *array, uint64_t row, uint64_t count) {
  const hid_t type = H5Dget_type(array->id);
  hsize_t bytes = H5Tget_size(type);
  const filter_bits filters = filters_of(array);
  h5_id_close(type);
  for (int i = 0; i < array->stored_rank; i++) bytes *= array->chunk[i];
  for (hsize_t band = row / array->chunk[0]; band <= (row + count - 1) / array->chunk[0]; band++) {
    hsize_t at[H5_MAX_STORED_RANK] = {band * array->chunk[0]};
    if (was_checked(array, band)) continue;
    while (at[0] == band * array->chunk[0]) {
      bool whole = true;
      TRY(chunk_is_whole(array, filters, at, bytes, &whole));
      if (!whole)
        return FAIL(MLPD_ERROR_DATA,
                    "%s: %s has a chunk at row %" PRIu64 " shorter than its %" PRIu64 " bytes: damaged or forged",
                    array->file->path, array->object, (uint64_t)at[0], (uint64_t)bytes);
      int i = array->stored_rank - 1;
      for (at[i] += array->chunk[i]; i > 0 && at[i] >= array->dims[i]; at[i] += array->chunk[i]) at[i--] = 0;
    }
  }
  return MLPD_OK;
}

#else

mlpd_status h5_check_chunks(h5_array *array, uint64_t row, uint64_t count) {
  (void)array, (void)row, (void)count;
  return MLPD_OK;
}

#endif
