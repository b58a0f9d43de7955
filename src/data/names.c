#include "data/names.h"

#include <stdlib.h>
#include <string.h>

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

mlpd_status name_list_add(name_list *list, const char *name) {
  char **const larger = realloc(list->names, (list->count + 1) * sizeof *larger);
  if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for a name");
  list->names = larger;
  TRY(memory_copy_string(name, &list->names[list->count]));
  list->count++;
  return MLPD_OK;
}

mlpd_status name_list_numbers(uint64_t count, name_list *made) {
  *made = (name_list){0};
  TRY(memory_allocate(&made->names, count, sizeof *made->names, "names"));
  for (; made->count < count; made->count++) {
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)made->count);
    const mlpd_status status = memory_copy_string(text, &made->names[made->count]);
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
  name_list_free(&names->labels);
  name_list_free(&names->left_out);
}

static bool lists_are_equal(const name_list *a, const name_list *b) {
  if (a->count != b->count) return false;
  for (uint64_t i = 0; i < a->count; i++)
    if (strcmp(a->names[i], b->names[i]) != 0) return false;
  return true;
}

bool name_list_holds(const name_list *list, const char *name) {
  for (uint64_t i = 0; i < list->count; i++)
    if (strcmp(list->names[i], name) == 0) return true;
  return false;
}

bool name_list_is_numbers(const name_list *list) {
  for (uint64_t i = 0; i < list->count; i++) {
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)i);
    if (strcmp(list->names[i], text) != 0) return false;
  }
  return true;
}

/* ---- Matching ------------------------------------------------------------------------------------ */

typedef struct placed_name {
  const char *name;
  uint32_t place;
} placed_name;

static int by_name_then_place(const void *a, const void *b) {
  const placed_name *const x = a, *const y = b;
  const int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static mlpd_status sort_names(const name_list *list, placed_name **sorted) {
  TRY(memory_allocate(sorted, list->count, sizeof **sorted, "names"));
  for (uint64_t i = 0; i < list->count; i++) (*sorted)[i] = (placed_name){list->names[i], (uint32_t)i};
  if (list->count > 0) qsort(*sorted, list->count, sizeof **sorted, by_name_then_place);
  return MLPD_OK;
}

mlpd_status name_list_check(const name_list *list, const char *file, const char *object) {
  placed_name *sorted = NULL;
  TRY(sort_names(list, &sorted));
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 1; i < list->count && status == MLPD_OK; i++)
    if (strcmp(sorted[i].name, sorted[i - 1].name) == 0)
      status = FAIL(MLPD_ERROR_DATA, "%s: %s holds '%.100s' at %u and %u (from 0): names must differ", file, object,
                    sorted[i].name, sorted[i - 1].place, sorted[i].place);
  free(sorted);
  return status;
}

/* Walks both sorted lists at once. */
static void meet(const placed_name *wanted, uint64_t num_wanted, const placed_name *given, uint64_t num_given,
                 name_match *made) {
  made->missing = num_wanted;
  made->unknown = num_given;
  for (uint64_t i = 0, k = 0; i < num_wanted && k < num_given;) {
    const int order = strcmp(wanted[i].name, given[k].name);
    if (order == 0) {
      made->from[wanted[i].place] = given[k].place;
      made->to[given[k].place] = wanted[i].place;
      made->missing--;
      made->unknown--;
    }
    i += order <= 0;
    k += order >= 0;
  }
}

bool names_are_places(const char *const *names, uint64_t count) {
  const size_t prefix = strlen(NAME_PLACE);
  for (uint64_t i = 0; names != NULL && i < count; i++) {
    if (strncmp(names[i], NAME_PLACE, prefix) != 0) return false;
    const char *const digits = names[i] + prefix;
    const size_t length = strspn(digits, "0123456789");
    if (length == 0 || (digits[length] != '\0' && digits[length] != '.' && digits[length] != ' ')) return false;
  }
  return names != NULL && count > 0;
}

/* Names of places and others do not meet: they match in order. */
static bool only_one_has_names(const name_list *wanted, const name_list *given) {
  return wanted->count == given->count && names_are_places((const char *const *)wanted->names, wanted->count) !=
                                              names_are_places((const char *const *)given->names, given->count);
}

mlpd_status name_match_make(const name_list *wanted, const name_list *given, name_match *made) {
  *made = (name_match){.in_order = lists_are_equal(wanted, given) || only_one_has_names(wanted, given)};
  placed_name *sorted_wanted = NULL, *sorted_given = NULL;
  mlpd_status status;
  TRY_GOTO(status, memory_allocate(&made->from, wanted->count, sizeof *made->from, "names"), done);
  TRY_GOTO(status, memory_allocate(&made->to, given->count, sizeof *made->to, "names"), done);
  for (uint64_t i = 0; i < wanted->count; i++) made->from[i] = made->in_order ? (uint32_t)i : NAME_ABSENT;
  for (uint64_t i = 0; i < given->count; i++) made->to[i] = made->in_order ? (uint32_t)i : NAME_ABSENT;
  if (made->in_order) goto done;
  TRY_GOTO(status, sort_names(wanted, &sorted_wanted), done);
  TRY_GOTO(status, sort_names(given, &sorted_given), done);
  meet(sorted_wanted, wanted->count, sorted_given, given->count, made);
done:
  free(sorted_wanted);
  free(sorted_given);
  if (status != MLPD_OK) name_match_free(made);
  return status;
}

void name_match_free(name_match *match) {
  free(match->from);
  free(match->to);
  *match = (name_match){0};
}

void name_list_print(const name_list *list, const uint32_t *place, char *text, size_t size) {
  enum { MORE_BYTES = 32, NAME_BYTES = 64 };
  size_t used = 0;
  uint64_t left = 0, shown = 0;
  text[0] = '\0';
  for (uint64_t i = 0; i < list->count; i++) left += place == NULL || place[i] == NAME_ABSENT;
  for (uint64_t i = 0; i < list->count && left > 0; i++) {
    char name[NAME_BYTES];
    if (place != NULL && place[i] != NAME_ABSENT) continue;
    mlpd_text_printable(list->names[i], name, sizeof name);
    if (used + strlen(name) + sizeof ", ''" + MORE_BYTES > size) break;
    used += (size_t)snprintf(text + used, size - used, "%s'%s'", shown > 0 ? ", " : "", name);
    shown++;
    left--;
  }
  if (left > 0)
    (void)snprintf(text + used, size - used, "%s%llu more", shown > 0 ? " and " : "", (unsigned long long)left);
}
