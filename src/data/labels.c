#include "data/labels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ranks/comm.h"

/* ---- Labels of all ranks ------------------------------------------------------------------------------ */

/* Adds one rank's table, packed, to all ranks' total. */
static mlpd_status add_table_of(mlpd_comm *comm, int rank, char *packed, uint64_t bytes, stored_labels *total) {
  char *received = NULL;
  TRY(comm_broadcast(comm, &bytes, sizeof bytes, rank));
  mlpd_status status = MLPD_OK;
  if (rank != mlpd_comm_rank(comm)) status = memory_allocate(&received, bytes, 1, "labels");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  TRY_GOTO(status, comm_broadcast(comm, received != NULL ? received : packed, bytes, rank), done);
  status = mlpd_comm_agree(comm, stored_labels_add_packed(total, received != NULL ? received : packed, bytes));
done:
  free(received);
  return status;
}

/* Merges the tables of all ranks and sorts the result. Adds one rank's table after the other, so that no rank holds
 * more than two. */
static mlpd_status merge_tables(mlpd_comm *comm, stored_labels *mine, stored_labels *total) {
  char *packed = NULL;
  uint64_t bytes = 0;
  mlpd_status status = mlpd_comm_agree(comm, stored_labels_pack(mine, &packed, &bytes));
  for (int rank = 0; rank < mlpd_comm_size(comm) && status == MLPD_OK && !total->full; rank++)
    status = add_table_of(comm, rank, packed, bytes, total);
  free(packed);
  if (status == MLPD_OK) stored_labels_sort(total);
  return status;
}

static mlpd_status scan_share(mlpd_comm *comm, part *p, mlpd_split split, stored_labels *l) {
  const uint64_t size = (uint64_t)mlpd_comm_size(comm), rank = (uint64_t)mlpd_comm_rank(comm);
  const uint64_t each = p->rows / size, more = p->rows % size;
  const uint64_t begin = rank * each + (rank < more ? rank : more);
  return stored_labels_scan(p, split, begin, begin + each + (rank < more), l);
}

/* Counts this rank's share of the other parts, if their labels are of the same kind as those of the training part.
 * Errors in them are reported when they are read. */
static mlpd_status scan_others(mlpd_comm *comm, const mlpd_data_paths *paths, const part *train, stored_labels *l) {
  mlpd_status status = MLPD_OK;
  for (int split = MLPD_VALID; split <= MLPD_TEST && status == MLPD_OK; split++) {
    part other = {0};
    bool present = false;
    if (part_open(train->h5, paths, (mlpd_split)split, true, &other, &present) != MLPD_OK || !present) continue;
    if (other.y_text == train->y_text && other.y_columns == train->y_columns)
      status = scan_share(comm, &other, (mlpd_split)split, l);
    part_close(&other);
  }
  return status;
}

/* ---- Decisions ---------------------------------------------------------------------------------------- */

static const char *part_name(mlpd_split split) { return mlpd_choice_name(mlpd_split_choices, (int)split); }

static mlpd_status fail_stray(const part *train, const stored_labels *l, const stored_label *stray) {
  char shown[64], cure[64] = "", where[300];
  if (l->labels[0].number >= 0 && l->labels[l->count - 1].number < INT32_MAX - 1)
    (void)snprintf(cure, sizeof cure, ", give --classes %" PRId64 " if it is a class",
                   l->labels[l->count - 1].number + 1);
  if (stray->first_part == MLPD_TRAIN)
    (void)snprintf(where, sizeof where, "%s", train->y_path);
  else
    (void)snprintf(where, sizeof where, "y of the %s part", part_name(stray->first_part));
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s holds %s at row %" PRIu64 " (from 0), a label far from the others, in %" PRIu64 " of %" PRIu64
              " rows: correct or drop the row%s%s, or use --task regression for values",
              train->file, where, stored_label_show(stray, shown), stray->first_row, stray->rows, l->rows,
              stray->rows == 1 ? "" : "s", cure);
}

/* Decides for labels that differ in nearly every row. */
static mlpd_status decide_many(const part *train, const stored_labels *l, mlpd_task task, label_decision *made) {
  char many[48];
  (void)snprintf(many, sizeof many, "%s%" PRIu64, l->full ? "more than " : "", l->count);
  if (l->texts)
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s holds %s different texts in %" PRIu64
                " rows, too many for classes; choose the array of labels with --y",
                train->file, train->y_path, many, l->rows);
  made->classes = task == MLPD_CLASSIFICATION;
  if (!made->classes)
    (void)snprintf(made->note, sizeof made->note,
                   "%s: %s holds %s different whole numbers in %" PRIu64
                   " rows: read as values; --task classification makes them classes",
                   train->file, train->y_path, many, l->rows);
  return MLPD_OK;
}

/* Returns the name of a value of an enumeration, or NULL. */
static const char *name_of_value(char *const *names, const int64_t *values, uint64_t count, int64_t value) {
  for (uint64_t i = 0; i < count; i++)
    if (values[i] == value) return names[i];
  return NULL;
}

/* Takes the names of an enumeration as class names, if y is one and every class has a name. */
static mlpd_status take_value_names(const part *train, label_decision *made) {
  char **names = NULL, **taken = NULL;
  int64_t *values = NULL;
  uint64_t count = 0;
  TRY(h5_array_value_names(train->y, &names, &values, &count));
  const uint32_t classes = made->num_classes;
  mlpd_status status = MLPD_OK;
  bool all = count > 0;
  if (all) status = memory_allocate(&taken, classes, sizeof *taken, "class names");
  for (uint32_t k = 0; k < classes && all && status == MLPD_OK; k++) {
    const int64_t label = made->map.numbers != NULL ? made->map.numbers[k] : (int64_t)k;
    const char *const name = name_of_value(names, values, count, label);
    all = name != NULL;
    if (all) status = memory_copy_string(name, &taken[k]);
  }
  if (all && status == MLPD_OK) {
    name_list_free(&made->names);
    made->names = (name_list){taken, classes};
    made->note[0] = '\0';
  } else {
    h5_strings_free(taken, classes);
  }
  h5_strings_free(names, count);
  free(values);
  return status;
}

static mlpd_status decide_numbered(const part *train, const stored_labels *l, label_decision *made) {
  char list[256];
  TRY(class_map_of_labels(l, &made->map, &made->names.names));
  made->names.count = l->count;
  made->num_classes = (uint32_t)l->count;
  if (l->texts) return MLPD_OK;
  stored_labels_list(l, list, sizeof list);
  (void)snprintf(made->note, sizeof made->note,
                 "%s: the labels %s of %s are read as %" PRIu64
                 " classes with these names; --task regression makes them values",
                 train->file, list, train->y_path, l->count);
  return take_value_names(train, made);
}

static mlpd_status decide_by_labels(const part *train, const stored_labels *l, mlpd_task task, label_decision *made) {
  uint64_t stray = 0;
  made->classes = true;
  switch (stored_labels_judge(l, &stray)) {
    case LABELS_TOO_MANY:
      return decide_many(train, l, task, made);
    case LABELS_STRAY:
      return fail_stray(train, l, &l->labels[stray]);
    case LABELS_TO_NUMBER:
      return decide_numbered(train, l, made);
    case LABELS_ARE_CLASSES:
      break;
  }
  made->num_classes = (uint32_t)(l->labels[l->count - 1].number + 1);
  return take_value_names(train, made);
}

/* Decides for whole numbers that are stored as floats: they are classes only if there are two. */
static mlpd_status decide_floats(const part *train, const stored_labels *l, mlpd_task task, label_decision *made) {
  enum { FEW = 20 };
  char list[256];
  if (task == MLPD_CLASSIFICATION) return decide_by_labels(train, l, task, made);
  made->classes = false;
  stored_labels_list(l, list, sizeof list);
  if (l->count == 2) {
    TRY(decide_by_labels(train, l, task, made));
    (void)snprintf(made->note, sizeof made->note,
                   "%s: %s holds only %s: read as classes; --task regression makes them values", train->file,
                   train->y_path, list);
  } else if (l->count <= FEW) {
    (void)snprintf(made->note, sizeof made->note,
                   "%s: %s holds only the whole numbers %s: read as values, because they are stored as %s; --task "
                   "classification makes them classes",
                   train->file, train->y_path, list, h5_array_stored_type(train->y));
  }
  return MLPD_OK;
}

static mlpd_status decide_one_hot(const part *train, mlpd_task task, label_decision *made) {
  made->classes = made->map.one_hot = true;
  made->num_classes = train->y_columns;
  if (task != MLPD_CLASSIFICATION)
    (void)snprintf(made->note, sizeof made->note,
                   "%s: %s holds one-hot rows: read as %u classes; --task regression makes them values", train->file,
                   train->y_path, train->y_columns);
  return MLPD_OK;
}

static mlpd_status decide_counted(const part *train, const stored_labels *l, mlpd_task task, label_decision *made) {
  if (l->broken && train->y_columns > 1 && task == MLPD_CLASSIFICATION)
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s has %u columns, but classes are one column, or one-hot rows; use --task regression for values",
                train->file, train->y_path, train->y_columns);
  made->classes = task == MLPD_CLASSIFICATION; /* a number with a fraction is reported when it is read */
  if (l->broken) return MLPD_OK;
  if (train->y_columns > 1) return decide_one_hot(train, task, made);
  return train->y_text || train->y_integer ? decide_by_labels(train, l, task, made)
                                           : decide_floats(train, l, task, made);
}

/* true if the labels must be read to decide. */
static bool needs_scan(const part *train, mlpd_task task, mlpd_loss loss, uint64_t known_classes) {
  if (train->y_text) return true;
  if (train->y_integer) return known_classes == 0;
  if (task == MLPD_CLASSIFICATION) return known_classes == 0 || train->y_columns > 1;
  return loss == MLPD_LOSS_AUTO || loss == MLPD_CROSS_ENTROPY;
}

/* Decides for texts if the file has names of its classes. */
static mlpd_status decide_named_texts(const name_list *given, label_decision *made) {
  made->classes = true;
  made->num_classes = (uint32_t)given->count;
  return class_map_of_names(given->names, given->count, false, &made->map);
}

static mlpd_status decide(mlpd_comm *comm, const mlpd_data_paths *paths, part *train, mlpd_task task,
                          stored_labels *total, label_decision *made) {
  stored_labels mine = {0};
  mlpd_status status = scan_share(comm, train, MLPD_TRAIN, &mine);
  if (status == MLPD_OK && !mine.broken) status = scan_others(comm, paths, train, &mine);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = merge_tables(comm, &mine, total);
  stored_labels_free(&mine);
  return status == MLPD_OK ? mlpd_comm_agree(comm, decide_counted(train, total, task, made)) : status;
}

/* true if the file says that its targets are values, because it was converted with --task regression. */
static bool says_regression(h5_file *file) {
  char *text = NULL;
  if (!h5_attribute_exists(file, "/", "task") || h5_attribute_read_text(file, "/", "task", &text) != MLPD_OK)
    return false;
  const bool is = strcmp(text, mlpd_choice_name(mlpd_task_choices, MLPD_REGRESSION)) == 0;
  free(text);
  return is;
}

mlpd_status labels_decide(mlpd_comm *comm, const mlpd_data_paths *paths, part *train, mlpd_task task, mlpd_loss loss,
                          uint32_t classes, label_decision *made) {
  *made = (label_decision){.classes = task == MLPD_CLASSIFICATION || (task == MLPD_TASK_AUTO && train->y_integer)};
  if (task == MLPD_REGRESSION ||
      (task == MLPD_TASK_AUTO && loss == MLPD_LOSS_AUTO && !made->classes && says_regression(train->h5))) {
    if (!train->y_text) return MLPD_OK;
    return mlpd_comm_agree(
        comm, FAIL(MLPD_ERROR_DATA, "%s: %s holds text, but a regression needs numbers", train->file, train->y_path));
  }
  data_names names = {.classes = {0}};
  stored_labels total = {0};
  mlpd_status status = mlpd_comm_agree(comm, dataset_names(train->h5, &names));
  const uint64_t known = classes > 0 ? classes : names.classes.count;
  if (status == MLPD_OK && needs_scan(train, task, loss, known)) {
    if (train->y_text && names.classes.count > 0)
      status = mlpd_comm_agree(comm, decide_named_texts(&names.classes, made));
    else
      status = decide(comm, paths, train, task, &total, made);
  }
  stored_labels_free(&total);
  data_names_free(&names);
  return status;
}

void labels_free(label_decision *made) {
  name_list_free(&made->names);
  class_map_free(&made->map);
}

/* ---- Labels for a model ------------------------------------------------------------------------------- */

/* true if the names are 0, 1, 2, ... */
static bool names_are_positions(const name_list *names) {
  int64_t number = 0;
  for (uint64_t k = 0; k < names->count; k++)
    if (!label_is_number(names->names[k], &number) || number != (int64_t)k) return false;
  return true;
}

static bool names_are_numbers(const name_list *names) {
  int64_t number = 0;
  for (uint64_t k = 0; k < names->count; k++)
    if (!label_is_number(names->names[k], &number)) return false;
  return names->count > 0;
}

/* Matches the names of an enumeration with the model's names. *found is false if any is unknown. */
static mlpd_status match_values(const part *p, const name_list *names, class_map *map, bool *found) {
  char **given = NULL;
  int64_t *values = NULL;
  uint64_t count = 0;
  *found = false;
  TRY(h5_array_value_names(p->y, &given, &values, &count));
  mlpd_status status = MLPD_OK;
  if (count > 0) {
    class_map by_name = {0};
    status = class_map_of_names(names->names, names->count, false, &by_name);
    *found = status == MLPD_OK;
    for (uint64_t i = 0; i < count && *found; i++)
      *found = class_map_of_text(&by_name, given[i], strlen(given[i])) >= 0;
    if (*found) status = class_map_of_values(&by_name, given, values, count, map);
    class_map_free(&by_name);
  }
  h5_strings_free(given, count);
  free(values);
  return status;
}

/* Matches numbers by name if every label is a name in the model, or by position if every label is a position. */
static mlpd_status match_numbers(const part *p, const name_list *names, const stored_labels *l, uint32_t classes,
                                 class_map *map) {
  TRY(class_map_of_names(names->names, names->count, true, map));
  const stored_label *unknown = NULL;
  bool positions = true;
  for (uint64_t i = 0; i < l->count; i++) {
    const int64_t number = l->labels[i].number;
    if (unknown == NULL && class_map_of_number(map, number) < 0) unknown = &l->labels[i];
    positions = positions && number >= 0 && number < (int64_t)classes;
  }
  if (unknown == NULL && !l->broken && !l->full) return MLPD_OK;
  class_map_free(map);
  if (positions || unknown == NULL) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s holds %" PRId64 " at row %" PRIu64 " (from 0), which is not a class of the model", p->file,
              p->y_path, unknown->number, unknown->first_row);
}

/* Matches without reading the labels, if possible; else sets *scan. Not collective. */
static mlpd_status match_unseen(part *p, const name_list *names, uint32_t classes, class_map *map, bool *scan) {
  *scan = false;
  if (p->y_text) {
    if (names->count == 0)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds text, but the classes of the model have no names", p->file, p->y_path);
    return class_map_of_names(names->names, names->count, false, map);
  }
  if (p->y_columns > 1) {
    map->one_hot = true;
    if (p->y_columns == classes) return MLPD_OK;
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %u columns, but the model has %u classes", p->file, p->y_path,
                p->y_columns, classes);
  }
  if (names->count == 0 || h5_exists(p->h5, "/class_names")) return MLPD_OK;
  bool found = false;
  TRY(match_values(p, names, map, &found));
  *scan = !found && names_are_numbers(names) && !names_are_positions(names);
  return MLPD_OK;
}

mlpd_status labels_match(mlpd_comm *comm, part *p, const name_list *names, uint32_t classes, class_map *map) {
  bool scan = false;
  *map = (class_map){0};
  if (p->y == NULL) return MLPD_OK;
  TRY(mlpd_comm_agree(comm, match_unseen(p, names, classes, map, &scan)));
  if (!scan) return MLPD_OK;
  stored_labels mine = {0}, total = {0};
  mlpd_status status = mlpd_comm_agree(comm, scan_share(comm, p, MLPD_TEST, &mine));
  if (status == MLPD_OK) status = merge_tables(comm, &mine, &total);
  if (status == MLPD_OK) status = mlpd_comm_agree(comm, match_numbers(p, names, &total, classes, map));
  stored_labels_free(&mine);
  stored_labels_free(&total);
  return status;
}
