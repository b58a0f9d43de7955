#include "convert/convert_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source/category_set.h"
#include "source/report.h"

enum { NAMES_BYTES = 300 };

/* ---- Inputs of one data set ---- */

static mlpd_status fail_names(const source *first, const source *s, const char *what, const name_list *wanted,
                              const name_list *given, const name_match *found) {
  char missing[NAMES_BYTES], unknown[NAMES_BYTES];
  name_list_print(wanted, found->from, missing, sizeof missing);
  name_list_print(given, found->to, unknown, sizeof unknown);
  if (found->missing == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: has %s%s %s, but %s does not; --ignore leaves it out", s->name, what,
                found->unknown > 1 ? "s" : "", unknown, first->name);
  return FAIL(MLPD_ERROR_DATA, "%s: has no %s%s %s, but %s has%s%s", s->name, what, found->missing > 1 ? "s" : "",
              missing, first->name, found->unknown > 0 ? "; it has instead: " : "", found->unknown > 0 ? unknown : "");
}

static mlpd_status match_list(const source *first, const source *s, const char *what, const name_list *wanted,
                              const name_list *given, uint32_t **from) {
  name_match found;
  if (wanted->count == 0 || given->count == 0) return MLPD_OK;
  TRY(name_match_make(wanted, given, &found));
  mlpd_status status = MLPD_OK;
  if (found.missing > 0 || found.unknown > 0) {
    status = fail_names(first, s, what, wanted, given, &found);
  } else if (!found.in_order) {
    *from = found.from;
    found.from = NULL;
  }
  name_match_free(&found);
  return status;
}

mlpd_status source_match(const mlpd_convert_options *options, const source *first, source *s) {
  TRY(match_list(first, s, "column", &first->columns, &s->columns, &s->columns_from));
  TRY(match_list(first, s, "target", &first->targets, &s->targets, &s->targets_from));
  if (s->columns_from != NULL) convert_say(options, "%s: columns reordered as in %s", s->name, first->name);
  if (s->features == first->features && s->y_columns == first->y_columns) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s has %u features and %u columns of y, but %s has %u and %u", s->name, s->features,
              s->y_columns, first->name, first->features, first->y_columns);
}

/* ---- The output ---- */

static mlpd_status write_list(h5_file *file, const char *object, const name_list *list) {
  return list->count > 0 ? h5_strings_write(file, object, (const char *const *)list->names, list->count) : MLPD_OK;
}

/* Written for every table: /columns/kind marks the file as one. */
static mlpd_status write_kinds(h5_file *file, const source *first, bool missing) {
  columns about;
  if (!first->table) return MLPD_OK;
  mlpd_status status = columns_create(first->features, &about);
  about.missing = missing;
  for (uint32_t j = 0; j < first->features && status == MLPD_OK; j++) {
    category_set *const set = first->categories != NULL ? first->categories[j] : NULL;
    if (first->yes_no != NULL && first->yes_no[j]) about.kinds[j] = COLUMN_KIND_YES_NO;
    if (set == NULL) continue;
    about.kinds[j] = COLUMN_KIND_CATEGORY;
    status = category_set_names(set, &about.categories[j]);
  }
  if (status == MLPD_OK) status = columns_write(file, &about);
  columns_free(&about);
  return status;
}

/* Labels 0, 1, 2, ... are stored as names, too, so that a file in which one is missing is still matched correctly. */
static mlpd_status list_classes(const label_set *labels, name_list *list) {
  if (labels->names == NULL) return name_list_numbers(labels->num_classes, list);
  return name_list_copy((const char *const *)labels->names, labels->num_classes, list);
}

mlpd_status convert_write_names(h5_file *file, const source *first, bool missing, const label_set *labels) {
  name_list classes = {0};
  TRY(write_list(file, "/columns/name", &first->columns));
  TRY(write_list(file, "/columns/left_out", &first->left_out));
  TRY(write_kinds(file, first, missing));
  if (!labels->one_hot)
    TRY(write_list(file, "/targets/name", &first->targets)); /* for one-hot rows they are the class names */
  if (first->y_columns == 0 || !labels->classes) return MLPD_OK;
  TRY(list_classes(labels, &classes));
  mlpd_status status = write_list(file, "/class_names", &classes);
  name_list_free(&classes);
  if (status == MLPD_OK && labels->labels != NULL)
    status = h5_strings_write(file, "/class_labels", (const char *const *)labels->labels, labels->num_classes);
  return status;
}

/* ---- Rare classes ---- */

mlpd_status convert_say_rare(const mlpd_convert_options *options, const label_set *labels, const uint64_t (*rows)[3]) {
  name_list classes = {0};
  uint32_t *untrained = NULL, *single = NULL;
  mlpd_status status;
  TRY(list_classes(labels, &classes));
  TRY_GOTO(status, memory_allocate(&untrained, classes.count, sizeof *untrained, "classes"), done);
  TRY_GOTO(status, memory_allocate(&single, classes.count, sizeof *single, "classes"), done);
  uint64_t num_untrained = 0, num_single = 0, trained = 0;
  for (uint64_t k = 0; k < classes.count; k++) {
    const uint64_t others = rows[k][MLPD_VALID] + rows[k][MLPD_TEST];
    trained += rows[k][MLPD_TRAIN];
    untrained[k] = rows[k][MLPD_TRAIN] == 0 && others > 0 ? NAME_ABSENT : 0;
    single[k] = rows[k][MLPD_TRAIN] + others == 1 ? NAME_ABSENT : 0;
    num_untrained += untrained[k] == NAME_ABSENT;
    num_single += single[k] == NAME_ABSENT;
  }
  char names[NAMES_BYTES];
  name_list_print(&classes, untrained, names, sizeof names);
  if (num_untrained > 0 && trained > 0)
    convert_say(options, "note: %s %s %s in the validation or test part, but not in the training part",
                num_untrained == 1 ? "class" : "classes", names, num_untrained == 1 ? "is" : "are");
  name_list_print(&classes, single, names, sizeof names);
  if (num_single > 0 && trained > 0)
    convert_say(options, "note: %s %s %s a single row", num_single == 1 ? "class" : "classes", names,
                num_single == 1 ? "has" : "have");
done:
  free(untrained);
  free(single);
  name_list_free(&classes);
  return status;
}
