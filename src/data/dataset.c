#include "data/dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/foreign.h"
#include "base/memory.h"
#include "data/data_rows.h"

enum {
  LISTED_ARRAYS = 8, /* arrays listed in the message that one was not found */
  LIST_BYTES = 512,
};

/* ---- Parts ------------------------------------------------------------------------------------------ */

typedef struct array_list {
  h5_file *file;
  char text[LIST_BYTES];
  size_t length;
  int found, listed;
} array_list;

static mlpd_status list_array(void *context, const char *object) {
  array_list *list = context;
  TRY(h5_check_pandas(list->file, object));
  list->found++;
  if (list->found > LISTED_ARRAYS) return MLPD_OK;
  char shape[64] = "";
  h5_array *array = NULL;
  if (h5_labels_open(list->file, object, &array) == MLPD_OK) {
    const h5_shape is = h5_array_shape(array);
    if (is.rank == 1)
      (void)snprintf(shape, sizeof shape, " (%" PRIu64 ")", is.rows);
    else
      (void)snprintf(shape, sizeof shape, " (%" PRIu64 ", %" PRIu64 ")", is.rows, is.columns);
    h5_array_close(array);
  }
  const size_t room = sizeof list->text - list->length;
  if (strlen(object) + strlen(shape) + 3 > room) return MLPD_OK;
  list->length +=
      (size_t)snprintf(list->text + list->length, room, "%s%s%s", list->listed > 0 ? ", " : "", object, shape);
  list->listed++;
  return MLPD_OK;
}

/* Is what is missing what convert --label none leaves out? Rows to predict are /test/x alone. */
static bool is_unlabelled(h5_file *file, const char *path) {
  return (strcmp(path, "/train/x") == 0 || strcmp(path, "/test/y") == 0) && !h5_exists(file, "/train/x") &&
         h5_exists(file, "/test/x") && !h5_exists(file, "/test/y");
}

/* Fails: path is not in the file. The message lists the arrays that are. */
static mlpd_status fail_absent(h5_file *file, const char *name, const char *path, const char *hint) {
  array_list list = {.file = file};
  if (strcmp(name, DATA_ROWS_NAME) == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: %s is not given, or has no rows on any rank", name, data_rows_member(path));
  TRY(h5_check_links(file, path));
  if (is_unlabelled(file, path))
    return FAIL(
        MLPD_ERROR_DATA,
        "%s: no data set %s; the file holds rows without targets, /test/x, as --label none makes: predict takes "
        "these, but train and eval need targets; give the table with --label COLUMN, or name arrays with %s",
        name, path, hint);
  TRY(h5_visit_arrays(file, list_array, &list));
  if (list.found == 0) return FAIL(MLPD_ERROR_DATA, "%s: no data set %s; the file holds no arrays", name, path);
  char more[32] = "";
  if (list.found > list.listed) (void)snprintf(more, sizeof more, " and %d more", list.found - list.listed);
  return FAIL(MLPD_ERROR_DATA, "%s: no data set %s; the file holds %s%s; name them with %s", name, path, list.text,
              more, hint);
}

/* The paths of a part's arrays: those that the user gave, or NULL. */
typedef struct split_paths {
  const char *folder, *x, *y, *weight, *hint;
} split_paths;

static split_paths split_paths_of(const mlpd_data_paths *paths, mlpd_split split) {
  switch (split) {
    case MLPD_VALID:
      return (split_paths){"/valid", paths->valid_x, paths->valid_y, NULL,
                           "--valid-x and --valid-y of train, --x and --y of eval"};
    case MLPD_TEST:
      return (split_paths){"/test", paths->test_x, paths->test_y, NULL,
                           "--test-x and --test-y of train, --x and --y of eval"};
    case MLPD_TRAIN:
      break;
  }
  return (split_paths){"/train", paths->x, paths->y, paths->weight, "--x and --y"};
}

static mlpd_status path_choose(const char *named, const char *folder, const char *leaf, char **path) {
  if (named != NULL) return memory_copy_string(named, path);
  char text[32];
  (void)snprintf(text, sizeof text, "%s/%s", folder, leaf);
  return memory_copy_string(text, path);
}

static mlpd_status find_layout(part *p, const h5_shape *shape) {
  char *layout = NULL;
  p->image = shape->type == ELEMENT_U8 && shape->dimensions > 2;
  if (!h5_attribute_exists(p->h5, p->x_path, "layout")) return MLPD_OK;
  TRY(h5_attribute_read_text(p->h5, p->x_path, "layout", &layout));
  p->image = strcmp(layout, "image") == 0;
  free(layout);
  return MLPD_OK;
}

static mlpd_status part_open_x(part *p, const split_paths *where) {
  if (!h5_exists(p->h5, p->x_path)) return fail_absent(p->h5, p->file, p->x_path, where->hint);
  TRY(h5_array_open(p->h5, p->x_path, &p->x));
  const h5_shape shape = h5_array_shape(p->x);
  if (shape.rows == 0) return FAIL(MLPD_ERROR_DATA, "%s: %s has no rows", p->file, p->x_path);
  if (shape.columns == 0) return FAIL(MLPD_ERROR_DATA, "%s: %s has no columns", p->file, p->x_path);
  if (shape.columns > UINT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " columns; at most %" PRIu32 " are supported", p->file,
                p->x_path, shape.columns, UINT32_MAX);
  p->rows = shape.rows;
  p->features = (uint32_t)shape.columns;
  p->type = shape.type;
  p->table = h5_exists(p->h5, "/columns/kind");
  p->may_miss = p->table && h5_attribute_exists(p->h5, "/columns", "missing_values");
  return find_layout(p, &shape);
}

/* true if x, or the other array (y or weights, of this shape), seems to be transposed: the rows of one match the
 * columns of the other. */
static bool looks_transposed(const part *p, h5_shape shape) {
  const uint64_t features = h5_array_shape(p->x).columns;
  const bool y_lies = shape.rank > 1 && shape.rows == 1 && (shape.columns == p->rows || shape.columns == features);
  return h5_is_matlab(p->file) || y_lies || shape.rows == features;
}

static mlpd_status fail_transposed(const part *p, const char *path, h5_shape shape) {
  const bool matlab = h5_is_matlab(p->file),
             x_lies = matlab || shape.rows == p->features || shape.columns == p->features;
  const bool y_lies = matlab || (shape.rank > 1 && shape.rows == 1);
  char file[FOREIGN_NAME_BYTES], base[FOREIGN_NAME_BYTES];
  foreign_command_names(p->file, file, base);
  return FAIL(MLPD_ERROR_DATA,
              "%s: %s has shape (%" PRIu64 ", %" PRIu32 ") but %s has (%" PRIu64 ", %" PRIu64
              "): %s; transpose %s: python3 -c "
              "\"import h5py; a = h5py.File('%s'); b = h5py.File('%s-turned.h5', 'w'); b['train/x'] = a['%s'][()]%s; "
              "b['train/y'] = a['%s'][()]%s\"",
              p->file, p->x_path, p->rows, p->features, path, shape.rows, shape.columns,
              matlab ? "MATLAB stores arrays transposed" : "samples seem to be columns",
              x_lies && y_lies ? "them" : "it", file, base, p->x_path, x_lies ? ".T" : "", path, y_lies ? ".T" : "");
}

/* Opens an array with as many rows as x. */
static mlpd_status part_open_beside(part *p, const char *path, bool labels, h5_array **array) {
  h5_array *opened = NULL;
  TRY(labels ? h5_labels_open(p->h5, path, &opened) : h5_array_open(p->h5, path, &opened));
  const h5_shape shape = h5_array_shape(opened);
  mlpd_status status = MLPD_OK;
  if (shape.rows != p->rows && looks_transposed(p, shape))
    status = fail_transposed(p, path, shape);
  else if (shape.rows != p->rows)
    status = FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " rows but %s has %" PRIu64, p->file, p->x_path, p->rows, path,
                  shape.rows);
  else if (shape.columns == 0 || shape.columns > UINT32_MAX)
    status = FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " columns", p->file, path, shape.columns);
  if (status == MLPD_OK)
    *array = opened;
  else
    h5_array_close(opened);
  return status;
}

static mlpd_status part_open_y(part *p, const split_paths *where) {
  const bool named = where->y != NULL;
  if (!h5_exists(p->h5, p->y_path)) {
    if (p->need_y || named) return fail_absent(p->h5, p->file, p->y_path, where->hint);
    return MLPD_OK;
  }
  const mlpd_status status = part_open_beside(p, p->y_path, true, &p->y);
  if (status != MLPD_OK) return p->need_y || named ? status : MLPD_OK;
  const h5_shape shape = h5_array_shape(p->y);
  p->y_columns = (uint32_t)shape.columns;
  p->y_text = shape.text;
  p->y_integer = !shape.text && shape.columns == 1 && element_is_integer(shape.type);
  if (shape.text && shape.columns > 1 && (p->need_y || named))
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %u columns of text; a class is one text per row", p->file, p->y_path,
                p->y_columns);
  return MLPD_OK;
}

static mlpd_status part_open_weight(part *p, const split_paths *where) {
  if (where->weight == NULL && !h5_exists(p->h5, p->weight_path)) return MLPD_OK;
  if (!h5_exists(p->h5, p->weight_path)) return fail_absent(p->h5, p->file, p->weight_path, "--weight");
  TRY(part_open_beside(p, p->weight_path, false, &p->weight));
  const uint64_t columns = h5_array_shape(p->weight).columns;
  if (columns != 1)
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu64 " columns; a weight is one number per row", p->file,
                p->weight_path, columns);
  return MLPD_OK;
}

mlpd_status part_open(h5_file *file, const mlpd_data_paths *paths, mlpd_split split, bool need_y, part *opened,
                      bool *present) {
  *opened = (part){.need_y = need_y, .weight_unit = 1};
  *present = false;
  if (paths->file == NULL) return FAIL(MLPD_ERROR_USAGE, "no data file was given; use --data FILE");
  const split_paths where = split_paths_of(paths, split);
  const bool named = where.x != NULL || where.y != NULL;
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, memory_copy_string(paths->file, &opened->file), failed);
  TRY_GOTO(status, path_choose(where.x, where.folder, "x", &opened->x_path), failed);
  TRY_GOTO(status, path_choose(where.y, where.folder, "y", &opened->y_path), failed);
  TRY_GOTO(status, path_choose(where.weight, where.folder, "weight", &opened->weight_path), failed);
  if (file != NULL)
    opened->h5 = h5_share(file);
  else
    TRY_GOTO(status, h5_open(paths->file, &opened->h5), failed);
  if (split != MLPD_TRAIN && !named && !h5_exists(opened->h5, opened->x_path)) {
    part_close(opened);
    return MLPD_OK;
  }
  TRY_GOTO(status, part_open_x(opened, &where), failed);
  TRY_GOTO(status, part_open_y(opened, &where), failed);
  if (need_y) TRY_GOTO(status, part_open_weight(opened, &where), failed);
  *present = true;
  return MLPD_OK;
failed:
  part_close(opened);
  return status;
}

void part_close(part *p) {
  h5_array_close(p->x);
  h5_array_close(p->y);
  h5_array_close(p->weight);
  (void)h5_close(p->h5); /* read-only: nothing is lost */
  free(p->file);
  free(p->x_path);
  free(p->y_path);
  free(p->weight_path);
  for (uint32_t j = 0; p->order.codes != NULL && j < p->features; j++) free(p->order.codes[j]);
  free(p->order.codes);
  free(p->order.num_codes);
  free(p->order.replaced);
  free(p->order.columns);
  free(p->order.targets);
  free(p->order.classes);
  free(p->order.known_classes);
  name_list_free(&p->order.class_names);
  *p = (part){0};
}

static mlpd_status read_names(h5_file *file, const char *object, name_list *list) {
  return h5_exists(file, object) ? h5_strings_read(file, object, &list->names, &list->count) : MLPD_OK;
}

/* In a file that mlpdist did not write, an object of this name may be something else: it is then ignored. */
static mlpd_status read_optional_names(h5_file *file, const char *object, name_list *list) {
  const mlpd_status status = read_names(file, object, list);
  return status == MLPD_ERROR_DATA && !h5_attribute_exists(file, "/", "mlpdist_schema") ? MLPD_OK : status;
}

mlpd_status dataset_names(h5_file *file, data_names *names) {
  *names = (data_names){.classes = {0}};
  mlpd_status status = read_optional_names(file, "/columns/name", &names->columns);
  if (status == MLPD_OK) status = read_optional_names(file, "/targets/name", &names->targets);
  if (status == MLPD_OK) status = read_names(file, "/class_names", &names->classes);
  if (status == MLPD_OK) status = read_optional_names(file, "/class_labels", &names->labels);
  if (status == MLPD_OK) status = read_optional_names(file, "/columns/left_out", &names->left_out);
  if (status != MLPD_OK) data_names_free(names);
  return status;
}
