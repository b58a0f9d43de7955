#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

mlpd_status h5_dataset_open(h5_file *file, const char *object, hid_t *id) {
  file->met_external_link = false;
  *id = H5I_INVALID_HID;
  const hid_t opened = H5Oopen(file->id, object, file->link_access);
  if (opened < 0) {
    TRY(h5_check_links(file, object));
    if (!h5_exists(file, object)) return FAIL(MLPD_ERROR_DATA, "%s: no data set %s", file->path, object);
    (void)H5Oopen(file->id, object, file->link_access);
    return FAIL(MLPD_ERROR_FILE, "%s: %s cannot be opened: %s", file->path, object, h5_reason());
  }
  if (H5Iget_type(opened) != H5I_DATASET) {
    h5_id_close(opened);
    return h5_fail_group(file, object);
  }
  *id = opened;
  return MLPD_OK;
}

typedef struct visit_state {
  mlpd_status (*visit)(void *context, const char *object);
  void *context;
  mlpd_status status;
} visit_state;

static herr_t visit_object(hid_t root, const char *name, const h5_object_info *info, void *context) {
  (void)root;
  visit_state *state = context;
  if (info->type != H5O_TYPE_DATASET) return 0;
  char *object = NULL;
  state->status = memory_allocate(&object, strlen(name) + 2, 1, "an object name");
  if (state->status == MLPD_OK) {
    object[0] = '/';
    memcpy(object + 1, name, strlen(name));
    state->status = state->visit(state->context, object);
  }
  free(object);
  return state->status == MLPD_OK ? 0 : -1;
}

mlpd_status h5_visit_arrays(h5_file *file, mlpd_status (*visit)(void *context, const char *object), void *context) {
  H5_ENTER();
  visit_state state = {.visit = visit, .context = context, .status = MLPD_OK};
  const herr_t result = H5_VISIT_OBJECTS(file->id, H5_INDEX_NAME, H5_ITER_INC, visit_object, &state, H5O_INFO_BASIC);
  if (state.status != MLPD_OK) return state.status;
  if (result < 0) return FAIL(MLPD_ERROR_FILE, "%s: its objects cannot be listed: %s", file->path, h5_reason());
  return MLPD_OK;
}
