/* mlpd_describe: what an HDF5 file is, for people without h5dump. */
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/column_words.h"
#include "data/dataset.h"
#include "data/stored_labels.h"
#include "data/unwritten.h"
#include "model/model.h"
#include "network/layer_kind.h"
#include "prepare/memory_estimate.h"
#include "run/checkpoint.h"

enum { NAMES_SHOWN = 20, NAME_BYTES = 400 };

const char *mlpd_build_description(void) { return "mlpdist " MLPD_VERSION " (" MLPD_BUILD_DESCRIPTION ")"; }

/* ---- Data sets ------------------------------------------------------------------------------------ */

typedef struct listing {
  h5_file *file;
  FILE *stream;
} listing;

/* Prints why an array cannot be used: the reason alone, without the names of file and object and without the cure. */
static void describe_refusal(const listing *to, const char *object, const char *shown) {
  char reason[200];
  const char *at = mlpd_error_message();
  const char *const behind = strstr(at, object);
  if (behind != NULL) at = behind + strlen(object) + (behind[strlen(object)] == ' ');
  (void)snprintf(reason, sizeof reason, "%.*s", (int)strcspn(at, ";"), at);
  (void)fprintf(to->stream, "  %-24s %s\n", shown, reason);
}

static mlpd_status list_link(void *context, const char *object, const char *described) {
  const listing *const to = context;
  char shown[NAME_BYTES], where[NAME_BYTES];
  mlpd_text_printable(object, shown, sizeof shown);
  mlpd_text_printable(described, where, sizeof where);
  (void)fprintf(to->stream, "  %-24s %s\n", shown, where);
  return MLPD_OK;
}

static mlpd_status list_array(void *context, const char *object) {
  const listing *const to = context;
  h5_array *array = NULL;
  char shown[NAME_BYTES];
  mlpd_text_printable(object, shown, sizeof shown);
  if (h5_labels_open(to->file, object, &array) != MLPD_OK) {
    describe_refusal(to, object, shown);
    return MLPD_OK;
  }
  const h5_shape shape = h5_array_shape(array);
  char size[48];
  if (shape.rank < 2)
    (void)snprintf(size, sizeof size, "(%llu)", (unsigned long long)shape.rows);
  else
    (void)snprintf(size, sizeof size, "(%llu, %llu)", (unsigned long long)shape.rows,
                   (unsigned long long)shape.columns);
  char missing[UNWRITTEN_BYTES] = "";
  const bool lacks = unwritten_describe(array, missing);
  (void)fprintf(to->stream, "  %-24s %-16s %s, %s%s%s\n", shown, size, h5_array_stored_type(array),
                h5_array_storage(array), lacks ? "; " : "", missing);
  h5_array_close(array);
  return MLPD_OK;
}

static void describe_list(FILE *stream, const char *what, const name_list *list) {
  if (list->count == 0) return;
  (void)fprintf(stream, "%s: ", what);
  for (uint64_t i = 0; i < list->count && i < NAMES_SHOWN; i++) {
    char shown[NAME_BYTES];
    mlpd_text_printable(list->names[i], shown, sizeof shown);
    (void)fprintf(stream, "%s%s", i > 0 ? ", " : "", shown);
  }
  (void)fprintf(stream, "%s\n", list->count > NAMES_SHOWN ? ", ..." : "");
}

static void describe_names(FILE *stream, const data_names *names) {
  describe_list(stream, "columns", &names->columns);
  describe_list(stream, names->targets.count == 1 ? "target" : "targets", &names->targets);
  describe_list(stream, "class names", &names->classes);
  describe_list(stream, "class labels in the table", &names->labels);
  describe_list(stream, "columns left out of the table", &names->left_out);
}

enum { COLUMNS_SHOWN = 100 };

static void describe_line(const char *text, FILE *stream) {
  char shown[COLUMN_WORDS_BYTES];
  mlpd_text_printable(text, shown, sizeof shown);
  (void)fprintf(stream, "  %s\n", shown);
}

/* Columns of a table that are not all numbers. */
static mlpd_status describe_kinds(h5_file *file, const name_list *names, FILE *stream) {
  char text[COLUMN_WORDS_BYTES];
  columns about;
  TRY(columns_read(file, &about));
  if (columns_any_category(&about) || about.missing) {
    (void)fprintf(stream, "kinds of columns%s:\n", about.missing ? " (values may be missing)" : "");
    for (uint32_t j = 0; j < about.count && j < COLUMNS_SHOWN; j++) {
      column_words(&about, names, j, text);
      describe_line(text, stream);
    }
  }
  columns_free(&about);
  return MLPD_OK;
}

/* What the columns become. */
static void describe_inputs(const mlpd_model *model, FILE *stream) {
  char text[COLUMN_WORDS_BYTES];
  const column_codes *const codes = model->input.codes;
  if (codes == NULL) return;
  (void)fprintf(stream, "inputs of the network:\n");
  for (uint32_t j = 0; j < codes->about.count && j < COLUMNS_SHOWN; j++) {
    column_codes_words(codes, &model->names.columns, j, text);
    describe_line(text, stream);
  }
}

/* Rows of each label, in order. */
static void describe_labels(const stored_labels *l, FILE *stream) {
  char shown[64];
  (void)fprintf(stream, "    rows of each label:");
  for (uint64_t i = 0; i < l->count && i < NAMES_SHOWN; i++)
    (void)fprintf(stream, "%s %s: %llu", i > 0 ? "," : "", stored_label_show(&l->labels[i], shown),
                  (unsigned long long)l->labels[i].rows);
  (void)fprintf(stream, "%s\n", l->count > NAMES_SHOWN ? ", ..." : "");
}

/* Rows of classes 0, 1, 2, ... */
static void describe_classes(const stored_labels *l, FILE *stream) {
  (void)fprintf(stream, "    rows of each class:");
  int64_t class = 0;
  for (uint64_t i = 0; i < l->count && class < NAMES_SHOWN; i++)
    for (; class <= l->labels[i].number && class < NAMES_SHOWN; class ++)
      (void)fprintf(stream, " %llu", class == l->labels[i].number ? (unsigned long long)l->labels[i].rows : 0);
  (void)fprintf(stream, "%s\n", l->labels[l->count - 1].number >= NAMES_SHOWN ? " ..." : "");
}

static void describe_y(const part *p, const stored_labels *l, FILE *stream) {
  uint64_t stray = 0;
  const bool whole = !l->broken && l->count > 0;
  const labels_verdict verdict = whole ? stored_labels_judge(l, &stray) : LABELS_TOO_MANY;
  const char *const columns = p->y_columns == 1 ? "" : "s";
  if (p->y_columns > 1 && whole)
    (void)fprintf(stream, ", one-hot rows of %u classes\n", p->y_columns);
  else if (p->y_text)
    (void)fprintf(stream, ", targets of text\n");
  else if (p->y_integer)
    (void)fprintf(stream, ", integer classes\n");
  else
    (void)fprintf(stream, ", %u target value%s\n", p->y_columns, columns);
  if (verdict == LABELS_TOO_MANY || (!p->y_text && !p->y_integer && p->y_columns == 1 && l->count > 2)) return;
  if (verdict == LABELS_ARE_CLASSES || p->y_columns > 1)
    describe_classes(l, stream);
  else
    describe_labels(l, stream);
  char shown[64];
  if (verdict == LABELS_STRAY)
    (void)fprintf(stream, "    label %s at row %llu is far from the others\n",
                  stored_label_show(&l->labels[stray], shown), (unsigned long long)l->labels[stray].first_row);
}

static mlpd_status describe_split(const char *path, h5_file *file, mlpd_split split, FILE *stream) {
  part p = {0};
  bool present = false;
  TRY(part_open(file, &(mlpd_data_paths){.file = path}, split, false, &p, &present));
  if (!present) return MLPD_OK;
  (void)fprintf(stream, "  %s: %llu row%s, %u feature%s of %s", mlpd_choice_name(mlpd_split_choices, (int)split),
                (unsigned long long)p.rows, p.rows == 1 ? "" : "s", p.features, p.features == 1 ? "" : "s",
                element_name(p.type));
  mlpd_status status = MLPD_OK;
  if (p.y == NULL) {
    (void)fprintf(stream, ", no targets\n");
  } else {
    stored_labels labels = {0};
    status = stored_labels_scan(&p, split, 0, p.rows, &labels);
    stored_labels_sort(&labels);
    if (status == MLPD_OK) describe_y(&p, &labels, stream);
    stored_labels_free(&labels);
  }
  part_close(&p);
  return status;
}

static mlpd_status describe_dataset(const char *path, h5_file *file, FILE *stream) {
  data_names names = {.classes = {0}};
  (void)fprintf(stream, "%s: data set\n", path);
  const bool schema = h5_exists(file, "/train/x") || h5_exists(file, "/valid/x") || h5_exists(file, "/test/x");
  for (int split = MLPD_TRAIN; schema && split <= MLPD_TEST; split++)
    if (split != MLPD_TRAIN || h5_exists(file, "/train/x")) TRY(describe_split(path, file, (mlpd_split)split, stream));
  if (schema) TRY(dataset_names(file, &names));
  describe_names(stream, &names);
  const mlpd_status status = describe_kinds(file, &names.columns, stream);
  data_names_free(&names);
  TRY(status);
  if (schema) TRY(memory_describe_data(path, file, stream));
  if (!schema) (void)fprintf(stream, "  not in mlpdist's schema: name its arrays with --x and --y\n");
  if (h5_is_matlab(path))
    (void)fprintf(stream, "  saved by MATLAB 7.3, which stores arrays transposed: (columns, rows)\n");
  (void)fprintf(stream, "arrays:\n");
  listing to = {.file = file, .stream = stream};
  TRY(h5_visit_arrays(file, list_array, &to));
  return h5_visit_links(file, list_link, &to);
}

/* ---- Models --------------------------------------------------------------------------------------- */

/* "layer 1: weight (64, 32), bias (32), relu"; the kind is named if it is not dense. */
static void describe_layer(const mlpd_network *network, uint32_t l, FILE *stream) {
  const layer *const shape = &network->layers[l];
  (void)fprintf(stream, "  layer %u: ", l + 1);
  if (shape->kind != &layer_dense) (void)fprintf(stream, "%s, ", shape->kind->name);
  for (uint32_t i = 0; i < shape->num_tensors; i++) {
    const tensor *const t = layer_tensor(network, l, i);
    (void)fprintf(stream, "%s (", t->name);
    if (!t->vector) (void)fprintf(stream, "%u, ", t->rows);
    (void)fprintf(stream, "%u), ", t->columns);
  }
  (void)fprintf(stream, "%s\n", mlpd_choice_name(mlpd_activation_choices, (int)shape->activation));
}

static void describe_layers(const mlpd_network *network, FILE *stream) {
  (void)fprintf(stream, "network: %u", network_inputs(network));
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].kind == &layer_dense || network->layers[l].kind == &layer_heads)
      (void)fprintf(stream, "-%u", network->layers[l].outputs);
  if (network_members(network) > 1)
    (void)fprintf(stream, network->members_apart ? ", %u members" : ", ensemble of %u", network_members(network));
  (void)fprintf(stream, ", %llu parameters\n", (unsigned long long)mlpd_network_num_parameters(network));
  for (uint32_t l = 0; l < network->num_layers; l++) describe_layer(network, l, stream);
}

/* The options, indented. */
static void describe_config(const char *config, FILE *stream) {
  (void)fprintf(stream, "options:\n");
  for (const char *line = config; *line != '\0';) {
    const size_t length = strcspn(line, "\n");
    if (length > 0) (void)fprintf(stream, "  %.*s\n", (int)length, line);
    line += length + (line[length] == '\n');
  }
}

static mlpd_status describe_model(const char *path, FILE *stream) {
  mlpd_model *model = NULL;
  char digest[17], loss[LOSS_TEXT_BYTES];
  TRY(mlpd_model_load(path, &model));
  mlpd_network_digest(model->network, digest);
  (void)fprintf(stream, "%s: model, epoch %llu, step %llu\n", path, (unsigned long long)model->epoch,
                (unsigned long long)model->step);
  loss_describe(&model->loss, loss);
  (void)fprintf(stream, "task: %s, loss %s\n", mlpd_choice_name(mlpd_task_choices, (int)model->task), loss);
  describe_layers(model->network, stream);
  const mlpd_status status = memory_describe_network(model->network, model->config, stream);
  if (status != MLPD_OK) {
    mlpd_model_free(model);
    return status;
  }
  describe_names(stream, &model->names);
  describe_inputs(model, stream);
  if (model->config != NULL) describe_config(model->config, stream);
  (void)fprintf(stream, "digest %s\n", digest);
  mlpd_model_free(model);
  return MLPD_OK;
}

/* ---- Checkpoints ----------------------------------------------------------------------------------- */

static void describe_best(const checkpoint *c, FILE *stream) {
  mlpd_select by = MLPD_SELECT_LOSS;
  char line[32];
  for (const mlpd_choice *choice = mlpd_select_choices; choice->name != NULL; choice++) {
    (void)snprintf(line, sizeof line, "select = %s\n", choice->name);
    if (strstr(c->options, line) != NULL) by = (mlpd_select)choice->value;
  }
  const bool is_greatest = by == MLPD_SELECT_AUC || by == MLPD_SELECT_F1; /* the state has 1 - it */
  (void)fprintf(stream, "best validation %s %.9g, epoch %llu\n", mlpd_choice_name(mlpd_select_choices, (int)by),
                is_greatest ? 1 - c->state.best_loss : c->state.best_loss, (unsigned long long)c->state.best_epoch);
}

static mlpd_status describe_checkpoint(const char *path, FILE *stream) {
  checkpoint c;
  TRY(checkpoint_read(path, &c));
  const run_state *const at = &c.state;
  (void)fprintf(stream, "%s: checkpoint after step %llu: epoch %llu, %llu steps of it done; whole\n", path,
                (unsigned long long)at->step, (unsigned long long)at->epoch, (unsigned long long)at->step_in_epoch);
  if (at->best_epoch > 0) describe_best(&c, stream);
  (void)fprintf(stream, "arrays: %llu parameters (gaps included), %u of optimizer state%s%s\n",
                (unsigned long long)at->arena_size, checkpoint_num_states(&c),
                c.arenas[CHECKPOINT_KEPT] != NULL ? ", the weights for model.h5" : "",
                c.arenas[CHECKPOINT_AVERAGE] != NULL ? ", averaged weights" : "");
  (void)fprintf(stream, "data fingerprint %016llx\n", (unsigned long long)at->data_fingerprint);
  if (c.config != NULL) describe_config(c.config, stream);
  checkpoint_free(&c);
  return MLPD_OK;
}

/* ---- Trainers under way ---------------------------------------------------------------------------- */

/* What mlpd_trainer_save() wrote: counters and sizes, by the names in the file (under_way_file.c). */
static mlpd_status describe_trainer(const char *path, h5_file *file, FILE *stream) {
  static const char *const names[] = {"step", "seen", "filled", "features", "targets", "buffer_rows", "parameters"};
  enum { STEP, SEEN, FILLED, FEATURES, TARGETS, BUFFER_ROWS, PARAMETERS, NUMBERS };
  uint64_t of[NUMBERS] = {0};
  char *options = NULL;
  for (int i = 0; i < NUMBERS; i++) TRY(h5_attribute_read_u64(file, "/", names[i], &of[i]));
  TRY(h5_attribute_read_text(file, "/", "options", &options));
  (void)fprintf(stream, "%s: trainer under way (mlpd_trainer_save) after step %llu\n", path,
                (unsigned long long)of[STEP]);
  (void)fprintf(stream, "rows of %llu features and %llu target values or classes\n", (unsigned long long)of[FEATURES],
                (unsigned long long)of[TARGETS]);
  if (of[BUFFER_ROWS] > 0)
    (void)fprintf(stream, "buffer of %llu rows, %llu filled, from %llu rows seen\n",
                  (unsigned long long)of[BUFFER_ROWS], (unsigned long long)of[FILLED], (unsigned long long)of[SEEN]);
  (void)fprintf(stream, "%llu parameters (gaps included)\n", (unsigned long long)of[PARAMETERS]);
  describe_config(options, stream);
  free(options);
  return MLPD_OK;
}

/* What the file says it is: "model", "checkpoint", "trainer", or "" for files of other programs. */
static mlpd_status read_kind(h5_file *file, char kind[16]) {
  char *text = NULL;
  kind[0] = '\0';
  if (!h5_attribute_exists(file, "/", "mlpdist")) return MLPD_OK;
  TRY(h5_attribute_read_text(file, "/", "mlpdist", &text));
  (void)snprintf(kind, 16, "%s", text);
  free(text);
  return MLPD_OK;
}

static mlpd_status describe(const char *path, FILE *stream) {
  h5_file *file = NULL;
  TRY(h5_open(path, &file));
  char kind[16];
  mlpd_status status = read_kind(file, kind);
  if (status == MLPD_OK)
    status = strcmp(kind, "checkpoint") == 0 ? describe_checkpoint(path, stream)
             : strcmp(kind, "trainer") == 0  ? describe_trainer(path, file, stream)
             : kind[0] != '\0'               ? describe_model(path, stream)
                                             : describe_dataset(path, file, stream);
  const mlpd_status closed = h5_close(file);
  return status != MLPD_OK ? status : closed;
}

/* Lines for a terminal; text of the file, such as its options, must not control it. Lines may become shorter. */
static void make_lines_printable(char *text) {
  char *to = text;
  for (char *line = text, *next = NULL; *line != '\0'; line = next) {
    char *const end = strchr(line, '\n');
    next = end != NULL ? end + 1 : line + strlen(line);
    if (end != NULL) *end = '\0';
    text_make_printable(line);
    const size_t length = strlen(line);
    memmove(to, line, length);
    to += length;
    if (end != NULL) *to++ = '\n';
  }
  *to = '\0';
}

mlpd_status mlpd_describe(const char *path, char **text) {
  IN_C_LOCALE();
  NEED(text);
  *text = NULL;
  NEED_PATH(path);
  size_t bytes = 0;
  FILE *const lines = open_memstream(text, &bytes);
  if (lines == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, describing %s", path);
  mlpd_status status = describe(path, lines);
  const bool written = ferror(lines) == 0;
  if ((fclose(lines) != 0 || !written) && status == MLPD_OK)
    status = FAIL(MLPD_ERROR_MEMORY, "out of memory, describing %s", path);
  if (*text != NULL) make_lines_printable(*text);
  return status;
}
