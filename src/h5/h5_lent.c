/* The list of a file's arrays whose numbers stay in the caller's memory. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

struct h5_lent {
  char *object;
  const void *data;
  h5_lent *next;
};

mlpd_status h5_lent_add(h5_file *file, const char *object, const void *data) {
  h5_lent *lent = NULL;
  TRY(memory_allocate(&lent, 1, sizeof *lent, object));
  const mlpd_status status = memory_copy_string(object, &lent->object);
  if (status != MLPD_OK) {
    free(lent);
    return status;
  }
  lent->data = data;
  lent->next = file->lent;
  file->lent = lent;
  return MLPD_OK;
}

const char *h5_lent_find(const h5_file *file, const char *object) {
  for (const h5_lent *l = file->lent; l != NULL; l = l->next)
    if (strcmp(l->object, object) == 0) return l->data;
  return NULL;
}

void h5_lent_free(h5_file *file) {
  while (file->lent != NULL) {
    h5_lent *const next = file->lent->next;
    free(file->lent->object);
    free(file->lent);
    file->lent = next;
  }
}
