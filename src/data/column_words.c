#include "data/column_words.h"

#include <stdarg.h>
#include <string.h>

enum { SHOWN = 6, NAME_SHOWN = 40 };

__attribute__((format(printf, 3, 4))) static void add(char text[COLUMN_WORDS_BYTES], size_t *used, const char *format,
                                                      ...) {
  va_list arguments;
  if (*used >= COLUMN_WORDS_BYTES) return;
  va_start(arguments, format);
  const int length = vsnprintf(text + *used, COLUMN_WORDS_BYTES - *used, format, arguments);
  va_end(arguments);
  if (length > 0) *used += (size_t)length;
}

static void add_name(const name_list *names, uint32_t j, char *text, size_t *used) {
  if (j < names->count)
    add(text, used, "%.*s: ", NAME_SHOWN, names->names[j]);
  else
    add(text, used, "column %u: ", j);
}

static void add_category(const name_list *list, uint64_t k, uint64_t place, char *text, size_t *used) {
  if (place < SHOWN) add(text, used, "%s%.*s", place > 0 ? ", " : "", NAME_SHOWN, list->names[k]);
  if (place == SHOWN) add(text, used, ", ...");
}

void column_words(const columns *about, const name_list *names, uint32_t j, char text[COLUMN_WORDS_BYTES]) {
  const name_list *const list = &about->categories[j];
  size_t used = 0;
  text[0] = '\0';
  add_name(names, j, text, &used);
  if (about->kinds[j] != COLUMN_KIND_CATEGORY) return add(text, &used, "%s", column_kind_name(about->kinds[j]));
  add(text, &used, "%llu categor%s: ", (unsigned long long)list->count, list->count == 1 ? "y" : "ies");
  for (uint64_t k = 0; k < list->count; k++) add_category(list, k, k, text, &used);
}

static void add_inputs(const column_codes *c, uint32_t j, char *text, size_t *used) {
  const uint32_t inputs = c->begin[j + 1] - c->begin[j];
  if (c->embedded[j])
    add(text, used, ", embedded in %u numbers", c->embed_width);
  else
    add(text, used, ", %u input%s", inputs, inputs == 1 ? "" : "s");
}

static void add_categories(const column_codes *c, uint32_t j, char *text, size_t *used) {
  const name_list *const list = &c->about.categories[j];
  uint64_t place = 0, left_out = 0;
  for (uint64_t k = 0; k < list->count; k++) {
    if (c->inputs[c->first[j] + k] >= 0)
      add_category(list, k, place++, text, used);
    else
      left_out++;
  }
  if (c->marked[j]) add(text, used, "%smissing", place > 0 ? ", " : "");
  if (left_out > 0) add(text, used, "; %llu without an input", (unsigned long long)left_out);
}

void column_codes_words(const column_codes *c, const name_list *names, uint32_t j, char text[COLUMN_WORDS_BYTES]) {
  size_t used = 0;
  text[0] = '\0';
  add_name(names, j, text, &used);
  add(text, &used, "%s", column_kind_name(c->about.kinds[j]));
  add_inputs(c, j, text, &used);
  if (c->about.kinds[j] != COLUMN_KIND_CATEGORY) {
    if (c->marked[j]) add(text, &used, ": the value (%.6g if missing), and 1 if missing", c->fill[j]);
    return;
  }
  add(text, &used, "%s", c->begin[j + 1] > c->begin[j] ? ": " : "");
  add_categories(c, j, text, &used);
}
