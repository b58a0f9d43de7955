#include "convert/convert_source.h"

#include <stdlib.h>

void source_close(source *s) {
  if (s == NULL) return;
  name_list_free(&s->columns);
  name_list_free(&s->targets);
  name_list_free(&s->left_out);
  free(s->yes_no);
  free(s->categories);
  free(s->columns_from);
  free(s->targets_from);
  s->methods->close(s);
}

void source_list_add(source_list *list, source *s, mlpd_split part) {
  s->part = part;
  list->all[list->count++] = s;
}
