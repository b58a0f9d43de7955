#include "import/import_state_order.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MODULES_MOST = 256, VISITS_MOST = 4000, TEXT_BYTES = 400 };

bool state_is_linear(const state_module *m) {
  return m->parts[STATE_WEIGHT] != NULL && m->parts[STATE_WEIGHT]->rank == 2 && m->parts[STATE_MEAN] == NULL &&
         m->parts[STATE_VARIANCE] == NULL && m->parts[STATE_COUNTER] == NULL;
}

/* Names for a message, as far as there is room. */
static const char *list_names(const state_module *modules, size_t count, char text[TEXT_BYTES]) {
  size_t used = 0;
  for (size_t i = 0; i < count && used < TEXT_BYTES; i++)
    used +=
        (size_t)snprintf(text + used, TEXT_BYTES - used, "%s%.*s", i > 0 ? "," : "", modules[i].stem, modules[i].name);
  if (used >= TEXT_BYTES) memcpy(text + TEXT_BYTES - 4, "...", 4);
  return text;
}

/* ---- As told ----------------------------------------------------------------------------------------- */

static state_module *find_module(state_module *modules, size_t count, const char *name, size_t length) {
  for (size_t i = 0; i < count; i++)
    if ((size_t)modules[i].stem == length && strncmp(modules[i].name, name, length) == 0) return &modules[i];
  return NULL;
}

mlpd_status state_order_as_told(state_module *modules, size_t count, const char *list) {
  char text[TEXT_BYTES];
  size_t placed = 0;
  for (const char *at = list;;) {
    at += strspn(at, " ");
    const size_t length = strcspn(at, ", ");
    state_module *const found = find_module(modules + placed, count - placed, at, length);
    if (found == NULL)
      return FAIL(MLPD_ERROR_USAGE, "--layers: \"%.*s\" is named twice, or is no layer of the file; these are %s",
                  (int)length, at, list_names(modules, count, text));
    const state_module kept = modules[placed];
    modules[placed++] = *found;
    *found = kept;
    at += length + strspn(at + length, " ");
    if (*at == '\0') break;
    at++;
  }
  if (placed == count) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "--layers leaves out %s", list_names(modules + placed, count - placed, text));
}

/* ---- By widths --------------------------------------------------------------------------------------- */

static size_t digits_at(const state_module *m, size_t at) {
  size_t length = 0;
  while (at + length < (size_t)m->stem && isdigit((unsigned char)m->name[at + length])) length++;
  return length;
}

/* Do the names differ first in a number, which is smaller in a? */
static bool comes_first(const state_module *a, const state_module *b) {
  size_t at = 0;
  while (at < (size_t)a->stem && at < (size_t)b->stem && a->name[at] == b->name[at]) at++;
  while (at > 0 && isdigit((unsigned char)a->name[at - 1])) at--;
  while (at < (size_t)a->stem && at < (size_t)b->stem && a->name[at] == '0' && b->name[at] == '0') at++;
  const size_t of_a = digits_at(a, at), of_b = digits_at(b, at);
  if (of_a == 0 || of_b == 0) return false;
  return of_a != of_b ? of_a < of_b : strncmp(a->name + at, b->name + at, of_a) < 0;
}

typedef struct search {
  const state_module *modules;
  size_t count;
  uint32_t *waits;       /* (count) modules that must come before and are not placed yet */
  bool *placed;          /* (count) */
  size_t *order, *found; /* (count) of this try; of the first that fits */
  size_t orders, visits; /* that fit, up to 2; so far */
} search;

static void width_of(const state_module *m, uint64_t *inputs, uint64_t *outputs) {
  const import_array *const first = m->parts[STATE_WEIGHT] != NULL ? m->parts[STATE_WEIGHT] : m->parts[STATE_MEAN];
  *outputs = first->rows;
  *inputs = state_is_linear(m) ? first->columns : first->rows;
}

/* Module i was placed (by = -1) or taken back (1): what comes after it waits for one less or one more. */
static void count_waits(search *s, size_t i, int by) {
  s->placed[i] = by < 0;
  for (size_t k = 0; k < s->count; k++)
    if (comes_first(&s->modules[i], &s->modules[k])) s->waits[k] = (uint32_t)((int64_t)s->waits[k] + by);
}

/* All orders that go on from the first `depth` modules, of which the last gives `width` values. */
static void search_on(search *s, size_t depth, uint64_t width) {
  if (depth == s->count && s->orders++ == 0) memcpy(s->found, s->order, s->count * sizeof *s->order);
  for (size_t i = 0; i < s->count && s->orders < 2 && s->visits < VISITS_MOST; i++) {
    uint64_t inputs, outputs;
    width_of(&s->modules[i], &inputs, &outputs);
    if (s->placed[i] || s->waits[i] > 0 || (depth > 0 && inputs != width)) continue;
    s->visits++;
    count_waits(s, i, -1);
    s->order[depth] = i;
    search_on(s, depth + 1, outputs);
    count_waits(s, i, 1);
  }
}

static mlpd_status judge(const search *s, state_module *ordered) {
  static const char why[] = "the file does not keep the order of its layers, and";
  char text[TEXT_BYTES];
  const bool gave_up = s->visits == VISITS_MOST;
  if (s->orders == 0 && !gave_up)
    return FAIL(MLPD_ERROR_DATA, "%s in none does each take as many values as the one before gives: it has %s%s", why,
                list_names(s->modules, s->count, text), IMPORT_TURNED);
  if (s->orders > 1 || gave_up)
    return FAIL(MLPD_ERROR_USAGE, "%s names and widths do not tell it: give --layers with the names in order, of %s",
                why, list_names(s->modules, s->count, text));
  for (size_t i = 0; i < s->count; i++) ordered[i] = s->modules[s->found[i]];
  return MLPD_OK;
}

static mlpd_status search_orders(search *s, state_module *ordered) {
  for (size_t i = 0; i < s->count; i++) count_waits(s, i, 1);
  search_on(s, 0, 0);
  return judge(s, ordered);
}

mlpd_status state_order_by_widths(state_module *modules, size_t count) {
  search s = {.modules = modules, .count = count};
  state_module *ordered = NULL;
  if (count > MODULES_MOST)
    return FAIL(MLPD_ERROR_DATA, "it has %zu layers, of which import orders at most %d", count, MODULES_MOST);
  mlpd_status status = memory_allocate(&ordered, count, sizeof *ordered, "layers");
  if (status == MLPD_OK) status = memory_allocate(&s.waits, count, sizeof *s.waits, "layers");
  if (status == MLPD_OK) status = memory_allocate(&s.placed, count, sizeof *s.placed, "layers");
  if (status == MLPD_OK) status = memory_allocate(&s.order, count, sizeof *s.order, "layers");
  if (status == MLPD_OK) status = memory_allocate(&s.found, count, sizeof *s.found, "layers");
  if (status == MLPD_OK) status = search_orders(&s, ordered);
  if (status == MLPD_OK) memcpy(modules, ordered, count * sizeof *modules);
  free(ordered);
  free(s.waits);
  free(s.placed);
  free(s.order);
  free(s.found);
  return status;
}
