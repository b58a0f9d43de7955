/* Decides which arrays of an NPZ archive are x and y of which part. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/foreign.h"
#include "base/memory.h"
#include "convert/convert_open.h"
#include "convert/convert_unnamed.h"
#include "source/report.h"

typedef struct archive {
  const char *path;
  zip_entry *entries;
  bool *used; /* (count) arrays that are read */
  size_t count;
} archive;

static const char *const x_words[] = {"x", "images", "data", "features", "inputs", "input", "arr_0", NULL};
static const char *const y_words[] = {"y", "labels", "label", "targets", "target", "outputs", "output", "arr_1", NULL};
static const char *const part_words[SOURCE_PARTS][5] = {
    [MLPD_TRAIN] = {"train", "tr"}, [MLPD_VALID] = {"valid", "val", "validation", "dev"}, [MLPD_TEST] = {"test", "te"}};

static const zip_entry *find_entry(const archive *a, const char *format, const char *first, const char *second) {
  char wanted[64];
  (void)snprintf(wanted, sizeof wanted, format, first, second);
  for (size_t i = 0; i < a->count; i++)
    if (strcasecmp(a->entries[i].name, wanted) == 0) return &a->entries[i];
  return NULL;
}

/* Finds the entry whose name is one of the words (part < 0), or a word and a part in either order, as x_train,
 * train_x, xtrain and trainX. */
static const zip_entry *find_array(const archive *a, const char *const *words, int part) {
  const zip_entry *found = NULL;
  for (; *words != NULL && found == NULL; words++) {
    if (part < 0) found = find_entry(a, "%s%s", *words, ".npy");
    for (int i = 0; part >= 0 && part_words[part][i] != NULL && found == NULL; i++) {
      const char *const of = part_words[part][i];
      found = find_entry(a, "%s_%s.npy", *words, of);
      if (found == NULL) found = find_entry(a, "%s_%s.npy", of, *words);
      if (found == NULL) found = find_entry(a, "%s%s.npy", *words, of);
      if (found == NULL) found = find_entry(a, "%s%s.npy", of, *words);
    }
  }
  return found;
}

static mlpd_status open_entries(const archive *a, const zip_entry *x, const zip_entry *y,
                                const mlpd_convert_options *options, meter *m, source **opened) {
  input *x_input, *y_input = NULL;
  a->used[x - a->entries] = true;
  if (y != NULL) a->used[y - a->entries] = true;
  TRY(input_open_entry(a->path, x, m, &x_input));
  if (y == NULL) return source_open_features(x_input, options, m, opened);
  const mlpd_status status = input_open_entry(a->path, y, m, &y_input);
  if (status != MLPD_OK) {
    input_close(x_input);
    return status;
  }
  return source_open_pair(x_input, y_input, false, m, opened);
}

/* Reports arrays that belong to no part, such as names of columns. */
static void say_unused(const archive *a, const mlpd_convert_options *options) {
  char names[REPORT_BYTES] = "";
  size_t used = 0;
  for (size_t i = 0; i < a->count; i++)
    if (!a->used[i]) report_list_add(names, &used, ", ", a->entries[i].name);
  if (used > 0) convert_say(options, "%s: arrays left out: %s", a->path, names);
}

/* Fails for a sparse matrix as written by scipy.sparse.save_npz(). */
static bool is_sparse(const archive *a) {
  bool pointers = false, data = false;
  for (size_t i = 0; i < a->count; i++) {
    pointers = pointers || strcmp(a->entries[i].name, "indptr.npy") == 0 || strcmp(a->entries[i].name, "row.npy") == 0;
    data = data || strcmp(a->entries[i].name, "data.npy") == 0;
  }
  return pointers && data;
}

static mlpd_status no_known_names(const archive *a) {
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  foreign_command_names(a->path, file, base);
  if (is_sparse(a))
    return FAIL(MLPD_ERROR_DATA,
                "%s: is a sparse SciPy matrix; convert it to a full array: python3 -c \"import numpy, scipy.sparse; "
                "numpy.save('%s.npy', scipy.sparse.load_npz('%s').toarray())\" (needs scipy)",
                a->path, base, file);
  char names[256] = "";
  size_t used = 0;
  for (size_t i = 0; i < a->count && used < sizeof names; i++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", a->entries[i].name);
  if (a->count != 2)
    return FAIL(MLPD_ERROR_DATA, "%s: holds %s; expected x_train and y_train (and x_test, y_test), or x and y", a->path,
                a->count > 0 ? names : "nothing");
  return FAIL(MLPD_ERROR_DATA,
              "%s: holds %s; expected x_train and y_train (and x_test, y_test), or x and y: python3 -c \"import numpy; "
              "a = numpy.load('%s'); numpy.savez('%s-named.npz', x=a[a.files[0]], y=a[a.files[1]])\" (in your order)",
              a->path, names, file, base);
}

/* Opens arrays without names. */
static mlpd_status open_unnamed(const archive *a, const unnamed_arrays *u, const mlpd_convert_options *options,
                                mlpd_split whole, meter *m, source_list *list) {
  const bool no_label = source_wants_no_label(options);
  source *opened = NULL;
  for (int p = 0; p < u->pairs; p++) {
    const mlpd_split part = u->pairs == 1 ? whole : p == 0 ? MLPD_TRAIN : MLPD_TEST;
    convert_say(options, "%s: %s is x and %s is y%s%s, by their shapes", a->path, u->x[p]->name, u->y[p]->name,
                u->pairs > 1 ? " of the part " : "",
                u->pairs > 1 ? mlpd_choice_name(mlpd_split_choices, (int)part) : "");
    TRY(open_entries(a, u->x[p], no_label ? NULL : u->y[p], options, m, &opened));
    source_list_add(list, opened, part);
  }
  return MLPD_OK;
}

static mlpd_status open_archive(const archive *a, const mlpd_convert_options *options, mlpd_split whole, meter *m,
                                source_list *list) {
  const bool no_label = source_wants_no_label(options);
  const bool split = find_array(a, x_words, MLPD_TRAIN) != NULL;
  bool any = false;
  source *opened = NULL;
  if (is_sparse(a)) return no_known_names(a);
  unnamed_arrays unnamed;
  TRY(unnamed_find(a->path, m->streams, a->entries, a->count, &unnamed));
  if (unnamed.pairs > 0) return open_unnamed(a, &unnamed, options, whole, m, list);
  for (int p = 0; p < (split ? SOURCE_PARTS : 1); p++) {
    const zip_entry *x = find_array(a, x_words, split ? p : -1);
    const zip_entry *y = no_label ? NULL : find_array(a, y_words, split ? p : -1);
    if (x == NULL && (y == NULL || !split)) continue;
    if (x == NULL || (y == NULL && !no_label)) {
      if (!split) continue;
      return FAIL(MLPD_ERROR_DATA,
                  "%s: the %s part has x without y, or y without x; save rows without labels in a file of their own",
                  a->path, part_words[p][0]);
    }
    TRY(open_entries(a, x, y, options, m, &opened));
    source_list_add(list, opened, split ? (mlpd_split)p : whole);
    any = true;
  }
  if (any) return MLPD_OK;
  if (a->count != 1) return no_known_names(a);
  if (no_label) {
    TRY(open_entries(a, &a->entries[0], NULL, options, m, &opened));
  } else {
    input *in;
    a->used[0] = true;
    TRY(input_open_entry(a->path, &a->entries[0], m, &in));
    TRY(source_open_column(in, options, m, &opened));
  }
  source_list_add(list, opened, whole);
  return MLPD_OK;
}

mlpd_status archive_open(const char *path, const mlpd_convert_options *options, mlpd_split whole, meter *m,
                         source_list *list) {
  archive a = {.path = path};
  char place[SPOOL_PLACE_BYTES];
  TRY(zip_list(spools_place(m->streams, path, place), path, &a.entries, &a.count));
  mlpd_status status = memory_allocate(&a.used, a.count + 1, sizeof *a.used, "arrays of an archive");
  if (status == MLPD_OK) status = open_archive(&a, options, whole, m, list);
  if (status == MLPD_OK) say_unused(&a, options);
  free(a.used);
  zip_list_free(a.entries, a.count);
  return status;
}
