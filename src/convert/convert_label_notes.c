#include "convert/convert_label_notes.h"

#include <math.h>
#include <string.h>

#include "csv/csv.h"
#include "csv/csv_forms.h"
#include "source/alike.h"
#include "source/report.h"
#include "source/roles.h"

enum { CASES_MOST = 200 }; /* most classes that are compared with one another */

static void note_constant(const mlpd_convert_options *o, const label_set *set) {
  if (set->classes && set->num_classes == 1)
    convert_say(o,
                "note: all labels are the same, '%.60s': there is nothing to learn; choose another target with --label",
                set->names != NULL ? set->names[0] : "0");
  if (!set->classes && set->numbers > 1 && set->minimum == set->maximum && fabs(set->minimum) < LABEL_EXACT_MOST)
    convert_say(o,
                "note: all labels are the same, %.17g: there is nothing to learn; choose another target with --label",
                set->minimum);
}

static void note_counting(const mlpd_convert_options *o, const label_set *set) {
  if (set->texts == 0 && set->numbers > LABEL_FEW && set->steps == set->numbers)
    convert_say(o, "note: the target numbers the rows, from %.17g to %.17g; choose another with --label", set->minimum,
                set->maximum);
}

static void note_alike(const mlpd_convert_options *o, const label_set *set, bool *told) {
  if (!set->classes || set->names == NULL || set->num_classes > CASES_MOST) return;
  for (uint32_t k = 0; k < set->num_classes; k++)
    for (uint32_t j = 0; j < k; j++) {
      const char *const difference = texts_difference(set->names[j], set->names[k]);
      if (difference == NULL) continue;
      *told = true;
      convert_say(o,
                  "note: the classes '%.60s' and '%.60s' differ only in %s and are kept apart; write them alike if "
                  "they are one class",
                  set->names[j], set->names[k], difference);
      return;
    }
}

/* The answer, 0 or 1, that a name gives, or -1. */
static int answer_of(const char *name) {
  const csv_syntax plain = {.decimal = '.'};
  const csv_cell cell = {.begin = name, .end = name + strlen(name)};
  number n;
  const csv_kind kind = csv_cell_read(&plain, &cell, &n);
  const bool answers = kind == CSV_YES_NO || (kind == CSV_NUMBER && n.is_integer && (n.integer == 0 || n.integer == 1));
  return answers ? (int)n.integer : -1;
}

/* Is it a number that is no answer? Beside 2, 1 is no yes: chromosomes are 1, 2, X and Y. */
static bool is_other_number(const char *name) {
  number n;
  const char *const end = name + strlen(name);
  return number_parse(name, end, &n) == end && answer_of(name) < 0;
}

static void note_answers(const mlpd_convert_options *o, const label_set *set, bool *told) {
  if (!set->classes || set->names == NULL || set->num_classes > CASES_MOST) return;
  for (uint32_t k = 0; k < set->num_classes; k++)
    if (is_other_number(set->names[k])) return;
  for (uint32_t k = 0; k < set->num_classes; k++)
    for (uint32_t j = 0; j < k; j++) {
      if (answer_of(set->names[k]) < 0 || answer_of(set->names[j]) != answer_of(set->names[k])) continue;
      *told = true;
      convert_say(o, "note: the classes '%.60s' and '%.60s' are kept apart; write them alike if they are one class",
                  set->names[j], set->names[k]);
      return;
    }
}

/* The same unit in many texts, as 18g: the target holds amounts. */
static void note_unit(const mlpd_convert_options *o, const label_set *set) {
  char first[CSV_UNIT_BYTES], unit[CSV_UNIT_BYTES];
  if (set->num_classes <= LABEL_FEW) return;
  for (uint32_t k = 0; k < set->num_classes; k++) {
    const csv_cell cell = {.begin = set->names[k], .end = set->names[k] + strlen(set->names[k])};
    if (!csv_cell_unit(&cell, k == 0 ? first : unit) || (k > 0 && strcmp(first, unit) != 0)) return;
  }
  convert_say(o,
              "note: the target becomes %u classes, but its texts are numbers with a unit, as '%.60s'; --strip '%s' "
              "reads them, --task classification leaves out this note",
              set->num_classes, set->names[0], first);
}

/* Classes of texts that are amounts in a form that is not read, such as 2*0.5 or 201k beside 1.5M. */
static void note_forms(const mlpd_convert_options *o, const label_set *set) {
  bool amounts = false;
  category texts[CASES_MOST];
  if (!set->classes || !set->any_text || set->task != MLPD_TASK_AUTO || set->num_classes > CASES_MOST) return;
  for (uint32_t k = 0; k < set->num_classes; k++)
    texts[k] = (category){.text = set->names[k], .length = strlen(set->names[k])};
  const char *const form = csv_form_of(
      &(category_set){.all = texts, .count = set->num_classes, .rows = set->texts + set->numbers}, &amounts);
  if (form == NULL || !amounts) return note_unit(o, set);
  const size_t length = strcspn(form, ";");
  convert_say(o, "note: the target becomes classes, but %.*s, as '%.60s'%s; --task classification leaves out this note",
              (int)length, form, set->names[0], form + length);
}

/* train, test, ...: the last column says to which part a row belongs. */
static void note_parts(const mlpd_convert_options *o, const label_set *set) {
  if (!set->classes || !set->any_text || set->task != MLPD_TASK_AUTO) return;
  if (roles_name_parts((const char *const *)set->names, set->num_classes))
    convert_say(
        o, "note: the classes '%.40s' and '%.40s' of the target name parts of the rows; choose another with --label",
        set->names[0], set->names[1]);
}

/* The names of the classes of entries begin to end. */
static void list_classes(const label_set *set, uint32_t begin, uint32_t end, char text[REPORT_BYTES]) {
  char number[16];
  size_t used = 0;
  text[0] = '\0';
  for (uint32_t i = begin; i < end; i++) {
    const int32_t k = set->entries[i].class_index;
    (void)snprintf(number, sizeof number, "%d", (int)k);
    report_list_add(text, &used, ", ", set->names != NULL ? set->names[k] : number);
  }
}

/* 0.0 is another entry than 0, but the same class. */
static bool are_strangers(const label_set *set) {
  for (uint32_t i = set->strange_begin; i < set->strange_end; i++)
    for (uint32_t j = 0; j < set->strange_begin; j++)
      if (set->entries[i].class_index == set->entries[j].class_index) return false;
  return true;
}

/* yes and no in one file, 1 and 0 in the next. */
static void note_strangers(const mlpd_convert_options *o, const label_set *set) {
  char own[REPORT_BYTES], others[REPORT_BYTES];
  if (!set->classes || set->stranger == NULL || set->strange_end > CASES_MOST || !are_strangers(set)) return;
  list_classes(set, set->strange_begin, set->strange_end, own);
  list_classes(set, 0, set->strange_begin, others);
  convert_say(o,
              "note: %.300s: its classes (%.200s) are none of those of the files before it (%.200s); write them alike "
              "if they are the same",
              set->stranger, own, others);
}

static void note_rounding(const mlpd_convert_options *o, const label_set *set) {
  const double largest = fmax(fabs(set->minimum), fabs(set->maximum));
  if (set->classes || set->numbers == 0 || set->any_fraction || !(largest > LABEL_EXACT_MOST)) return;
  convert_say(o, "note: labels are whole numbers up to %.6g; beyond 2^53 = 9007199254740992 they are rounded", largest);
}

/* A data set with such labels is noted likewise (data/labels.h). */
static void note_numbers(const mlpd_convert_options *o, const label_set *set) {
  if (!label_set_is_guess(set)) return;
  convert_say(
      o,
      "note: the whole numbers from %.17g to %.17g of the target are read as %u classes with these names; --task "
      "regression makes them values, --task classification leaves out this note",
      set->minimum, set->maximum, set->num_classes);
}

static bool may_be_class(double value) { return value >= 0 && value <= LABEL_AUTO_INTEGER; }

/* A few whole numbers that would be classes but for one of them, in few rows: 0, 1, 2 and 999999. */
static void note_stray(const mlpd_convert_options *o, const label_set *set) {
  const label_entry *stray = NULL;
  if (set->classes || set->task != MLPD_TASK_AUTO || set->texts > 0 || set->any_decimal || set->any_vector) return;
  if (set->full || set->count < 3 || set->count > LABEL_FEW) return;
  for (uint32_t i = 0; i < set->count; i++) {
    if (may_be_class(set->entries[i].value)) continue;
    if (stray != NULL) return;
    stray = &set->entries[i];
  }
  if (stray != NULL && 10 * stray->rows < set->numbers)
    convert_say(o,
                "note: the target is read as values because of %.17g in %llu of %llu rows; if the others are classes, "
                "correct these rows or leave them out",
                stray->value, (unsigned long long)stray->rows, (unsigned long long)set->numbers);
}

void label_set_notes(const mlpd_convert_options *options, const label_set *set) {
  if (options->num_model_columns == 0) note_constant(options, set); /* a model has its target */
  if (options->num_model_columns == 0) note_counting(options, set);
  if (options->num_model_columns == 0) note_numbers(options, set);
  if (options->num_model_columns == 0) note_stray(options, set);
  if (options->num_model_columns == 0) note_forms(options, set);
  if (options->num_model_columns == 0) note_parts(options, set);
  bool told = false;
  note_alike(options, set, &told);
  if (!told) note_answers(options, set, &told);
  if (!told && options->num_model_columns == 0) note_strangers(options, set);
  note_rounding(options, set);
}
