#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "h5/h5_internal.h"

/* The selection has the same shape in memory as in the file, because HDF5 copies chunks to any other shape element by
 * element, which is many times slower. */
mlpd_status h5_rows_select(h5_array *array, uint64_t row, uint64_t count, hid_t *file_space, hid_t *memory_space) {
  hsize_t start[H5_MAX_STORED_RANK] = {row}, extent[H5_MAX_STORED_RANK] = {count};
  for (int i = 1; i < array->stored_rank; ++i) extent[i] = array->dims[i];
  *file_space = H5Dget_space(array->id);
  *memory_space = H5Screate_simple(array->stored_rank, extent, NULL);
  if (*file_space < 0 || *memory_space < 0 ||
      H5Sselect_hyperslab(*file_space, H5S_SELECT_SET, start, NULL, extent, NULL) < 0)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: rows of %s cannot be selected: %s", array->file->path, array->object,
                h5_reason());
  return MLPD_OK;
}

mlpd_status h5_array_read(h5_array *array, uint64_t row, uint64_t count, element_type as, void *out) {
  if (count == 0 || array->shape.columns == 0) return MLPD_OK;
  if (row > array->shape.rows || count > array->shape.rows - row)
    return FAIL(MLPD_ERROR_INTERNAL,
                "%s: %s has %" PRIu64 " rows, but %" PRIu64 " rows from row %" PRIu64 " were requested",
                array->file->path, array->object, array->shape.rows, count, row);
  if (array->shape.text)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s holds text, but numbers were requested", array->file->path, array->object);
  if (h5_direct_can(array, as)) return h5_direct_read(array, row, count, as, out);
  if (array->lent != NULL)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s is lent as %s and cannot be read as %s", array->file->path, array->object,
                element_name(array->shape.type), element_name(as));
  H5_ENTER();
  if (array->chunk[0] > 0 && !array->file->writable) TRY(h5_check_chunks(array, row, count));
  hid_t file_space = H5I_INVALID_HID, memory_space = H5I_INVALID_HID;
  mlpd_status status = h5_rows_select(array, row, count, &file_space, &memory_space);
  if (status == MLPD_OK && H5Dread(array->id, h5_native_type(as), memory_space, file_space, H5P_DEFAULT, out) < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be read at rows %" PRIu64 " to %" PRIu64 ": %s", array->file->path,
                  array->object, row, row + count - 1, h5_reason());
  h5_id_close(memory_space);
  h5_id_close(file_space);
  const mlpd_status whole = h5_check_whole(array, row, count);
  return whole != MLPD_OK ? whole : status;
}

/* Returns creation properties, or a negative identifier. Times are not stored, so that equal content gives equal bytes.
 */
static hid_t creation_create(const h5_array *array, int deflate) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  bool good = creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0;
  if (good && array->chunk[0] > 0) good = H5Pset_chunk(creation, array->stored_rank, array->chunk) >= 0;
  if (good && deflate > 0) good = H5Pset_shuffle(creation) >= 0 && H5Pset_deflate(creation, (unsigned)deflate) >= 0;
  if (good) return creation;
  h5_id_close(creation);
  return H5I_INVALID_HID;
}

static mlpd_status array_make(h5_array *array, int deflate) {
  hsize_t max_dims[2] = {array->grows ? H5S_UNLIMITED : array->dims[0], array->dims[1]};
  TRY(h5_groups_create(array->file, array->object, false));
  const hid_t creation = creation_create(array, deflate);
  const hid_t space = H5Screate_simple(array->stored_rank, array->dims, max_dims);
  const hid_t text = array->shape.text ? h5_text_type(H5T_VARIABLE) : H5I_INVALID_HID;
  const hid_t type = array->shape.text ? text : h5_native_type(array->shape.type);
  mlpd_status status = MLPD_OK;
  if (creation >= 0 && space >= 0)
    array->id = H5Dcreate2(array->file->id, array->object, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  if (array->id < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be created: %s", array->file->path, array->object, h5_reason());
  h5_id_close(text);
  h5_id_close(space);
  h5_id_close(creation);
  return status;
}

mlpd_status h5_array_create(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                            uint64_t chunk_rows, int deflate, h5_array **array) {
  H5_ENTER();
  *array = NULL;
  if (deflate > 0 && chunk_rows == 0)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s cannot be compressed without chunks", file->path, object);
  h5_array *made = NULL;
  TRY(h5_array_allocate(file, object, &made));
  const int rank = columns == 0 ? 1 : 2;
  made->grows = rows == 0 && chunk_rows > 0;
  made->stored_rank = rank;
  made->dims[0] = rows;
  made->dims[1] = columns;
  made->chunk[0] = made->grows || chunk_rows < rows ? chunk_rows : rows;
  made->chunk[1] = columns;
  made->shape = (h5_shape){
      .rank = rank, .rows = rows, .columns = rank == 1 ? 1 : columns, .type = type, .chunk_rows = made->chunk[0]};
  (void)snprintf(made->stored_type, sizeof made->stored_type, "%s", element_name(type));
  (void)snprintf(made->storage, sizeof made->storage, "contiguous");
  if (made->chunk[0] > 0) h5_chunks_describe(made, rank);
  if (deflate > 0) {
    const size_t length = strlen(made->storage);
    (void)snprintf(made->storage + length, sizeof made->storage - length, ", deflate %d", deflate);
  }
  const mlpd_status status = array_make(made, deflate);
  if (status == MLPD_OK)
    *array = made;
  else
    h5_array_close(made);
  return status;
}

/* HDF5 knows shape and type alone: it allocates an array in one piece when it is first written, which this never is. */
mlpd_status h5_array_lend(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                          const void *data) {
  h5_array *array = NULL;
  TRY(h5_array_create(file, object, rows, columns, type, 0, 0, &array));
  h5_array_close(array);
  return h5_lent_add(file, object, data);
}

static mlpd_status array_grow(h5_array *array, uint64_t rows) {
  const hsize_t dims[2] = {rows, array->dims[1]};
  if (H5Dset_extent(array->id, dims) < 0)
    return FAIL(MLPD_ERROR_FILE, "%s: %s cannot grow to %" PRIu64 " rows: %s", array->file->path, array->object, rows,
                h5_reason());
  array->dims[0] = rows;
  array->shape.rows = rows;
  return MLPD_OK;
}

static mlpd_status array_write(h5_array *array, uint64_t row, uint64_t count, hid_t type, const void *data) {
  if (count == 0) return MLPD_OK;
  if (row + count > array->shape.rows) {
    if (!array->grows)
      return FAIL(MLPD_ERROR_INTERNAL, "%s: %s was created with %" PRIu64 " rows; row %" PRIu64 " is beyond its end",
                  array->file->path, array->object, array->shape.rows, row + count - 1);
    TRY(array_grow(array, row + count));
  }
  hid_t file_space = H5I_INVALID_HID, memory_space = H5I_INVALID_HID;
  mlpd_status status = h5_rows_select(array, row, count, &file_space, &memory_space);
  if (status == MLPD_OK && H5Dwrite(array->id, type, memory_space, file_space, H5P_DEFAULT, data) < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be written: %s", array->file->path, array->object, h5_reason());
  if (status == MLPD_OK) status = h5_written_check(array->file, array->object);
  h5_id_close(memory_space);
  h5_id_close(file_space);
  return status;
}

mlpd_status h5_array_write(h5_array *array, uint64_t row, uint64_t count, element_type as, const void *data) {
  H5_ENTER();
  return array_write(array, row, count, h5_native_type(as), data);
}

mlpd_status h5_texts_create(h5_file *file, const char *object, uint64_t rows, uint64_t columns, h5_array **array) {
  H5_ENTER();
  h5_array *made = NULL;
  *array = NULL;
  TRY(h5_array_allocate(file, object, &made));
  made->stored_rank = 2;
  made->dims[0] = rows;
  made->dims[1] = columns;
  made->shape = (h5_shape){.rank = 2, .rows = rows, .columns = columns, .text = true};
  const mlpd_status status = array_make(made, 0);
  if (status == MLPD_OK)
    *array = made;
  else
    h5_array_close(made);
  return status;
}

mlpd_status h5_texts_write(h5_array *array, uint64_t row, uint64_t count, char *const *texts) {
  H5_ENTER();
  const hid_t type = h5_text_type(H5T_VARIABLE);
  const mlpd_status status = array_write(array, row, count, type, texts);
  h5_id_close(type);
  return status;
}

mlpd_status h5_write(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                     const void *data) {
  h5_array *array = NULL;
  TRY(h5_array_create(file, object, rows, columns, type, 0, 0, &array));
  const mlpd_status status = h5_array_write(array, 0, rows, type, data);
  h5_array_close(array);
  return status;
}

mlpd_status h5_read(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type as, void *out) {
  h5_array *array = NULL;
  TRY(h5_array_open(file, object, &array));
  const h5_shape shape = array->shape;
  const uint64_t wanted_columns = columns == 0 ? 1 : columns;
  mlpd_status status = MLPD_OK;
  if (shape.rows != rows || shape.columns != wanted_columns)
    status = FAIL(MLPD_ERROR_DATA, "%s: %s has shape (%" PRIu64 ", %" PRIu64 "), not (%" PRIu64 ", %" PRIu64 ")",
                  file->path, object, shape.rows, shape.columns, rows, wanted_columns);
  else
    status = h5_array_read(array, 0, rows, as, out);
  h5_array_close(array);
  return status;
}
