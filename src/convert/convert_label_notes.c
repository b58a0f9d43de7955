#include "convert/convert_label_notes.h"

#include <math.h>
#include <string.h>

#include "convert/convert_alike.h"
#include "convert/convert_csv.h"
#include "convert/convert_report.h"

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

static void note_answers(const mlpd_convert_options *o, const label_set *set) {
  if (!set->classes || set->names == NULL || set->num_classes > CASES_MOST) return;
  for (uint32_t k = 0; k < set->num_classes; k++)
    for (uint32_t j = 0; j < k; j++) {
      if (answer_of(set->names[k]) < 0 || answer_of(set->names[j]) != answer_of(set->names[k])) continue;
      convert_say(o, "note: the classes '%.60s' and '%.60s' are kept apart; write them alike if they are one class",
                  set->names[j], set->names[k]);
      return;
    }
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

void label_set_notes(const mlpd_convert_options *options, const label_set *set) {
  if (options->num_model_columns == 0) note_constant(options, set); /* a model has its target */
  if (options->num_model_columns == 0) note_numbers(options, set);
  bool told = false;
  note_alike(options, set, &told);
  if (!told) note_answers(options, set);
  note_rounding(options, set);
}
