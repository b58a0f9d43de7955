#include "convert/convert_array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/foreign.h"
#include "base/memory.h"
#include "convert/convert_idx.h"
#include "convert/convert_npy.h"
#include "csv/csv.h"

enum { HEAD_BYTES = 4096 };

static mlpd_status fail_foreign(const input *in, const char *described) {
  const char *const packed = input_is_packed(in) && strstr(described, "tar xf") == NULL /* tar itself unpacks gzip */
                                 ? "; it is packed by gzip: run gzip -d first"
                                 : "";
  return FAIL(MLPD_ERROR_DATA, "%s: %s%s", input_name(in), described, packed);
}

mlpd_status input_kind_of(input *in, input_kind *kind) {
  uint8_t b[HEAD_BYTES] = {0};
  char described[FOREIGN_BYTES];
  size_t got = 0;
  TRY(input_read(in, b, sizeof b, &got));
  TRY(input_rewind(in));
  if (got == 0) return FAIL(MLPD_ERROR_DATA, "%s: the file is empty", input_name(in));
  if (memcmp(b, "\x93NUMPY", 6) == 0) return *kind = KIND_NPY, MLPD_OK;
  if (foreign_describe_head(input_path(in), b, got, described)) return fail_foreign(in, described);
  if (memcmp(b, "PK\3\4", 4) == 0 || memcmp(b, "PK\5\6", 4) == 0) return *kind = KIND_NPZ, MLPD_OK;
  const bool hdf5 = memcmp(b, "\x89HDF\r\n\x1a\n", 8) == 0;
  if (hdf5 && input_is_packed(in) && foreign_describe(input_path(in), described))
    return FAIL(MLPD_ERROR_DATA, "%s: %s", input_name(in), described);
  if (hdf5 && input_is_stream(in))
    return FAIL(MLPD_ERROR_DATA, "%s: is an HDF5 file, which cannot be read from a pipe: save it as a file",
                input_name(in));
  if (hdf5)
    return FAIL(MLPD_ERROR_DATA, "%s: is an HDF5 file and needs no conversion; give train its arrays with --x and --y",
                input_name(in));
  if (got >= 4 && b[0] == 0 && b[1] == 0 && b[2] >= 0x08 && b[2] <= 0x0E && b[3] >= 1) return *kind = KIND_IDX, MLPD_OK;
  const size_t first = got < 8 ? got : 8; /* the reader of text reports a NUL byte after these */
  if (memchr(b, 0, first) != NULL && !csv_is_utf16(b, got))
    return FAIL(MLPD_ERROR_DATA, "%s: its first bytes are not those of CSV, NPY, NPZ or IDX", input_name(in));
  *kind = KIND_TEXT;
  return MLPD_OK;
}

static mlpd_status read_header(input *in, array_header *header) {
  input_kind kind;
  TRY(input_kind_of(in, &kind));
  if (kind != KIND_NPY && kind != KIND_IDX)
    return FAIL(MLPD_ERROR_DATA, "%s: is neither an NPY nor an IDX array", input_name(in));
  TRY(kind == KIND_NPY ? npy_header(in, header) : idx_header(in, header));
  const uint64_t limit = input_limit(in), row_bytes = header->columns * header->stored_size;
  if (header->bytes > limit || row_bytes > ARRAY_ROW_BYTES_MOST || header->rows > (limit - header->bytes) / row_bytes)
    return FAIL(MLPD_ERROR_DATA, "%s: the header claims %llu rows of %llu %s, but the file holds at most %llu bytes",
                input_name(in), (unsigned long long)header->rows, (unsigned long long)header->columns,
                element_name(header->type), (unsigned long long)limit);
  return MLPD_OK;
}

mlpd_status array_header_of(input *in, array_header *header) {
  TRY(read_header(in, header));
  return input_rewind(in);
}

/* ---- Fortran order ---- */

/* The column, in C order, of the j-th plane of an array in Fortran order. */
static uint64_t column_of_plane(const array_header *h, uint64_t j) {
  uint64_t column = 0, stride = h->columns;
  for (int i = 1; i < h->rank; i++) { /* the second dimension varies fastest among the planes */
    stride /= h->dimensions[i];
    column += j % h->dimensions[i] * stride;
    j /= h->dimensions[i];
  }
  return column;
}

static mlpd_status hold_planes(input_array *array) {
  const array_header *const h = &array->header;
  const size_t size = h->stored_size, plane_bytes = (size_t)h->rows * size;
  unsigned char *plane = NULL;
  size_t got = 0;
  mlpd_status status;
  TRY(array_rewind(array));
  TRY_GOTO(status, memory_allocate(&array->held, h->rows * h->columns, size, "an array in Fortran order"), done);
  TRY_GOTO(status, memory_allocate(&plane, plane_bytes, 1, "an array in Fortran order"), done);
  for (uint64_t j = 0; j < h->columns; j++) {
    TRY_GOTO(status, input_read(array->in, plane, plane_bytes, &got), done);
    if (got != plane_bytes) {
      status = FAIL(MLPD_ERROR_DATA, "%s: ends before the %llu rows that its header claims", input_name(array->in),
                    (unsigned long long)h->rows);
      goto done;
    }
    unsigned char *const first = array->held + column_of_plane(h, j) * size;
    for (uint64_t i = 0; i < h->rows; i++) memcpy(first + i * h->columns * size, plane + i * size, size);
  }
done:
  free(plane);
  return status;
}

mlpd_status array_open(input *in, input_array **opened) {
  *opened = NULL;
  array_header header = {.rank = 0};
  mlpd_status status;
  TRY_GOTO(status, read_header(in, &header), failed);
  TRY_GOTO(status, memory_allocate(opened, 1, sizeof **opened, "input array"), failed);
  **opened = (input_array){.in = in, .header = header};
  if (header.column_major && header.rows > 1 && header.columns > 1) status = hold_planes(*opened);
  if (status == MLPD_OK) return MLPD_OK;
  array_close(*opened);
  *opened = NULL;
  return status;
failed:
  input_close(in);
  return status;
}

void array_close(input_array *array) {
  if (array == NULL) return;
  input_close(array->in);
  free(array->held);
  free(array);
}

size_t array_row_bytes(const array_header *h) {
  return (size_t)h->columns * (h->text != ARRAY_NUMBERS ? h->stored_size : element_size(h->type));
}

/* Appends a code point as UTF-8. */
static size_t put_utf8(uint32_t c, char *out) {
  if (c < 0x80) return out[0] = (char)c, 1;
  const size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static const unsigned char marks[] = {0, 0xC0, 0xE0, 0xF0};
  out[0] = (char)(marks[more] | c >> 6 * more);
  for (size_t i = 1; i <= more; i++) out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3F));
  return more + 1;
}

size_t array_text_at(const array_header *h, const void *stored, char *out) {
  size_t bytes = h->stored_size, used = 0;
  const unsigned char *const at = stored;
  if (h->text == ARRAY_BYTES_TEXT) {
    while (bytes > 0 && at[bytes - 1] == 0) bytes--;
    memcpy(out, at, bytes);
    return bytes;
  }
  for (size_t i = 0; i + 4 <= bytes; i += 4) {
    uint32_t c;
    memcpy(&c, at + i, sizeof c);
    if (h->swap) c = __builtin_bswap32(c);
    if (c == 0) break;
    used += put_utf8(c > 0x10FFFF ? '?' : c, out + used);
  }
  return used;
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

/* Converts halves, which occupy the second half of out, to floats at out: each half is read before a float overwrites
 * it. */
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
  return FAIL(MLPD_ERROR_DATA, "%s: row %llu, column %llu (from 0): %f is not finite%s", input_name(array->in),
              (unsigned long long)(array->row + bad / array->header.columns),
              (unsigned long long)(bad % array->header.columns), value,
              isnan(value) ? "; fill in missing values, or write the table as CSV, in which they may be empty" : "");
}

mlpd_status array_read(input_array *array, uint64_t rows, void *out) {
  const array_header *h = &array->header;
  if (rows > h->rows - array->row)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %llu rows were requested, but fewer are left", input_name(array->in),
                (unsigned long long)rows);
  const size_t count = (size_t)(rows * h->columns), bytes = count * h->stored_size;
  unsigned char *stored = (unsigned char *)out + (h->half ? bytes : 0);
  size_t got = bytes;
  if (array->held != NULL)
    memcpy(stored, array->held + array->row * h->columns * h->stored_size, bytes);
  else
    TRY(input_read(array->in, stored, bytes, &got));
  if (got != bytes)
    return FAIL(MLPD_ERROR_DATA, "%s: ends in row %llu; its header claims %llu rows", input_name(array->in),
                (unsigned long long)(array->row + got / (h->columns * h->stored_size)), (unsigned long long)h->rows);
  if (h->swap && h->text == ARRAY_NUMBERS) swap_bytes(stored, count, h->stored_size);
  if (h->half) widen_halves(out, count);
  TRY(check_finite(array, out, count));
  array->row += rows;
  if (array->row < h->rows) return MLPD_OK;
  if (array->held != NULL && array->ended) return MLPD_OK;
  array->ended = true;
  char rest;
  TRY(input_read(array->in, &rest, 1, &got));
  if (got != 0)
    return FAIL(MLPD_ERROR_DATA, "%s: continues after the %llu rows that its header claims", input_name(array->in),
                (unsigned long long)h->rows);
  return MLPD_OK;
}
