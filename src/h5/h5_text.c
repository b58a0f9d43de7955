#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

enum { MAX_STRING_BYTES = 1 << 20 /* longest fixed-length string */ };

/* Texts that are read before a file is known to be sound should have a fixed length: those of varying length lie in
 * HDF5's global heap, where version 1.10 follows a damaged index out of its memory. */
hid_t h5_text_type(size_t size) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0) {
    (void)H5Tset_size(type, size);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
  }
  return type;
}

/* Copies one string of at most size bytes, without its padding. */
static mlpd_status text_copy(const char *text, size_t size, bool blank_padded, char **copy) {
  size_t length = strnlen(text, size);
  while (blank_padded && length > 0 && text[length - 1] == ' ') --length;
  TRY(memory_allocate(copy, length + 1, 1, "a text"));
  memcpy(*copy, text, length);
  return MLPD_OK;
}

mlpd_status h5_text_layout_make(const h5_file *file, const char *object, hid_t stored, h5_text_layout *layout) {
  *layout = (h5_text_layout){.type = H5I_INVALID_HID};
  if (stored < 0 || H5Tget_class(stored) != H5T_STRING) {
    h5_id_close(stored);
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds no text", file->path, object);
  }
  layout->type = stored;
  layout->varying = H5Tis_variable_str(stored) > 0;
  layout->blank_padded = H5Tget_strpad(stored) == H5T_STR_SPACEPAD;
  layout->size = layout->varying ? sizeof(char *) : H5Tget_size(stored);
  if (layout->size > MAX_STRING_BYTES) {
    h5_id_close(stored);
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds texts of %zu bytes; at most %d are read", file->path, object,
                layout->size, (int)MAX_STRING_BYTES);
  }
  return MLPD_OK;
}

mlpd_status h5_texts_copy(const h5_text_layout *layout, const char *raw, uint64_t count, char **strings) {
  for (uint64_t i = 0; i < count; ++i) {
    const char *text = raw + i * layout->size;
    size_t size = layout->size;
    if (layout->varying) {
      memcpy(&text, raw + i * layout->size, sizeof text);
      if (text == NULL) text = "";
      size = SIZE_MAX;
    }
    TRY(text_copy(text, size, layout->blank_padded, &strings[i]));
  }
  return MLPD_OK;
}
