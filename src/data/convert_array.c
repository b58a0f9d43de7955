#include "data/convert_array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/convert_csv.h"

static const uint64_t ROW_BYTES_MOST = UINT64_C(1) << 30;

mlpd_status input_kind_of(input *in, input_kind *kind) {
  uint8_t b[8] = {0};
  size_t got = 0;
  TRY(input_read(in, b, sizeof b, &got));
  TRY(input_rewind(in));
  if (got == 0) return FAIL(MLPD_ERROR_DATA, "%s: the file is empty", input_name(in));
  if (memcmp(b, "\x93NUMPY", 6) == 0) return *kind = KIND_NPY, MLPD_OK;
  if (memcmp(b, "PK\3\4", 4) == 0 || memcmp(b, "PK\5\6", 4) == 0) return *kind = KIND_NPZ, MLPD_OK;
  if (memcmp(b, "\x89HDF\r\n\x1a\n", 8) == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: is HDF5 already; name its arrays to train with --x and --y", input_name(in));
  if (got >= 4 && b[0] == 0 && b[1] == 0 && b[2] >= 0x08 && b[2] <= 0x0E && b[3] >= 1) return *kind = KIND_IDX, MLPD_OK;
  if (memchr(b, 0, got) != NULL && !csv_is_utf16(b, got))
    return FAIL(MLPD_ERROR_DATA, "%s: neither CSV nor NPY, NPZ or IDX by its first bytes", input_name(in));
  *kind = KIND_TEXT;
  return MLPD_OK;
}

mlpd_status array_fold(const char *name, const uint64_t *dimensions, int rank, array_header *header) {
  if (rank < 1) return FAIL(MLPD_ERROR_DATA, "%s: a single value, not an array of rows", name);
  header->rank = rank;
  header->rows = dimensions[0];
  header->columns = 1;
  for (int i = 1; i < rank; i++) {
    if (dimensions[i] != 0 && header->columns > ROW_BYTES_MOST / dimensions[i])
      return FAIL(MLPD_ERROR_DATA, "%s: the header claims rows of more than %llu values", name,
                  (unsigned long long)ROW_BYTES_MOST);
    header->columns *= dimensions[i];
  }
  if (header->rows == 0 || header->columns == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: the array is empty: %llu rows of %llu values", name,
                (unsigned long long)header->rows, (unsigned long long)header->columns);
  return MLPD_OK;
}

static mlpd_status read_header(input *in, array_header *header) {
  input_kind kind;
  TRY(input_kind_of(in, &kind));
  if (kind != KIND_NPY && kind != KIND_IDX)
    return FAIL(MLPD_ERROR_DATA, "%s: neither an NPY nor an IDX array", input_name(in));
  TRY(kind == KIND_NPY ? npy_header(in, header) : idx_header(in, header));
  const uint64_t limit = input_limit(in), row_bytes = header->columns * header->stored_size;
  if (header->bytes > limit || row_bytes > ROW_BYTES_MOST || header->rows > (limit - header->bytes) / row_bytes)
    return FAIL(MLPD_ERROR_DATA, "%s: the header claims %llu rows of %llu %s, the file holds no more than %llu bytes",
                input_name(in), (unsigned long long)header->rows, (unsigned long long)header->columns,
                element_name(header->type), (unsigned long long)limit);
  return MLPD_OK;
}

mlpd_status array_open(input *in, input_array **opened) {
  *opened = NULL;
  array_header header = {.rank = 0};
  mlpd_status status;
  TRY_GOTO(status, read_header(in, &header), failed);
  TRY_GOTO(status, memory_allocate(opened, 1, sizeof **opened, "input array"), failed);
  **opened = (input_array){.in = in, .header = header};
  return MLPD_OK;
failed:
  input_close(in);
  return status;
}

void array_close(input_array *array) {
  if (array == NULL) return;
  input_close(array->in);
  free(array);
}

mlpd_status array_rewind(input_array *array) {
  TRY(input_rewind(array->in));
  array->row = 0;
  char skipped[512];
  size_t got = 0;
  for (uint64_t left = array->header.bytes; left > 0; left -= got) {
    const size_t want = left < sizeof skipped ? (size_t)left : sizeof skipped;
    TRY(input_read(array->in, skipped, want, &got));
    if (got != want) return FAIL(MLPD_ERROR_DATA, "%s: changed while it was read", input_name(array->in));
  }
  return MLPD_OK;
}

static void swap_bytes(void *values, size_t count, size_t size) {
  if (size == 2) {
    uint16_t *v = values;
    for (size_t i = 0; i < count; i++) v[i] = __builtin_bswap16(v[i]);
  } else if (size == 4) {
    uint32_t *v = values;
    for (size_t i = 0; i < count; i++) v[i] = __builtin_bswap32(v[i]);
  } else if (size == 8) {
    uint64_t *v = values;
    for (size_t i = 0; i < count; i++) v[i] = __builtin_bswap64(v[i]);
  }
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
static float half_to_float(uint16_t h) {
  const int exponent = h >> 10 & 31, fraction = h & 1023;
  float magnitude;
  if (exponent == 31)
    magnitude = fraction == 0 ? INFINITY : NAN;
  else if (exponent == 0)
    magnitude = ldexpf((float)fraction, -24);
  else
    magnitude = ldexpf((float)(1024 + fraction), exponent - 25);
  return (h & 0x8000) != 0 ? -magnitude : magnitude;
}

/* Halves lie in the upper half of out, floats go to out: each half is read before a float covers it. */
static void widen_halves(void *out, size_t count) {
  const unsigned char *halves = (unsigned char *)out + 2 * count;
  float *floats = out;
  for (size_t i = 0; i < count; i++) {
    uint16_t h;
    memcpy(&h, halves + 2 * i, sizeof h);
    floats[i] = half_to_float(h);
  }
}

static mlpd_status check_finite(const input_array *array, const void *values, size_t count) {
  size_t bad = count;
  double value = 0;
  if (array->header.type == ELEMENT_F32) {
    const float *v = values;
    for (size_t i = 0; i < count && bad == count; i++)
      if (!isfinite(v[i])) bad = i, value = (double)v[i];
  } else if (array->header.type == ELEMENT_F64) {
    const double *v = values;
    for (size_t i = 0; i < count && bad == count; i++)
      if (!isfinite(v[i])) bad = i, value = v[i];
  }
  if (bad == count) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: row %llu, column %llu (from 0): %f is not finite", input_name(array->in),
              (unsigned long long)(array->row + bad / array->header.columns),
              (unsigned long long)(bad % array->header.columns), value);
}

mlpd_status array_read(input_array *array, uint64_t rows, void *out) {
  const array_header *h = &array->header;
  if (rows > h->rows - array->row)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %llu rows asked for, fewer are left", input_name(array->in),
                (unsigned long long)rows);
  const size_t count = (size_t)(rows * h->columns), bytes = count * h->stored_size;
  unsigned char *stored = (unsigned char *)out + (h->half ? bytes : 0);
  size_t got = 0;
  TRY(input_read(array->in, stored, bytes, &got));
  if (got != bytes)
    return FAIL(MLPD_ERROR_DATA, "%s: ends in row %llu; its header claims %llu rows", input_name(array->in),
                (unsigned long long)(array->row + got / (h->columns * h->stored_size)), (unsigned long long)h->rows);
  if (h->swap) swap_bytes(stored, count, h->stored_size);
  if (h->half) widen_halves(out, count);
  TRY(check_finite(array, out, count));
  array->row += rows;
  if (array->row < h->rows) return MLPD_OK;
  char rest;
  TRY(input_read(array->in, &rest, 1, &got));
  if (got != 0)
    return FAIL(MLPD_ERROR_DATA, "%s: goes on after the %llu rows its header claims", input_name(array->in),
                (unsigned long long)h->rows);
  return MLPD_OK;
}
