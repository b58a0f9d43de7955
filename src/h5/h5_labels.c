/* Reads labels that are texts or the named values of an enumeration, as other programs store class names. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

enum { BLOCK_BYTES = 1 << 20 };

/* The text at raw; *length excludes its padding. */
static const char *text_at(const h5_text_layout *layout, const char *raw, size_t *length) {
  const char *text = raw;
  if (layout->varying) {
    memcpy(&text, raw, sizeof text);
    if (text == NULL) text = "";
  }
  *length = layout->varying ? strlen(text) : strnlen(text, layout->size);
  while (layout->blank_padded && *length > 0 && text[*length - 1] == ' ') --*length;
  return text;
}

static mlpd_status read_block(h5_array *array, const h5_text_layout *layout, uint64_t row, uint64_t count, char *raw,
                              h5_text_visit *visit, void *context) {
  hid_t file_space = H5I_INVALID_HID, memory_space = H5I_INVALID_HID;
  mlpd_status status = h5_rows_select(array, row, count, &file_space, &memory_space);
  bool filled = false;
  if (status == MLPD_OK) {
    filled = H5Dread(array->id, layout->type, memory_space, file_space, H5P_DEFAULT, raw) >= 0;
    if (!filled)
      status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be read: %s", array->file->path, array->object, h5_reason());
  }
  const mlpd_status whole = h5_check_whole(array, row, count);
  if (whole != MLPD_OK) status = whole;
  for (uint64_t i = 0; i < count && status == MLPD_OK; i++) {
    size_t length = 0;
    const char *const text = text_at(layout, raw + i * layout->size, &length);
    status = visit(context, row + i, text, length);
  }
  if (filled && layout->varying) (void)H5Dvlen_reclaim(layout->type, memory_space, H5P_DEFAULT, raw);
  h5_id_close(memory_space);
  h5_id_close(file_space);
  return status;
}

mlpd_status h5_array_read_texts(h5_array *array, uint64_t row, uint64_t count, h5_text_visit *visit, void *context) {
  H5_ENTER();
  if (count == 0) return MLPD_OK;
  if (!array->shape.text || array->shape.columns != 1 || row > array->shape.rows || count > array->shape.rows - row)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s is read as texts that it does not hold", array->file->path, array->object);
  if (array->chunk[0] > 0 && !array->file->writable) TRY(h5_check_chunks(array, row, count));
  h5_text_layout layout;
  TRY(h5_text_layout_make(array->file, array->object, H5Dget_type(array->id), &layout));
  const uint64_t fit = BLOCK_BYTES / layout.size + 1, most = fit < count ? fit : count;
  char *raw = NULL;
  mlpd_status status = memory_allocate(&raw, most, layout.size, array->object);
  for (uint64_t done = 0; done < count && status == MLPD_OK; done += most)
    status = read_block(array, &layout, row + done, count - done < most ? count - done : most, raw, visit, context);
  free(raw);
  h5_id_close(layout.type);
  return status;
}

/* Reads member i of the enumeration type. */
static mlpd_status value_read(hid_t type, unsigned i, char **name, int64_t *value) {
  const hid_t stored = H5Tget_super(type);
  const size_t size = H5Tget_size(stored);
  union {
    int64_t integer;
    char bytes[64];
  } room = {0};
  char *const given = H5Tget_member_name(type, i);
  mlpd_status status = FAIL(MLPD_ERROR_DATA, "a named value cannot be read");
  if (given != NULL && size <= sizeof room && H5Tget_member_value(type, i, &room) >= 0 &&
      H5Tconvert(stored, H5T_NATIVE_INT64, 1, &room, NULL, H5P_DEFAULT) >= 0) {
    *value = room.integer;
    status = memory_copy_string(given, name);
  }
  (void)H5free_memory(given);
  h5_id_close(stored);
  return status;
}

mlpd_status h5_array_value_names(const h5_array *array, char ***names, int64_t **values, uint64_t *count) {
  H5_ENTER();
  *names = NULL;
  *values = NULL;
  *count = 0;
  const hid_t type = H5Dget_type(array->id);
  const int members = H5Tget_class(type) == H5T_ENUM ? H5Tget_nmembers(type) : 0;
  mlpd_status status = MLPD_OK;
  if (members > 0) {
    *count = (uint64_t)members;
    status = memory_allocate(names, *count, sizeof **names, "named values");
    if (status == MLPD_OK) status = memory_allocate(values, *count, sizeof **values, "named values");
    for (unsigned i = 0; i < (unsigned)members && status == MLPD_OK; i++)
      status = value_read(type, i, &(*names)[i], &(*values)[i]);
  }
  h5_id_close(type);
  if (status == MLPD_OK) return MLPD_OK;
  h5_strings_free(*names, *count);
  free(*values);
  *names = NULL;
  *values = NULL;
  *count = 0;
  return status;
}
