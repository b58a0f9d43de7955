#include "convert/convert_output.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "convert/convert.h"

enum { CHUNK_BYTES = 1 << 18, BLOCK_BYTES = 1 << 20 };

static const char *const x_paths[] = {[MLPD_TRAIN] = "/train/x", [MLPD_VALID] = "/valid/x", [MLPD_TEST] = "/test/x"};
static const char *const y_paths[] = {[MLPD_TRAIN] = "/train/y", [MLPD_VALID] = "/valid/y", [MLPD_TEST] = "/test/y"};

/* An existing file at path may be replaced if it is empty or a data set that a conversion made; that of a run by runs.
 */
static mlpd_status check_replaceable(const char *path, bool of_run) {
  struct stat about;
  if (stat(path, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0) return MLPD_OK;
  h5_file *file = NULL;
  bool ours = h5_is_hdf5(path) && h5_open(path, &file) == MLPD_OK;
  if (ours) {
    ours =
        h5_attribute_exists(file, "/", "mlpdist_schema") && (of_run || !h5_attribute_exists(file, "/", CONVERT_ORIGIN));
    (void)h5_close(file); /* read-only: nothing is lost */
  }
  if (ours) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE,
              "%s exists and is not a data set that convert made, so it is not replaced: the last argument is the file "
              "to write; choose a new name, such as data.h5",
              path);
}

/* An output with the name of an input format is a sign that OUT was forgotten. */
static mlpd_status check_name(const char *path) {
  static const char *const inputs[] = {".csv", ".tsv", ".txt", ".npy", ".npz", ".gz", ".zip"};
  const size_t length = strlen(path);
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
    const size_t end = strlen(inputs[i]);
    if (length >= end && strcasecmp(path + length - end, inputs[i]) == 0)
      return FAIL(MLPD_ERROR_USAGE,
                  "%s: the last argument is the HDF5 file to write, so its name cannot end in %s; add the output, such "
                  "as data.h5, after the inputs",
                  path, inputs[i]);
  }
  return MLPD_OK;
}

mlpd_status output_check(const char *path, const char *const *inputs, int num_inputs, bool of_run) {
  for (int i = 0; i < num_inputs; i++) {
    const file_identity written = file_identify(path), read = file_identify(inputs[i]);
    if (file_identities_equal(&written, &read))
      return FAIL(MLPD_ERROR_USAGE,
                  "%s is both input and output; the last argument is the file to write, such as data.h5", path);
  }
  TRY(file_check_folder_of(path));
  TRY(check_replaceable(path, of_run));
  return check_name(path);
}

mlpd_status output_create(const char *path, output *out) {
  *out = (output){.file = NULL};
  TRY(file_output_open(path, FILE_HDF5, &out->place));
  const mlpd_status status = h5_create_as(out->place.temporary, path, &out->file);
  if (status != MLPD_OK) file_output_discard(&out->place);
  return status;
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
  if (read_type != p->read_type) TRY(write_block(p)); /* the next source has another type */
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
      return FAIL(MLPD_ERROR_INTERNAL, "%s: rows are missing from %s", out->place.path, x_paths[split]);
  }
  return MLPD_OK;
}

/* Closes the file but keeps the message of the earlier failure. */
static mlpd_status close_failed(output *out, mlpd_status failure) {
  status_kept first;
  status_keep(&first);
  (void)h5_close(out->file);
  status_put_back(&first);
  return failure;
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
  if (out->file != NULL) {
    status = so_far == MLPD_OK ? h5_close(out->file) : close_failed(out, so_far);
    if (status == MLPD_OK)
      status = file_output_commit(&out->place);
    else
      file_output_discard(&out->place);
  }
  *out = (output){.file = NULL};
  return status;
}
