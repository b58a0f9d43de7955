#include "source/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"

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

bool column_by_number(const char *text, uint32_t columns, uint32_t *column) {
  number parsed;
  const char *end = text + strlen(text);
  if (number_parse(text, end, &parsed) != end || !parsed.is_integer) return false;
  const int64_t index = parsed.integer < 0 ? parsed.integer + columns : parsed.integer;
  if (index < 0 || index >= columns) return false;
  *column = (uint32_t)index;
  return true;
}
