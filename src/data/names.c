#include "data/names.h"

#include <stdlib.h>

#include "base/memory.h"

mlpd_status name_list_copy(const char *const *names, uint64_t count, name_list *made) {
  *made = (name_list){0};
  TRY(memory_allocate(&made->names, count, sizeof *made->names, "names"));
  for (; made->count < count; made->count++) {
    const mlpd_status status = memory_copy_string(names[made->count], &made->names[made->count]);
    if (status == MLPD_OK) continue;
    name_list_free(made);
    return status;
  }
  return MLPD_OK;
}

void name_list_free(name_list *list) {
  for (uint64_t i = 0; list->names != NULL && i < list->count; i++) free(list->names[i]);
  free(list->names);
  *list = (name_list){0};
}

void data_names_free(data_names *names) {
  name_list_free(&names->columns);
  name_list_free(&names->targets);
  name_list_free(&names->classes);
}
