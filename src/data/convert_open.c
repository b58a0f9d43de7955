/* Which of the inputs is x, y, train, valid and test. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "data/convert_source.h"

enum { INPUTS_MOST = 6, PARTS = 3 }; /* x and y of train, valid and test */

/* ---- Parts by name ---- */

static bool name_holds(const char *path, const char *word) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
  const size_t length = strlen(word);
  for (; *name != '\0'; name++)
    if (strncasecmp(name, word, length) == 0) return true;
  return false;
}

static int part_by_name(const char *path) {
  if (name_holds(path, "train")) return MLPD_TRAIN;
  if (name_holds(path, "t10k") || name_holds(path, "test")) return MLPD_TEST;
  if (name_holds(path, "valid") || name_holds(path, "_val") || name_holds(path, "val_")) return MLPD_VALID;
  return -1;
}

/* The part of each input, per_part inputs a part: by names where they say so for all, else by order. */
static void assign_parts(const char *const *paths, int count, int per_part, int part[INPUTS_MOST]) {
  const int parts = count / per_part;
  int found[PARTS] = {0};
  bool by_name = parts > 1;
  for (int i = 0; i < count; i++) {
    part[i] = part_by_name(paths[i]);
    if (part[i] < 0)
      by_name = false;
    else
      found[part[i]]++;
  }
  by_name = by_name && found[MLPD_TRAIN] == per_part;
  for (int p = 0; p < PARTS; p++) by_name = by_name && (found[p] == 0 || found[p] == per_part);
  static const int orders[PARTS + 1][PARTS] = {
      {0}, {MLPD_TRAIN}, {MLPD_TRAIN, MLPD_TEST}, {MLPD_TRAIN, MLPD_VALID, MLPD_TEST}};
  for (int i = 0; i < count && !by_name; i++) part[i] = orders[parts][i / per_part];
}

/* ---- Files ---- */

typedef struct opened_inputs {
  input *in[INPUTS_MOST];
  input_kind kind[INPUTS_MOST];
  int count;
} opened_inputs;

static bool wants_no_label(const mlpd_convert_options *options) {
  return options->label != NULL && strcmp(options->label, "none") == 0;
}

/* Takes i's input out of the list, whose closing then passes it over. */
static input *take(opened_inputs *o, int i) {
  input *in = o->in[i];
  o->in[i] = NULL;
  return in;
}

static mlpd_status open_tables(opened_inputs *o, const mlpd_convert_options *options, meter *m, source **parts) {
  if (o->count > PARTS)
    return FAIL(MLPD_ERROR_USAGE, "%d CSV files; one, or train and test, or train, valid and test", o->count);
  int part[INPUTS_MOST];
  assign_parts(options->inputs, o->count, 1, part);
  for (int i = 0; i < o->count; i++) TRY(csv_source_open(take(o, i), m, options, &parts[part[i]]));
  for (int p = 1; p < PARTS; p++)
    if (parts[p] != NULL) TRY(csv_source_match(parts[MLPD_TRAIN], parts[p]));
  return MLPD_OK;
}

static bool names_labels(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
  const bool is_y = (name[0] == 'y' || name[0] == 'Y') && name[1] != '\0' && strchr("._-", name[1]) != NULL;
  return is_y || name_holds(name, "label") || name_holds(name, "target");
}

/* x and y of one part, second NULL without y. unordered: where the first has one dimension and the second
 * more, the first is y. Takes both over. */
static mlpd_status open_pair(input *first, input *second, bool unordered, meter *m, source **opened) {
  input_array *x = NULL, *y = NULL;
  mlpd_status status = array_open(first, &x);
  if (status != MLPD_OK) {
    input_close(second);
    return status;
  }
  if (second != NULL) status = array_open(second, &y);
  if (status != MLPD_OK) {
    array_close(x);
    return status;
  }
  if (unordered && y != NULL && x->header.rank == 1 && y->header.rank > 1) {
    input_array *swapped = x;
    x = y;
    y = swapped;
  }
  return pair_source_open(x, y, m, opened);
}

static mlpd_status open_column(input *in, const mlpd_convert_options *options, meter *m, source **opened) {
  input_array *array;
  TRY(array_open(in, &array));
  return column_source_open(array, options->label, m, opened);
}

static mlpd_status open_arrays(opened_inputs *o, const mlpd_convert_options *options, meter *m, source **parts) {
  const int per_part = wants_no_label(options) ? 1 : 2;
  if (o->count == 1 && per_part == 2) return open_column(take(o, 0), options, m, &parts[MLPD_TRAIN]);
  if (o->count % per_part != 0 || o->count / per_part > PARTS)
    return FAIL(MLPD_ERROR_USAGE, "%d arrays; x and y of one part, of train and test, or of train, valid and test",
                o->count);
  if (per_part == 2 && options->label != NULL)
    return FAIL(MLPD_ERROR_USAGE, "label '%s' is for one array that holds x and y; here y is an array of its own",
                options->label);
  int part[INPUTS_MOST];
  assign_parts(options->inputs, o->count, per_part, part);
  for (int p = 0; p < PARTS; p++) {
    input *members[2] = {NULL, NULL};
    int found = 0;
    for (int i = 0; i < o->count; i++)
      if (part[i] == p) members[found++] = take(o, i);
    if (found == 0) continue;
    const bool first_is_y = found == 2 && names_labels(input_name(members[0]));
    const bool second_is_y = found == 2 && names_labels(input_name(members[1]));
    const bool swapped = first_is_y && !second_is_y;
    TRY(open_pair(members[swapped], members[!swapped], first_is_y == second_is_y, m, &parts[p]));
  }
  return MLPD_OK;
}

/* ---- Arrays of an NPZ ---- */

typedef struct archive {
  const char *path;
  zip_entry *entries;
  size_t count;
} archive;

static const char *const x_words[] = {"x", "images", "data", "features", "inputs", "arr_0", NULL};
static const char *const y_words[] = {"y", "labels", "label", "targets", "target", "arr_1", NULL};
static const char *const part_words[PARTS][3] = {
    [MLPD_TRAIN] = {"train", NULL}, [MLPD_VALID] = {"valid", "val", NULL}, [MLPD_TEST] = {"test", NULL}};

static const zip_entry *find_entry(const archive *a, const char *format, const char *first, const char *second) {
  char wanted[64];
  (void)snprintf(wanted, sizeof wanted, format, first, second);
  for (size_t i = 0; i < a->count; i++)
    if (strcasecmp(a->entries[i].name, wanted) == 0) return &a->entries[i];
  return NULL;
}

/* The entry named by a word alone (part < 0), or by a word and a part in either order. */
static const zip_entry *find_array(const archive *a, const char *const *words, int part) {
  const zip_entry *found = NULL;
  for (; *words != NULL && found == NULL; words++) {
    if (part < 0) found = find_entry(a, "%s%s", *words, ".npy");
    for (int i = 0; part >= 0 && part_words[part][i] != NULL && found == NULL; i++) {
      found = find_entry(a, "%s_%s.npy", *words, part_words[part][i]);
      if (found == NULL) found = find_entry(a, "%s_%s.npy", part_words[part][i], *words);
    }
  }
  return found;
}

static mlpd_status open_entries(const archive *a, const zip_entry *x, const zip_entry *y, meter *m, source **opened) {
  input *x_input, *y_input = NULL;
  TRY(input_open_entry(a->path, x, m, &x_input));
  if (y != NULL) {
    const mlpd_status status = input_open_entry(a->path, y, m, &y_input);
    if (status != MLPD_OK) {
      input_close(x_input);
      return status;
    }
  }
  return open_pair(x_input, y_input, false, m, opened);
}

static mlpd_status no_known_names(const archive *a) {
  char names[256] = "";
  size_t used = 0;
  for (size_t i = 0; i < a->count && used < sizeof names; i++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", a->entries[i].name);
  return FAIL(MLPD_ERROR_DATA, "%s: holds %s; wanted x_train and y_train (and x_test, y_test), or x and y", a->path,
              a->count > 0 ? names : "nothing");
}

static mlpd_status open_archive(const archive *a, const mlpd_convert_options *options, meter *m, source **parts) {
  const bool no_label = wants_no_label(options);
  const bool split = find_array(a, x_words, MLPD_TRAIN) != NULL;
  bool any = false;
  for (int p = 0; p < (split ? PARTS : 1); p++) {
    const zip_entry *x = find_array(a, x_words, split ? p : -1);
    const zip_entry *y = no_label ? NULL : find_array(a, y_words, split ? p : -1);
    if (x == NULL && (y == NULL || !split)) continue;
    if (x == NULL || (y == NULL && !no_label)) {
      if (!split) continue;
      return FAIL(MLPD_ERROR_DATA, "%s: x of the %s part stands without y, or y without x", a->path, part_words[p][0]);
    }
    TRY(open_entries(a, x, y, m, &parts[p]));
    any = true;
  }
  if (any) return MLPD_OK;
  if (a->count != 1) return no_known_names(a);
  if (no_label) return open_entries(a, &a->entries[0], NULL, m, &parts[MLPD_TRAIN]);
  input *in;
  TRY(input_open_entry(a->path, &a->entries[0], m, &in));
  return open_column(in, options, m, &parts[MLPD_TRAIN]);
}

static mlpd_status open_npz(const opened_inputs *o, const mlpd_convert_options *options, meter *m, source **parts) {
  archive a = {.path = options->inputs[0]};
  if (o->count != 1)
    return FAIL(MLPD_ERROR_USAGE, "%s: an NPZ archive is converted alone, without other inputs", a.path);
  TRY(zip_list(a.path, &a.entries, &a.count));
  const mlpd_status status = open_archive(&a, options, m, parts);
  zip_list_free(a.entries, a.count);
  return status;
}

void source_close(source *s) {
  if (s == NULL) return;
  name_list_free(&s->columns);
  name_list_free(&s->targets);
  free(s->yes_no);
  s->methods->close(s);
}

mlpd_status sources_open(const mlpd_convert_options *options, meter *m, source *parts[3]) {
  for (int p = 0; p < PARTS; p++) parts[p] = NULL;
  if (options->num_inputs < 1 || options->num_inputs > INPUTS_MOST)
    return FAIL(MLPD_ERROR_USAGE, "%d input files; 1 to %d are taken", options->num_inputs, INPUTS_MOST);
  opened_inputs o = {.count = 0};
  mlpd_status status = MLPD_OK;
  int texts = 0, archives = 0;
  for (; o.count < options->num_inputs; o.count++) {
    TRY_GOTO(status, input_open(options->inputs[o.count], m, &o.in[o.count]), done);
    const int i = o.count;
    status = input_kind_of(o.in[i], &o.kind[i]);
    texts += status == MLPD_OK && o.kind[i] == KIND_TEXT;
    archives += status == MLPD_OK && o.kind[i] == KIND_NPZ;
    if (status != MLPD_OK) {
      o.count++;
      goto done;
    }
  }
  if (archives > 0)
    status = open_npz(&o, options, m, parts);
  else if (texts == o.count)
    status = open_tables(&o, options, m, parts);
  else if (texts == 0)
    status = open_arrays(&o, options, m, parts);
  else
    status = FAIL(MLPD_ERROR_USAGE, "the inputs mix CSV with NPY or IDX arrays; convert one kind at a time");
done:
  for (int i = 0; i < o.count; i++) input_close(o.in[i]);
  if (status != MLPD_OK)
    for (int p = 0; p < PARTS; p++) {
      source_close(parts[p]);
      parts[p] = NULL;
    }
  return status;
}
