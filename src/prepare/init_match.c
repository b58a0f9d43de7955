#include "prepare/init_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/column_curves.h"
#include "model/model_output.h"

enum { NAMES_BYTES = 300, LINE_BYTES = 900, WHY_BYTES = 100 };

/* What is needed to match, and to say what does not. */
typedef struct matching {
  const mlpd_model *from, *made;
  const char *file;
  init_note *note;
  void *context;
  init_match *match;
} matching;

static void tell(const matching *m, const char *text) {
  if (m->note != NULL) m->note(m->context, text);
}

/* ---- Columns ---------------------------------------------------------------------------------------- */

static bool is_category(const mlpd_model *model, uint32_t j) {
  return model->codes.about.count > 0 && model->codes.about.kinds[j] == COLUMN_KIND_CATEGORY;
}

static const char *column_name(const mlpd_model *model, uint32_t j, char buffer[16]) {
  if (j < model->names.columns.count) return model->names.columns.names[j];
  (void)snprintf(buffer, 16, "%u", j);
  return buffer;
}

static mlpd_status fail_count(const matching *m, uint32_t features) {
  char missing[NAMES_BYTES] = "", unknown[NAMES_BYTES] = "";
  const name_list *const wanted = &m->from->names.columns, *const given = &m->made->names.columns;
  if (wanted->count > 0 && given->count > 0) {
    name_match found;
    TRY(name_match_make(wanted, given, &found));
    if (found.missing > 0) name_list_print(wanted, found.from, missing, sizeof missing);
    if (found.unknown > 0) name_list_print(given, found.to, unknown, sizeof unknown);
    name_match_free(&found);
  }
  return FAIL(
      MLPD_ERROR_DATA,
      "--init-from: %s: %u columns, but the model expects %u%s%s%s%s; give the model's columns, or train without "
      "--init-from",
      m->file, features, m->from->input.columns, missing[0] != '\0' ? "; the model needs " : "", missing,
      unknown[0] != '\0' ? "; it does not know " : "", unknown);
}

/* Columns without a namesake take the places of those that are left, in order. */
static void place_others(const matching *m, const name_match *found, uint32_t features) {
  char mine[NAMES_BYTES], theirs[NAMES_BYTES], line[LINE_BYTES];
  uint32_t next = 0;
  for (uint32_t j = 0; j < features; j++) {
    m->match->columns[j] = found->to[j];
    m->match->known[j] = found->to[j] != NAME_ABSENT;
    if (m->match->known[j]) continue;
    while (found->from[next] != NAME_ABSENT) next++;
    m->match->columns[j] = next++;
  }
  if (found->unknown == 0) return;
  name_list_print(&m->made->names.columns, found->to, mine, sizeof mine);
  name_list_print(&m->from->names.columns, found->from, theirs, sizeof theirs);
  const bool one = found->unknown == 1;
  (void)snprintf(line, sizeof line,
                 "--init-from: the model does not know %s; %s the weights of its %s, and %s normalised anew", mine,
                 one ? "it gets" : "they get", theirs, one ? "is" : "are");
  tell(m, line);
}

static mlpd_status match_columns(const matching *m, uint32_t features) {
  const name_list *const wanted = &m->from->names.columns, *const given = &m->made->names.columns;
  if (features != m->from->input.columns) return fail_count(m, features);
  for (uint32_t j = 0; j < features; j++) {
    m->match->columns[j] = j;
    m->match->known[j] = true;
  }
  if (wanted->count != features || given->count != features) return MLPD_OK;
  name_match found;
  TRY(name_match_make(wanted, given, &found));
  place_others(m, &found, features);
  name_match_free(&found);
  return MLPD_OK;
}

static mlpd_status check_kinds(const matching *m, uint32_t features) {
  char buffer[16];
  for (uint32_t j = 0; j < features; j++) {
    const bool here = is_category(m->made, j), there = is_category(m->from, m->match->columns[j]);
    if (here == there) continue;
    return FAIL(MLPD_ERROR_DATA, "--init-from: column '%s' of %s holds %s, but %s in the data of the model; %s",
                column_name(m->made, j, buffer), m->file, here ? "categories" : "numbers",
                there ? "categories" : "numbers",
                there ? "--categorical makes categories of numbers" : "give the numbers, or train without --init-from");
  }
  return MLPD_OK;
}

/* ---- Inputs ----------------------------------------------------------------------------------------- */

static uint32_t input_begin(const mlpd_model *model, uint32_t j) {
  return model->codes.about.count > 0 ? model->codes.begin[j] : j;
}

static bool is_marked(const mlpd_model *model, uint32_t j) {
  return model->codes.about.count > 0 && model->codes.marked[j] != 0;
}

static bool is_embedded(const mlpd_model *model, uint32_t j) {
  return model->codes.about.count > 0 && model->codes.embedded[j] != 0;
}

/* The first row of the table of an embedded column, or the number of rows of all before j. */
static uint32_t table_row(const mlpd_model *model, uint32_t j) {
  const column_codes *const c = &model->codes;
  uint32_t row = 0;
  for (uint32_t i = 0; i < j && c->about.count > 0; i++) row += c->embedded[i] ? c->known[i] + c->marked[i] : 0;
  return row;
}

/* Where the model has our inputs or rows of a category column: to (of this column) from base on. */
static mlpd_status match_categories(const matching *m, uint32_t j, uint32_t theirs, uint32_t base, uint32_t *to) {
  const column_codes *const mine = &m->made->codes, *const from = &m->from->codes;
  name_match found;
  TRY(columns_match_categories(&from->about.categories[theirs], &mine->about.categories[j], &found));
  for (uint64_t k = 0; k < mine->about.categories[j].count; k++) {
    const int32_t input = mine->inputs[mine->first[j] + k];
    if (input < 0 || found.to[k] == NAME_ABSENT) continue;
    const int32_t known = from->inputs[from->first[theirs] + found.to[k]];
    if (known >= 0) to[input] = base + (uint32_t)known;
  }
  if (mine->marked[j] && from->marked[theirs]) to[mine->known[j]] = base + from->known[theirs];
  name_match_free(&found);
  return MLPD_OK;
}

static mlpd_status match_inputs(const matching *m, uint32_t features, uint32_t inputs) {
  const uint32_t rows = table_row(m->made, features);
  for (uint32_t i = 0; i < inputs; i++) m->match->inputs[i] = NAME_ABSENT;
  if (rows > 0) TRY(memory_allocate(&m->match->codes, rows, sizeof *m->match->codes, "codes of columns"));
  for (uint32_t i = 0; i < rows; i++) m->match->codes[i] = NAME_ABSENT;
  for (uint32_t j = 0; j < features; j++) {
    const uint32_t theirs = m->match->columns[j], begin = input_begin(m->from, theirs);
    uint32_t *const input = &m->match->inputs[input_begin(m->made, j)];
    if (is_embedded(m->made, j))
      TRY(match_categories(m, j, theirs, table_row(m->from, theirs), m->match->codes + table_row(m->made, j)));
    else if (is_category(m->made, j))
      TRY(match_categories(m, j, theirs, begin, input));
    else if (is_marked(m->made, j) && is_marked(m->from, theirs))
      input[1] = begin + 1;
    if (is_embedded(m->made, j) || !is_category(m->made, j)) *input = begin;
  }
  return MLPD_OK;
}

/* ---- Outputs ---------------------------------------------------------------------------------------- */

/* Are both lists names of the same things, or is there nothing to compare? */
static mlpd_status match_names(const name_list *wanted, const name_list *given, uint32_t count, uint32_t *place,
                               bool *same) {
  *same = true;
  for (uint32_t k = 0; k < count; k++) place[k] = k;
  if (wanted->count != count || given->count != count) return MLPD_OK;
  name_match found;
  TRY(name_match_make(wanted, given, &found));
  *same = found.missing == 0 && found.unknown == 0;
  if (*same) memcpy(place, found.to, count * sizeof *place);
  name_match_free(&found);
  return MLPD_OK;
}

/* Why the last layer cannot be taken, whatever the names; "": it can. */
static void compare_last_layer(const matching *m, char why[WHY_BYTES]) {
  const layer *const theirs = network_output(m->from->network), *const ours = network_output(m->made->network);
  why[0] = '\0';
  if (m->from->task != m->made->task)
    (void)snprintf(why, WHY_BYTES, "the task is another");
  else if (theirs->outputs != ours->outputs)
    (void)snprintf(why, WHY_BYTES, "it has another number of outputs (%u here, %u in the model)", ours->outputs,
                   theirs->outputs);
  else if (theirs->activation != ours->activation)
    (void)snprintf(why, WHY_BYTES, "it has another activation (%s here, %s in the model)",
                   mlpd_choice_name(mlpd_activation_choices, (int)ours->activation),
                   mlpd_choice_name(mlpd_activation_choices, (int)theirs->activation));
  else if (loss_outputs(&m->from->loss) != loss_outputs(&m->made->loss))
    (void)snprintf(why, WHY_BYTES, "the loss is another");
}

/* The same with names. *place (targets or classes): the model's. */
static mlpd_status compare_outputs(const matching *m, uint32_t count, uint32_t *place, char why[WHY_BYTES]) {
  const mlpd_model *const from = m->from, *const made = m->made;
  const bool classes = made->task == MLPD_CLASSIFICATION;
  bool same = true;
  compare_last_layer(m, why);
  if (why[0] != '\0') return MLPD_OK;
  TRY(match_names(classes ? &from->names.classes : &from->names.targets,
                  classes ? &made->names.classes : &made->names.targets, count, place, &same));
  if (!same) (void)snprintf(why, WHY_BYTES, "the %s have other names", classes ? "classes" : "targets");
  return MLPD_OK;
}

static mlpd_status match_outputs(const matching *m) {
  const uint32_t outputs = network_output(m->made->network)->outputs, each = loss_outputs(&m->made->loss);
  uint32_t *place = NULL;
  char why[WHY_BYTES], line[LINE_BYTES];
  TRY(memory_allocate(&place, outputs, sizeof *place, "outputs"));
  mlpd_status status = compare_outputs(m, outputs / each, place, why);
  if (status == MLPD_OK && why[0] == '\0')
    status = memory_allocate(&m->match->outputs, outputs, sizeof *m->match->outputs, "outputs");
  for (uint32_t k = 0; m->match->outputs != NULL && k < outputs; k++)
    m->match->outputs[k] = place[k / each] * each + k % each;
  free(place);
  if (status != MLPD_OK || why[0] == '\0') return status;
  (void)snprintf(line, sizeof line, "--init-from: the last layer starts anew: %s", why);
  tell(m, line);
  return MLPD_OK;
}

/* ---- All of it -------------------------------------------------------------------------------------- */

mlpd_status init_match_make(const mlpd_model *from, const mlpd_model *made, uint32_t features, uint32_t inputs,
                            const char *file, init_note *note, void *context, init_match *match) {
  const matching m = {.from = from, .made = made, .file = file, .note = note, .context = context, .match = match};
  *match = (init_match){.columns = NULL};
  TRY(memory_allocate(&match->columns, features, sizeof *match->columns, "columns"));
  TRY(memory_allocate(&match->known, features, sizeof *match->known, "columns"));
  TRY(memory_allocate(&match->inputs, inputs, sizeof *match->inputs, "inputs"));
  TRY(match_columns(&m, features));
  TRY(check_kinds(&m, features));
  TRY(match_inputs(&m, features, inputs));
  return match_outputs(&m);
}

/* ---- Before the rows are read ------------------------------------------------------------------------ */

/* The columns alone; none where their numbers differ, which is refused later. */
static mlpd_status match_columns_alone(const mlpd_model *from, const mlpd_model *made, uint32_t features,
                                       init_match *match) {
  const matching m = {.from = from, .made = made, .match = match};
  *match = (init_match){.columns = NULL};
  if (features != from->input.columns) return MLPD_OK;
  TRY(memory_allocate(&match->columns, features, sizeof *match->columns, "columns"));
  TRY(memory_allocate(&match->known, features, sizeof *match->known, "columns"));
  return match_columns(&m, features);
}

/* Those that from has an input or code for, and that list lacks. */
static mlpd_status add_categories(const mlpd_model *from, uint32_t theirs, name_list *list) {
  const name_list *const known = &from->codes.about.categories[theirs];
  name_match found;
  TRY(columns_match_categories(known, list, &found));
  mlpd_status status = MLPD_OK;
  for (uint64_t k = 0; k < known->count && list->count < CATEGORIES_MOST && status == MLPD_OK; k++)
    if (found.from[k] == NAME_ABSENT && column_codes_knows(&from->codes, theirs, (int64_t)k))
      status = name_list_add(list, known->names[k]);
  name_match_free(&found);
  return status;
}

mlpd_status init_match_about(const mlpd_model *from, const mlpd_model *made, columns *about) {
  init_match match;
  mlpd_status status = match_columns_alone(from, made, about->count, &match);
  const bool fits = status == MLPD_OK && match.columns != NULL;
  for (uint32_t j = 0; fits && j < about->count && status == MLPD_OK; j++)
    if (match.known[j] && about->kinds[j] == COLUMN_KIND_CATEGORY && is_category(from, match.columns[j]))
      status = add_categories(from, match.columns[j], &about->categories[j]);
  if (fits && from->codes.about.missing) about->missing = true;
  init_match_free(&match);
  return status;
}

mlpd_status init_match_embedded(const mlpd_model *from, mlpd_model *made) {
  init_match match;
  const mlpd_status status = match_columns_alone(from, made, made->codes.about.count, &match);
  const bool fits = status == MLPD_OK && match.columns != NULL;
  for (uint32_t j = 0; fits && j < made->codes.about.count; j++)
    made->codes.embedded[j] = is_category(made, j) && is_embedded(from, match.columns[j]);
  init_match_free(&match);
  return status;
}

static mlpd_status count_known(const mlpd_model *from, uint32_t theirs, const name_list *list, uint64_t *rows) {
  name_match found;
  TRY(columns_match_categories(&from->codes.about.categories[theirs], list, &found));
  for (uint64_t k = 0; k < list->count; k++)
    rows[k] += found.to[k] != NAME_ABSENT && column_codes_knows(&from->codes, theirs, found.to[k]);
  name_match_free(&found);
  return MLPD_OK;
}

mlpd_status init_match_counted(const mlpd_model *from, mlpd_model *made, uint64_t *rows) {
  column_codes *const codes = &made->codes;
  init_match match;
  mlpd_status status = match_columns_alone(from, made, codes->about.count, &match);
  const bool fits = status == MLPD_OK && match.columns != NULL;
  for (uint32_t j = 0; fits && j < codes->about.count && status == MLPD_OK; j++) {
    const uint32_t theirs = match.columns[j];
    if (!match.known[j] || is_category(made, j) != is_category(from, theirs)) continue;
    if (is_marked(from, theirs)) codes->marked[j] = 1;
    if (is_category(made, j)) status = count_known(from, theirs, &codes->about.categories[j], rows + codes->first[j]);
  }
  init_match_free(&match);
  return status;
}

void init_match_free(init_match *match) {
  free(match->columns);
  free(match->known);
  free(match->inputs);
  free(match->codes);
  free(match->outputs);
  *match = (init_match){.columns = NULL};
}

mlpd_status init_match_input(const mlpd_model *from, const init_match *match, mlpd_model *made) {
  for (uint32_t j = 0; j < made->input.columns; j++) {
    const uint32_t theirs = match->columns[j];
    if (!match->known[j]) continue;
    made->input.shift[j] = from->input.shift[theirs];
    made->input.scale[j] = from->input.scale[theirs];
    if (is_marked(made, j) && is_marked(from, theirs)) made->codes.fill[j] = from->codes.fill[theirs];
  }
  if (from->input.curves == NULL) return MLPD_OK;
  column_curves curves;
  const mlpd_status status =
      column_curves_pick(from->input.curves, match->columns, match->known, made->input.columns, &curves);
  if (status == MLPD_OK) return affine_bend(&made->input, &curves);
  column_curves_free(&curves);
  return status;
}

void init_match_target(const mlpd_model *from, const init_match *match, mlpd_model *made) {
  const uint32_t each = loss_outputs(&made->loss);
  for (uint32_t k = 0; match->outputs != NULL && k < made->target.columns; k++) {
    const uint32_t theirs = match->outputs[k * each] / each;
    made->target.shift[k] = from->target.shift[theirs];
    made->target.scale[k] = from->target.scale[theirs];
  }
}
