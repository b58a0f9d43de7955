#include "data/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/part_codes.h"

enum { NAMES_BYTES = 300, NOTE_BYTES = 1000 };

static void note(const match_wishes *wishes, const part *p, const char *text, const char *names, const char *after) {
  char line[NOTE_BYTES];
  if (wishes->note == NULL) return;
  (void)snprintf(line, sizeof line, "%s: %s%s%s", p->file, text, names, after);
  wishes->note(wishes->context, line);
}

/* ---- Columns and targets ------------------------------------------------------------------------- */

typedef struct list_kind {
  const char *one, *many, *cure;
} list_kind;

static const list_kind columns_kind = {"column", "columns", "mlpdist convert --ignore leaves columns out of a table"};
static const list_kind targets_kind = {"target", "targets", "mlpdist convert --label chooses the targets of a table"};

static mlpd_status fail_names(const part *p, const list_kind *kind, const name_list *wanted, const name_list *given,
                              const name_match *found) {
  char missing[NAMES_BYTES], unknown[NAMES_BYTES];
  name_list_print(wanted, found->from, missing, sizeof missing);
  name_list_print(given, found->to, unknown, sizeof unknown);
  if (found->unknown == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: no %s %s, which the model needs", p->file,
                found->missing > 1 ? kind->many : kind->one, missing);
  if (found->missing == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: %s %s, which the model does not know; %s", p->file,
                found->unknown > 1 ? kind->many : kind->one, unknown, kind->cure);
  return FAIL(MLPD_ERROR_DATA, "%s: no %s %s, which the model needs, but %s, which it does not know; %s", p->file,
              found->missing > 1 ? kind->many : kind->one, missing, unknown, kind->cure);
}

/* true if every unknown name is a target of the model: a table to predict may still contain the targets. */
static bool only_targets_unknown(const name_list *given, const name_match *found, const name_list *targets) {
  for (uint64_t i = 0; i < given->count; i++)
    if (found->to[i] == NAME_ABSENT && !name_list_holds(targets, given->names[i])) return false;
  return true;
}

static mlpd_status match_columns(part *p, const match_wishes *wishes, const name_list *given) {
  const name_list *const wanted = &wishes->names->columns;
  name_match found;
  if (wanted->count == 0 || given->count != p->features) return MLPD_OK;
  TRY(name_match_make(wanted, given, &found));
  mlpd_status status = MLPD_OK;
  const bool targets_left = wishes->y_unused && only_targets_unknown(given, &found, &wishes->names->targets);
  if (found.missing > 0 || (found.unknown > 0 && !targets_left)) {
    status = fail_names(p, &columns_kind, wanted, given, &found);
  } else if (!found.in_order) {
    char left_out[NAMES_BYTES];
    name_list_print(given, found.to, left_out, sizeof left_out);
    if (found.unknown > 0) note(wishes, p, "the model's target is among the columns and is ignored: ", left_out, "");
    bool moved = false;
    for (uint64_t j = 1; j < wanted->count; j++) moved = moved || found.from[j] < found.from[j - 1];
    if (moved)
      note(wishes, p, "the columns are in a different order than in the model; they are matched by name", "", "");
    p->order.file_columns = p->features;
    p->features = (uint32_t)wanted->count;
    p->order.columns = found.from;
    found.from = NULL;
  }
  name_match_free(&found);
  return status;
}

static mlpd_status match_targets(part *p, const match_wishes *wishes, const name_list *given) {
  const name_list *const wanted = &wishes->names->targets;
  name_match found;
  if (wanted->count == 0 || given->count == 0 || given->count != p->y_columns) return MLPD_OK;
  TRY(name_match_make(wanted, given, &found));
  mlpd_status status = MLPD_OK;
  if (found.missing > 0 || found.unknown > 0) {
    status = fail_names(p, &targets_kind, wanted, given, &found);
  } else if (!found.in_order) {
    note(wishes, p, "the targets are in a different order than in the model; they are matched by name", "", "");
    p->order.targets = found.from;
    found.from = NULL;
  }
  name_match_free(&found);
  return status;
}

/* ---- Classes ------------------------------------------------------------------------------------- */

/* Matches classes by name. A model without class names is treated as if its names were 0, 1, ..., if the names in the
 * file are numbers. */
static mlpd_status match_names_of_classes(part *p, const match_wishes *wishes, const name_list *wanted,
                                          name_list *given) {
  name_match found;
  char known[NAMES_BYTES];
  name_list_print(wanted, NULL, known, sizeof known);
  TRY(memory_copy_string(known, &p->order.known_classes));
  TRY(name_match_make(wanted, given, &found));
  if (!found.in_order) {
    bool renumbered = false;
    for (uint64_t k = 0; k < given->count; k++)
      renumbered = renumbered || (found.to[k] != NAME_ABSENT && found.to[k] != (uint32_t)k);
    if (renumbered)
      note(wishes, p, "the classes have different numbers than in the model; they are matched by name", "", "");
    p->order.classes = (int32_t *)found.to; /* NAME_ABSENT is -1 */
    p->order.num_classes = given->count;
    p->order.class_names = *given;
    found.to = NULL;
    *given = (name_list){0};
  }
  name_match_free(&found);
  return MLPD_OK;
}

static bool are_whole_numbers(const name_list *list) {
  for (uint64_t k = 0; k < list->count; k++) {
    const char *const name = list->names[k];
    const bool canonical = name[0] != '\0' && (name[0] != '0' || name[1] == '\0');
    if (!canonical || strspn(name, "0123456789") != strlen(name)) return false;
  }
  return true;
}

static mlpd_status match_classes(part *p, const match_wishes *wishes, name_list *given) {
  const name_list *const named = &wishes->names->classes;
  char names[NAMES_BYTES];
  if (p->y_text || (p->map != NULL && (p->map->count > 0 || p->map->one_hot)))
    return MLPD_OK; /* the map matches labels */
  if (wishes->num_classes == 0 || (named->count == 0 && given->count == 0)) return MLPD_OK;
  if (named->count > 0 && given->count > 0) return match_names_of_classes(p, wishes, named, given);
  if (named->count == 0 && are_whole_numbers(given)) {
    name_list numbers;
    TRY(name_list_numbers(wishes->num_classes, &numbers));
    const mlpd_status status = match_names_of_classes(p, wishes, &numbers, given);
    name_list_free(&numbers);
    return status;
  }
  if (name_list_is_numbers(named->count > 0 ? named : given)) return MLPD_OK;
  name_list_print(named->count > 0 ? named : given, NULL, names, sizeof names);
  if (named->count > 0)
    note(wishes, p, "the classes have no names; 0, 1, ... are assumed to be the model's ", names, "");
  else
    note(wishes, p, "the classes of the model have no names; they are assumed to be ", names, "");
  return MLPD_OK;
}

mlpd_status part_match(part *p, const match_wishes *wishes) {
  data_names given;
  TRY(dataset_names(p->h5, &given));
  mlpd_status status = match_columns(p, wishes, &given.columns);
  if (status == MLPD_OK && !wishes->y_unused && p->y != NULL) status = match_targets(p, wishes, &given.targets);
  if (status == MLPD_OK && !wishes->y_unused && p->y != NULL) status = match_classes(p, wishes, &given.classes);
  data_names_free(&given);
  if (status == MLPD_OK && wishes->input != NULL && p->features == wishes->input->columns)
    status = part_match_codes(p, &wishes->names->columns, wishes->codes, wishes->input);
  return status;
}
