#include "data/convert_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { CHUNK_BYTES = 1 << 18, BLOCK_BYTES = 1 << 20 };

static const char *const x_paths[] = {[MLPD_TRAIN] = "/train/x", [MLPD_VALID] = "/valid/x", [MLPD_TEST] = "/test/x"};
static const char *const y_paths[] = {[MLPD_TRAIN] = "/train/y", [MLPD_VALID] = "/valid/y", [MLPD_TEST] = "/test/y"};

mlpd_status output_create(const char *path, output *out) {
  *out = (output){.file = NULL};
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
    return FAIL(MLPD_ERROR_FILE, "%s: exists and is no regular file", path);
  TRY(memory_copy_string(path, &out->path));
  const size_t bytes = strlen(path) + 32;
  char *temporary;
  TRY(memory_allocate(&temporary, bytes, 1, "file name"));
  (void)snprintf(temporary, bytes, "%s.tmp.%ld", path, (long)getpid());
  const mlpd_status status = h5_create(temporary, &out->file);
  if (status != MLPD_OK) {
    free(temporary);
    return status;
  }
  out->temporary = temporary;
  return MLPD_OK;
}

mlpd_status output_part(output *out, mlpd_split split, uint64_t rows, element_type widest, const label_set *labels) {
  part_output *p = &out->parts[split];
  const uint64_t row_bytes = out->features * element_size(out->stored_type);
  const uint64_t y_bytes = labels->classes ? sizeof *p->classes : out->y_columns * sizeof *p->values;
  uint64_t chunk_rows = row_bytes >= CHUNK_BYTES ? 1 : CHUNK_BYTES / row_bytes;
  if (chunk_rows * y_bytes > BLOCK_BYTES) chunk_rows = y_bytes >= BLOCK_BYTES ? 1 : BLOCK_BYTES / y_bytes;
  if (chunk_rows > rows) chunk_rows = rows;
  const uint64_t chunk_bytes = chunk_rows * (out->features * element_size(widest) + y_bytes);
  p->rows = rows;
  p->block_rows = chunk_bytes >= BLOCK_BYTES ? chunk_rows : BLOCK_BYTES / chunk_bytes * chunk_rows;
  if (p->block_rows > rows) p->block_rows = rows;
  TRY(h5_array_create(out->file, x_paths[split], rows, out->features, out->stored_type,
                      out->compress > 0 ? chunk_rows : 0, out->compress, &p->x));
  TRY(memory_allocate(&p->x_block, p->block_rows * out->features, element_size(widest), "rows to write"));
  if (out->y_columns == 0) return MLPD_OK;
  const uint64_t columns = labels->classes || out->y_columns == 1 ? 0 : out->y_columns;
  TRY(h5_array_create(out->file, y_paths[split], rows, columns, labels->type, 0, 0, &p->y));
  if (labels->classes) return memory_allocate(&p->classes, p->block_rows, sizeof *p->classes, "classes to write");
  return memory_allocate(&p->values, p->block_rows * out->y_columns, sizeof *p->values, "values to write");
}

static mlpd_status write_block(part_output *p) {
  if (p->filled == 0) return MLPD_OK;
  TRY(h5_array_write(p->x, p->written, p->filled, p->read_type, p->x_block));
  if (p->classes != NULL) TRY(h5_array_write(p->y, p->written, p->filled, ELEMENT_I32, p->classes));
  if (p->values != NULL) TRY(h5_array_write(p->y, p->written, p->filled, ELEMENT_F64, p->values));
  p->written += p->filled;
  p->filled = 0;
  return MLPD_OK;
}

mlpd_status output_row(output *out, mlpd_split split, element_type read_type, const void *x, const int32_t *class_index,
                       const double *value) {
  part_output *p = &out->parts[split];
  const size_t row_bytes = out->features * element_size(read_type);
  if (read_type != p->read_type) TRY(write_block(p)); /* the next file of the part has another type */
  p->read_type = read_type;
  memcpy(p->x_block + p->filled * row_bytes, x, row_bytes);
  if (p->classes != NULL) p->classes[p->filled] = *class_index;
  if (p->values != NULL) memcpy(p->values + p->filled * out->y_columns, value, out->y_columns * sizeof *value);
  return ++p->filled == p->block_rows ? write_block(p) : MLPD_OK;
}

mlpd_status output_flush(output *out) {
  for (int split = MLPD_TRAIN; split <= MLPD_TEST; split++) {
    part_output *p = &out->parts[split];
    TRY(write_block(p));
    if (p->written != p->rows)
      return FAIL(MLPD_ERROR_INTERNAL, "%s: rows are missing from %s", out->path, x_paths[split]);
  }
  return MLPD_OK;
}

/* Closes the file without hiding what went wrong before: its message is the one to keep. */
static mlpd_status close_failed(output *out, mlpd_status failure) {
  char message[1024];
  (void)snprintf(message, sizeof message, "%s", mlpd_error_message());
  return h5_close(out->file) == MLPD_OK ? failure : FAIL(failure, "%s", message);
}

mlpd_status output_close(output *out, mlpd_status so_far) {
  for (int split = MLPD_TRAIN; split <= MLPD_TEST; split++) {
    part_output *p = &out->parts[split];
    h5_array_close(p->x);
    h5_array_close(p->y);
    free(p->x_block);
    free(p->classes);
    free(p->values);
  }
  mlpd_status status = so_far;
  if (out->temporary != NULL) {
    status = so_far == MLPD_OK ? h5_close(out->file) : close_failed(out, so_far);
    if (status == MLPD_OK && rename(out->temporary, out->path) != 0)
      status = FAIL(MLPD_ERROR_FILE, "%s: cannot be put in place: %s", out->path, strerror(errno));
    if (status != MLPD_OK) (void)unlink(out->temporary);
  }
  free(out->temporary);
  free(out->path);
  *out = (output){.file = NULL};
  return status;
}
