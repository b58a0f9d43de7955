#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

enum { MAX_STRINGS = 1 << 24 /* class names: more is a damaged or hostile file */ };

mlpd_status h5_strings_write(h5_file *file, const char *object, const char *const *strings, uint64_t count) {
  H5_ENTER();
  const hsize_t dims = count;
  size_t size = 1;
  char *packed = NULL; /* (count, size) */
  for (uint64_t i = 0; i < count; ++i)
    if (strlen(strings[i]) >= size) size = strlen(strings[i]) + 1;
  TRY(h5_groups_create(file, object, false));
  TRY(memory_allocate(&packed, count, size, object));
  for (uint64_t i = 0; i < count; ++i) memcpy(packed + i * size, strings[i], strlen(strings[i]));
  const hid_t type = h5_text_type(size), creation = H5Pcreate(H5P_DATASET_CREATE);
  (void)H5Pset_obj_track_times(creation, false);
  const hid_t space = H5Screate_simple(1, &dims, NULL);
  const hid_t id = H5Dcreate2(file->id, object, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  mlpd_status status = MLPD_OK;
  if (id < 0 || (count > 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) < 0))
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be written: %s", file->path, object, h5_reason());
  h5_id_close(id);
  h5_id_close(space);
  h5_id_close(creation);
  h5_id_close(type);
  free(packed);
  return status;
}

/* Opens the one-dimensional or scalar data set of texts and describes it. The caller closes *id, *space and
 * layout->type. */
static mlpd_status strings_open(h5_file *file, const char *object, hid_t *id, hid_t *space, h5_text_layout *layout,
                                uint64_t *count) {
  TRY(h5_dataset_open(file, object, id));
  h5_text_layout found;
  TRY(h5_text_layout_make(file, object, H5Dget_type(*id), &found));
  *layout = found;
  const hid_t creation = H5Dget_create_plist(*id);
  const bool elsewhere = H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) != 0;
  h5_id_close(creation);
  if (elsewhere)
    return FAIL(MLPD_ERROR_DATA, "%s: %s keeps its data in another file, which mlpdist does not open", file->path,
                object);
  *space = H5Dget_space(*id);
  const hssize_t points = H5Sget_simple_extent_npoints(*space);
  if (H5Sget_simple_extent_ndims(*space) > 1 || points < 0 || points > MAX_STRINGS)
    return FAIL(MLPD_ERROR_DATA, "%s: %s is not a list of at most %d texts", file->path, object, (int)MAX_STRINGS);
  if (!h5_could_hold(file, (double)points * (double)layout->size, true))
    return FAIL(MLPD_ERROR_DATA, "%s: %s claims %lld texts, more than a file of %" PRIu64 " bytes can hold", file->path,
                object, (long long)points, file->size);
  *count = (uint64_t)points;
  return MLPD_OK;
}

mlpd_status h5_strings_read(h5_file *file, const char *object, char ***strings, uint64_t *count) {
  H5_ENTER();
  *strings = NULL;
  *count = 0;
  hid_t id = H5I_INVALID_HID, space = H5I_INVALID_HID;
  h5_text_layout layout = {.type = H5I_INVALID_HID};
  char *raw = NULL, **list = NULL;
  uint64_t found = 0;
  bool filled = false;
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, strings_open(file, object, &id, &space, &layout, &found), done);
  TRY_GOTO(status, memory_allocate(&raw, found, layout.size, object), done);
  TRY_GOTO(status, memory_allocate(&list, found, sizeof *list, object), done);
  if (found > 0 && H5Dread(id, layout.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0)
    TRY_GOTO(status, FAIL(MLPD_ERROR_FILE, "%s: %s cannot be read: %s", file->path, object, h5_reason()), done);
  filled = found > 0;
  TRY_GOTO(status, h5_texts_copy(&layout, raw, found, list), done);
  *strings = list;
  *count = found;
  list = NULL;
done:
  if (filled && layout.varying) (void)H5Dvlen_reclaim(layout.type, space, H5P_DEFAULT, raw);
  h5_strings_free(list, found);
  free(raw);
  h5_id_close(layout.type);
  h5_id_close(space);
  h5_id_close(id);
  return status;
}

void h5_strings_free(char **strings, uint64_t count) {
  if (strings == NULL) return;
  for (uint64_t i = 0; i < count; ++i) free(strings[i]);
  free(strings);
}
