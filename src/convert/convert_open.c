/* Opens the inputs and decides which is x, y, train, valid and test. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "convert/convert_array.h"
#include "convert/convert_open.h"
#include "csv/csv_columns.h"
#include "csv/csv_open.h"
#include "source/report.h"
#include "source/roles.h"

enum { LINES_MOST = 12 }; /* most files that are reported individually */

/* ---- Lists of sources ---- */

void source_list_free(source_list *list) {
  for (int i = 0; i < list->count; i++) source_close(list->all[i]);
  free(list->all);
  *list = (source_list){0};
}

/* ---- Files ---- */

typedef struct opened_inputs {
  const char *const *paths;
  input **in;       /* (count) */
  input_kind *kind; /* (count) */
  role *roles;      /* (count) */
  int count;
} opened_inputs;

/* Removes input i from the list, which then no longer closes it. */
static input *take(opened_inputs *o, int i) {
  input *in = o->in[i];
  o->in[i] = NULL;
  return in;
}

/* The same table given twice would count its rows twice, or test on training rows. An array may be both x and y. */
static mlpd_status refuse_twice(const opened_inputs *o) {
  struct stat *about = NULL;
  TRY(memory_allocate(&about, (size_t)o->count, sizeof *about, "input files"));
  mlpd_status status = MLPD_OK;
  for (int i = 0; i < o->count && status == MLPD_OK; i++) {
    if (stat(o->paths[i], &about[i]) != 0) about[i].st_ino = 0;
    for (int k = 0; k < i && about[i].st_ino != 0 && status == MLPD_OK; k++)
      if (o->kind[i] == KIND_TEXT && about[k].st_dev == about[i].st_dev && about[k].st_ino == about[i].st_ino)
        status = FAIL(MLPD_ERROR_USAGE, "%s and %s are the same file", o->paths[k], o->paths[i]);
  }
  free(about);
  return status;
}

/* A copy under another name, as browsers and editors leave them: data (1).csv. */
static void note_copies(const mlpd_convert_options *options, const opened_inputs *o) {
  enum { INPUTS_MOST = 100 };
  for (int i = 0; i < o->count && i < INPUTS_MOST; i++)
    for (int k = 0; k < i && o->kind[i] == KIND_TEXT; k++) {
      if (!file_same_content(o->paths[i], o->paths[k])) continue;
      if (o->roles[i] == o->roles[k])
        convert_say(options, "note: %s is a copy of %s: its rows count twice", o->paths[i], o->paths[k]);
      else
        convert_say(options, "note: %s is a copy of %s: the figures of one part are those of the other's rows",
                    o->paths[i], o->paths[k]);
      break;
    }
}

/* ---- Roles ---- */

static mlpd_status find_roles(const mlpd_convert_options *options, opened_inputs *o, int per_part, bool *all_unclear) {
  const size_t shared = roles_shared_folder(o->paths, o->count);
  for (int i = 0; i < o->count; i++)
    o->roles[i] = options->roles != NULL ? (role)options->roles[i] : role_by_name(o->paths[i], shared);
  return roles_settle(o->paths, o->count, per_part, o->roles, all_unclear);
}

/* Reports the role of each file, one line per file; for many parts of one table, a single line. */
static void say_roles(const mlpd_convert_options *options, const opened_inputs *o, bool all_unclear) {
  if (all_unclear && o->count > LINES_MOST) {
    convert_say(options, "%d files that are parts of one table, %s to %s", o->count, o->paths[0],
                o->paths[o->count - 1]);
    return;
  }
  for (int i = 0; i < o->count; i++) {
    if (i == LINES_MOST && o->count > LINES_MOST + 1) {
      convert_say(options, "and %d more files", o->count - i);
      return;
    }
    if (all_unclear)
      convert_say(options, "%s: part of one table with the other files", o->paths[i]);
    else
      convert_say(options, "%s: %s part", o->paths[i], mlpd_choice_name(mlpd_split_choices, o->roles[i]));
  }
}

/* ---- Tables ---- */

static mlpd_status fail_without_target(const char *path, const source *first) {
  return FAIL(MLPD_ERROR_DATA, "%s: no target '%s', which %s has; leave the file out, and predict its rows later", path,
              first->targets.names[0], first->name);
}

/* Why a table was refused where the first one was not: it may lack the target, as those of contests do. */
static mlpd_status refuse_further(const char *path, const mlpd_convert_options *options, meter *m, const source *first,
                                  mlpd_status status) {
  status_kept why;
  source *opened = NULL;
  input *in;
  mlpd_convert_options without = *options;
  status_keep(&why);
  without.label = "none";
  without.decision = NULL;
  mlpd_status again = input_open(path, m, &in);
  if (again == MLPD_OK) again = csv_source_open(in, m, &without, first, &opened);
  const bool lacks =
      again == MLPD_OK && opened->columns.count > 0 && !name_list_holds(&opened->columns, first->targets.names[0]);
  source_close(opened);
  if (lacks) return fail_without_target(path, first);
  status_put_back(&why);
  return status;
}

/* Opens a further table, with the same target as the first, even if its column is elsewhere. */
static mlpd_status open_alike(opened_inputs *o, int i, const mlpd_convert_options *options, meter *m, source_list *list,
                              source **opened) {
  const source *const first = list->count > 0 ? list->all[0] : NULL;
  const mlpd_status status = csv_source_open(take(o, i), m, options, first, opened);
  const bool names = first != NULL && first->targets.count == 1;
  if (status != MLPD_OK && names && options->label != NULL)
    return refuse_further(o->paths[i], options, m, first, status);
  TRY(status);
  if (!names || (*opened)->columns.count == 0) return MLPD_OK;
  const char *const target = first->targets.names[0];
  const bool fewer = (*opened)->columns.count < first->columns.count;
  if (fewer && !name_list_holds(&(*opened)->targets, target) && !name_list_holds(&(*opened)->columns, target)) {
    source_close(*opened);
    *opened = NULL;
    return fail_without_target(o->paths[i], first);
  }
  if (name_list_holds(&(*opened)->targets, target) || !name_list_holds(&(*opened)->columns, target)) return MLPD_OK;
  source_close(*opened);
  *opened = NULL;
  list->alike = *options;
  list->alike.label = target;
  list->alike.decision = NULL; /* already reported for the first table */
  input *in;
  TRY(input_open(o->paths[i], m, &in));
  return csv_source_open(in, m, &list->alike, first, opened);
}

static mlpd_status open_tables(opened_inputs *o, const mlpd_convert_options *options, meter *m, source_list *list) {
  list->silent = *options;
  list->silent.decision = NULL;
  for (int p = 0; p < SOURCE_PARTS; p++)
    for (int i = 0; i < o->count; i++) {
      source *opened = NULL;
      if ((int)o->roles[i] != p) continue;
      TRY(open_alike(o, i, list->count < LINES_MOST ? options : &list->silent, m, list, &opened));
      source_list_add(list, opened, (mlpd_split)p);
    }
  return options->num_model_columns > 0 ? MLPD_OK : csv_sources_check_ignored(list, options);
}

/* ---- Arrays ---- */

static bool holds(const char *name, const char *word) {
  const size_t length = strlen(word);
  for (; *name != '\0'; name++)
    if (strncasecmp(name, word, length) == 0) return true;
  return false;
}

static bool names_labels(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
  const bool is_y = (name[0] == 'y' || name[0] == 'Y') && name[1] != '\0' && strchr("._-", name[1]) != NULL;
  return is_y || holds(name, "label") || holds(name, "target");
}

/* Orders the files of a part as x, y, x, y, ...: neighbours form pairs, unless half of the files have "label" or the
 * like in their names. */
static void order_pairs(const opened_inputs *o, mlpd_split part, int *order, int *count) {
  int labels = 0, x = 0, y = 1;
  *count = 0;
  for (int i = 0; i < o->count; i++)
    if ((int)o->roles[i] == (int)part) {
      labels += names_labels(o->paths[i]);
      order[(*count)++] = i;
    }
  if (2 * labels != *count) return;
  for (int i = 0; i < o->count; i++) {
    if ((int)o->roles[i] != (int)part) continue;
    int *const next = names_labels(o->paths[i]) ? &y : &x;
    order[*next] = i;
    *next += 2;
  }
}

static mlpd_status fail_unpaired(const opened_inputs *o, mlpd_split part, const int *order, int count) {
  char names[REPORT_BYTES] = "";
  size_t used = 0;
  for (int i = 0; i < count; i++) report_list_add(names, &used, ", ", o->paths[order[i]]);
  return FAIL(MLPD_ERROR_USAGE, "%s: %d array%s for the %s part, but each x needs its y; name both, or --label none",
              names, count, count == 1 ? "" : "s", mlpd_choice_name(mlpd_split_choices, (int)part));
}

static mlpd_status open_pairs(opened_inputs *o, mlpd_split part, int *order, meter *m, source_list *list) {
  int count = 0;
  order_pairs(o, part, order, &count);
  if (count % 2 != 0) return fail_unpaired(o, part, order, count);
  for (int i = 0; i < count; i += 2) {
    const bool named = names_labels(o->paths[order[i + 1]]) && !names_labels(o->paths[order[i]]);
    source *opened = NULL;
    input *const first = take(o, order[i]), *const second = take(o, order[i + 1]);
    TRY(source_open_pair(first, second, !named, m, &opened));
    source_list_add(list, opened, part);
  }
  return MLPD_OK;
}

/* Arrays for a model that predicts: the targets among them, as training read them, are passed over. */
static mlpd_status leave_targets_out(opened_inputs *o, const mlpd_convert_options *options) {
  bool *targets = NULL;
  int left_out = 0;
  TRY(memory_allocate(&targets, (size_t)o->count, sizeof *targets, "input files"));
  mlpd_status status = MLPD_OK;
  for (int i = 0; i < o->count && status == MLPD_OK; i++) {
    status = source_holds_targets(o->in[i], options, &targets[i]);
    targets[i] = targets[i] || names_labels(o->paths[i]);
    left_out += targets[i];
  }
  for (int i = 0; i < o->count && status == MLPD_OK && left_out < o->count; i++)
    if (targets[i]) o->roles[i] = ROLE_UNCLEAR;
  free(targets);
  return status;
}

static mlpd_status open_features(opened_inputs *o, const mlpd_convert_options *options, meter *m, source_list *list) {
  if (options->num_model_columns > 0) TRY(leave_targets_out(o, options));
  for (int p = 0; p < SOURCE_PARTS; p++)
    for (int i = 0; i < o->count; i++) {
      source *opened = NULL;
      if ((int)o->roles[i] != p) continue;
      TRY(source_open_features(take(o, i), options, m, &opened));
      source_list_add(list, opened, (mlpd_split)p);
    }
  return MLPD_OK;
}

static mlpd_status open_arrays(opened_inputs *o, const mlpd_convert_options *options, meter *m, source_list *list) {
  if (source_wants_no_label(options)) return open_features(o, options, m, list);
  if (o->count == 1) {
    source *opened = NULL;
    TRY(source_open_column(take(o, 0), options, m, &opened));
    source_list_add(list, opened, (mlpd_split)o->roles[0]);
    return MLPD_OK;
  }
  if (options->label != NULL)
    return FAIL(MLPD_ERROR_USAGE, "label '%s' is for one array that holds x and y; here y is a separate array",
                options->label);
  int *order = NULL;
  TRY(memory_allocate(&order, (size_t)o->count, sizeof *order, "input files"));
  mlpd_status status = MLPD_OK;
  for (int p = 0; p < SOURCE_PARTS && status == MLPD_OK; p++) status = open_pairs(o, (mlpd_split)p, order, m, list);
  free(order);
  return status;
}

/* ---- All inputs ---- */

static mlpd_status open_inputs(const mlpd_convert_options *options, meter *m, opened_inputs *o) {
  const size_t count = (size_t)options->num_inputs;
  *o = (opened_inputs){.paths = options->inputs};
  TRY(memory_allocate(&o->in, count, sizeof(input *), "input files"));
  TRY(memory_allocate(&o->kind, count, sizeof *o->kind, "input files"));
  TRY(memory_allocate(&o->roles, count, sizeof *o->roles, "input files"));
  for (int i = 0; i < options->num_inputs; i++) {
    TRY(input_open(options->inputs[i], m, &o->in[i]));
    o->count++;
    TRY(input_kind_of(o->in[i], &o->kind[i]));
  }
  return refuse_twice(o);
}

static void close_inputs(opened_inputs *o) {
  for (int i = 0; i < o->count; i++) input_close(o->in[i]);
  free(o->in);
  free(o->kind);
  free(o->roles);
}

/* Fails, naming a file of the rarer kind: a README.txt among arrays, for example. */
static mlpd_status fail_mixed(const opened_inputs *o, int texts) {
  int text = -1, array = -1;
  for (int i = o->count - 1; i >= 0; i--) *(o->kind[i] == KIND_TEXT ? &text : &array) = i;
  const bool odd_text = 2 * texts <= o->count;
  return FAIL(MLPD_ERROR_USAGE,
              "%s is %s, but %s is %s: all inputs of a data set must be of one kind; omit %s, or convert it separately",
              o->paths[odd_text ? text : array], odd_text ? "text" : "an array", o->paths[odd_text ? array : text],
              odd_text ? "an array" : "text", o->paths[odd_text ? text : array]);
}

static mlpd_status open_by_kind(opened_inputs *o, const mlpd_convert_options *options, meter *m, source_list *list) {
  int texts = 0, archives = 0;
  bool all_unclear = false;
  for (int i = 0; i < o->count; i++) {
    texts += o->kind[i] == KIND_TEXT;
    archives += o->kind[i] == KIND_NPZ;
  }
  if (archives > 0 && o->count > 1)
    return FAIL(MLPD_ERROR_USAGE, "%s: an NPZ archive must be the only input", o->paths[0]);
  if (texts > 0 && texts < o->count) return fail_mixed(o, texts);
  const int per_part = texts > 0 || source_wants_no_label(options) ? 1 : 2;
  TRY(find_roles(options, o, per_part, &all_unclear));
  if (!all_unclear || o->count > per_part) say_roles(options, o, all_unclear);
  note_copies(options, o);
  if (archives > 0) return archive_open(o->paths[0], options, (mlpd_split)o->roles[0], m, list);
  return texts > 0 ? open_tables(o, options, m, list) : open_arrays(o, options, m, list);
}

mlpd_status sources_open(const mlpd_convert_options *options, meter *m, source_list *opened) {
  enum { NPZ_SOURCES = 3 };
  *opened = (source_list){0};
  opened_inputs o = {0};
  mlpd_status status =
      memory_allocate(&opened->all, (size_t)options->num_inputs + NPZ_SOURCES, sizeof(source *), "input files");
  if (status == MLPD_OK) status = open_inputs(options, m, &o);
  if (status == MLPD_OK) status = open_by_kind(&o, options, m, opened);
  close_inputs(&o);
  if (status != MLPD_OK) source_list_free(opened);
  return status;
}
