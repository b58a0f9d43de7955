#include "source/category_set.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/number.h"

enum { FIRST_SLOTS = 64 };

mlpd_status category_set_create(category_set **made) {
  TRY(memory_allocate(made, 1, sizeof **made, "categories"));
  (*made)->num_slots = FIRST_SLOTS;
  return memory_allocate(&(*made)->slots, FIRST_SLOTS, sizeof(uint32_t), "categories");
}

void category_set_clear(category_set *set) {
  for (uint32_t k = 0; k < set->count; k++) free(set->all[k].text);
  if (set->slots != NULL) memset(set->slots, 0, set->num_slots * sizeof *set->slots);
  set->count = 0;
  set->rows = 0;
  set->full = set->coded = false;
}

void category_set_free(category_set *set) {
  if (set == NULL) return;
  category_set_clear(set);
  free(set->all);
  free(set->slots);
  free(set);
}

/* The slot of a text, or the free slot for it. */
static uint32_t *find_slot(const category_set *set, const char *text, size_t length) {
  for (uint64_t at = XXH3_64bits(text, length);; at++) {
    uint32_t *const slot = &set->slots[at & (set->num_slots - 1)];
    if (*slot == 0) return slot;
    const category *const one = &set->all[*slot - 1];
    if (one->length == length && memcmp(one->text, text, length) == 0) return slot;
  }
}

/* Makes room for one more text, with at most half of the slots in use. */
static mlpd_status grow(category_set *set) {
  if (set->count == set->room) {
    const uint32_t room = set->room > 0 ? 2 * set->room : FIRST_SLOTS / 2;
    category *const larger = realloc(set->all, room * sizeof *larger);
    if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for categories");
    set->all = larger;
    set->room = room;
  }
  if (2 * (set->count + 1) <= set->num_slots) return MLPD_OK;
  free(set->slots);
  set->slots = NULL;
  set->num_slots *= 2;
  TRY(memory_allocate(&set->slots, set->num_slots, sizeof *set->slots, "categories"));
  for (uint32_t k = 0; k < set->count; k++) *find_slot(set, set->all[k].text, set->all[k].length) = k + 1;
  return MLPD_OK;
}

mlpd_status category_set_add(category_set *set, const char *text, size_t length, uint32_t *index) {
  const uint32_t slot = *find_slot(set, text, length);
  set->rows++;
  *index = slot > 0 ? slot - 1 : set->count;
  if (slot > 0) set->all[slot - 1].rows++;
  if (set->full || slot > 0) return MLPD_OK;
  set->full = set->count == CATEGORIES_MOST;
  if (set->full) return MLPD_OK;
  TRY(grow(set));
  category *const one = &set->all[set->count];
  *one = (category){.length = length, .rows = 1};
  TRY(memory_allocate(&one->text, length + 1, 1, "category"));
  memcpy(one->text, text, length);
  set->count++;
  *find_slot(set, text, length) = set->count;
  set->coded = false;
  return MLPD_OK;
}

bool category_set_holds(const category_set *set, const char *text, size_t length) {
  return *find_slot(set, text, length) > 0;
}

/* ---- Codes ------------------------------------------------------------------------------------------ */

static bool read_number(const category *c, double *value) {
  number parsed;
  const char *const end = c->text + c->length;
  if (number_parse(c->text, end, &parsed) != end) return false;
  *value = parsed.value;
  return true;
}

static int by_text(const void *a, const void *b) {
  const category *const *x = a, *const *y = b;
  return strcmp((*x)->text, (*y)->text);
}

static int by_value(const void *a, const void *b) {
  double x = 0, y = 0;
  (void)read_number(*(category *const *)a, &x);
  (void)read_number(*(category *const *)b, &y);
  return x != y ? (x > y) - (x < y) : by_text(a, b);
}

static mlpd_status give_codes(category_set *set) {
  category **order = NULL;
  bool numbers = true;
  double value;
  if (set->coded || set->count == 0) return MLPD_OK; /* a column without a value has none */
  TRY(memory_allocate(&order, set->count, sizeof *order, "categories"));
  for (uint32_t k = 0; k < set->count; k++) {
    order[k] = &set->all[k];
    numbers = numbers && read_number(order[k], &value);
  }
  qsort(order, set->count, sizeof *order, numbers ? by_value : by_text);
  for (uint32_t k = 0; k < set->count; k++) order[k]->code = (int32_t)k;
  free(order);
  set->coded = true;
  return MLPD_OK;
}

mlpd_status category_set_code(category_set *set, const char *text, size_t length, int32_t *code) {
  TRY(give_codes(set));
  const uint32_t slot = *find_slot(set, text, length);
  *code = slot == 0 ? CATEGORY_UNKNOWN : set->all[slot - 1].code;
  return MLPD_OK;
}

mlpd_status category_set_names(category_set *set, name_list *names) {
  const char **texts = NULL;
  TRY(give_codes(set));
  TRY(memory_allocate(&texts, set->count, sizeof *texts, "categories"));
  for (uint32_t k = 0; k < set->count; k++) texts[set->all[k].code] = set->all[k].text;
  const mlpd_status status = name_list_copy(texts, set->count, names);
  free(texts);
  return status;
}
