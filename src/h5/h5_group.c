#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

mlpd_status h5_groups_create(h5_file *file, const char *object, bool whole) {
  char *path = NULL;
  TRY(memory_copy_string(object, &path));
  const hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  (void)H5Pset_obj_track_times(creation, false);
  mlpd_status status = MLPD_OK;
  for (char *end = path; *end != '\0' && status == MLPD_OK;) {
    end += 1 + strcspn(end + 1, "/");
    const char kept = *end;
    *end = '\0';
    if ((kept != '\0' || whole) && !h5_exists(file, path)) {
      const hid_t group = H5Gcreate2(file->id, path, H5P_DEFAULT, creation, H5P_DEFAULT);
      if (group < 0)
        status = FAIL(MLPD_ERROR_FILE, "%s: group %s cannot be created: %s", file->path, path, h5_reason());
      h5_id_close(group);
    }
    *end = kept;
  }
  h5_id_close(creation);
  free(path);
  return status;
}
