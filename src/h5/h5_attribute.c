#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

/* bytes; an attribute in an object header has room for 64 KiB */
enum { MAX_FIXED_ATTRIBUTE = 60000 };

static mlpd_status attribute_write(h5_file *file, const char *object, const char *name, hid_t type, const void *value) {
  TRY(h5_groups_create(file, object, true));
  if (h5_attribute_exists(file, object, name)) (void)H5Adelete_by_name(file->id, object, name, file->link_access);
  mlpd_status status = MLPD_OK;
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t id = H5Acreate_by_name(file->id, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, file->link_access);
  if (id < 0 || H5Awrite(id, type, value) < 0)
    status =
        FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be written: %s", file->path, name, object, h5_reason());
  h5_id_close(id);
  h5_id_close(space);
  return status;
}

mlpd_status h5_attribute_write_u64(h5_file *file, const char *object, const char *name, uint64_t value) {
  H5_ENTER();
  return attribute_write(file, object, name, H5T_NATIVE_UINT64, &value);
}

mlpd_status h5_attribute_write_double(h5_file *file, const char *object, const char *name, double value) {
  H5_ENTER();
  return attribute_write(file, object, name, H5T_NATIVE_DOUBLE, &value);
}

mlpd_status h5_attribute_write_text(h5_file *file, const char *object, const char *name, const char *text) {
  H5_ENTER();
  const size_t size = strlen(text) + 1;
  const bool fixed = size <= MAX_FIXED_ATTRIBUTE;
  const hid_t type = h5_text_type(fixed ? size : H5T_VARIABLE);
  const mlpd_status status = attribute_write(file, object, name, type, fixed ? (const void *)text : &text);
  h5_id_close(type);
  return status;
}

bool h5_attribute_exists(h5_file *file, const char *object, const char *name) {
  H5_ENTER();
  return H5Aexists_by_name(file->id, object, name, file->link_access) > 0;
}

/* Opens the attribute, which must be a single value. On success the caller closes *id and *type. */
static mlpd_status attribute_open(h5_file *file, const char *object, const char *name, hid_t *id, hid_t *type) {
  if (!h5_attribute_exists(file, object, name))
    return FAIL(MLPD_ERROR_DATA, "%s: %s has no attribute %s", file->path, object, name);
  *id = H5Aopen_by_name(file->id, object, name, H5P_DEFAULT, file->link_access);
  if (*id < 0)
    return FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be read: %s", file->path, name, object, h5_reason());
  const hid_t space = H5Aget_space(*id);
  const hssize_t points = H5Sget_simple_extent_npoints(space);
  h5_id_close(space);
  *type = H5Aget_type(*id);
  if (*type >= 0 && points == 1) return MLPD_OK;
  h5_id_close(*type);
  h5_id_close(*id);
  return FAIL(MLPD_ERROR_DATA, "%s: attribute %s of %s is not a single value", file->path, name, object);
}

/* Reads an attribute that is a number; integer_only refuses floats. */
static mlpd_status attribute_read_number(h5_file *file, const char *object, const char *name, bool integer_only,
                                         hid_t memory_type, void *value) {
  hid_t id = H5I_INVALID_HID, type = H5I_INVALID_HID;
  TRY(attribute_open(file, object, name, &id, &type));
  const H5T_class_t class = H5Tget_class(type);
  mlpd_status status = MLPD_OK;
  int64_t low = 0;
  if (class != H5T_INTEGER && (integer_only || class != H5T_FLOAT))
    status = FAIL(MLPD_ERROR_DATA, "%s: attribute %s of %s is not %s", file->path, name, object,
                  integer_only ? "an integer" : "a number");
  else if (integer_only && H5Tget_sign(type) == H5T_SGN_2 && H5Aread(id, H5T_NATIVE_INT64, &low) >= 0 && low < 0)
    status = FAIL(MLPD_ERROR_DATA, "%s: attribute %s of %s is %" PRId64 ", below 0", file->path, name, object, low);
  else if (H5Aread(id, memory_type, value) < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be read: %s", file->path, name, object, h5_reason());
  h5_id_close(type);
  h5_id_close(id);
  return status;
}

mlpd_status h5_attribute_read_u64(h5_file *file, const char *object, const char *name, uint64_t *value) {
  H5_ENTER();
  return attribute_read_number(file, object, name, true, H5T_NATIVE_UINT64, value);
}

mlpd_status h5_attribute_read_double(h5_file *file, const char *object, const char *name, double *value) {
  H5_ENTER();
  return attribute_read_number(file, object, name, false, H5T_NATIVE_DOUBLE, value);
}

mlpd_status h5_attribute_read_text(h5_file *file, const char *object, const char *name, char **text) {
  H5_ENTER();
  *text = NULL;
  hid_t id = H5I_INVALID_HID, type = H5I_INVALID_HID;
  TRY(attribute_open(file, object, name, &id, &type));
  h5_text_layout layout;
  mlpd_status status = h5_text_layout_make(file, object, type, &layout);
  char *raw = NULL;
  if (status == MLPD_OK) status = memory_allocate(&raw, layout.size, 1, "an attribute");
  if (status == MLPD_OK) {
    if (H5Aread(id, layout.type, raw) < 0) {
      status =
          FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be read: %s", file->path, name, object, h5_reason());
    } else {
      status = h5_texts_copy(&layout, raw, 1, text);
      const hid_t space = H5Aget_space(id);
      if (layout.varying) (void)H5Dvlen_reclaim(layout.type, space, H5P_DEFAULT, raw);
      h5_id_close(space);
    }
  }
  free(raw);
  h5_id_close(layout.type);
  h5_id_close(id);
  return status;
}
