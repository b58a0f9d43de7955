/* Categories among the inputs of a lesson: their codes are checked, and become one-hot columns or stay codes, which the
 * network embeds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "explain/explain.h"

static mlpd_status fail_at(const explain_lesson *lesson, const char *message) {
  char where[EXPLAIN_PLACE_BYTES];
  return outcome_fail(MLPD_ERROR_USAGE, "%s: %s", explain_setting_place(lesson, "categories", where), message);
}

/* The next number of the list; false at its end. The list was checked as a setting. */
static bool next_number(const char **list, double *number) {
  if (**list == '\0') return false;
  char *end = NULL;
  *number = strtod(*list, &end);
  *list = end + strspn(end, ", ");
  return true;
}

static bool is_one_hot(const explain_lesson *lesson, uint32_t categories) {
  return categories > 0 && categories <= lesson->settings.train.embed_above;
}

/* counts (lesson->inputs) */
static mlpd_status read_counts(const explain_lesson *lesson, uint32_t *counts) {
  char message[160];
  uint32_t given = 0;
  double number = 0;
  for (const char *list = lesson->settings.categories; next_number(&list, &number); given++) {
    if (number != floor(number)) {
      (void)snprintf(message, sizeof message, "%g is not a number of categories, such as 3", number);
      return fail_at(lesson, message);
    }
    if (given < lesson->inputs) counts[given] = (uint32_t)number;
  }
  if (given == lesson->inputs) return MLPD_OK;
  (void)snprintf(message, sizeof message,
                 "numbers: %u, inputs of a sample: %u; give one for each input, 0 for a number", given, lesson->inputs);
  return fail_at(lesson, message);
}

static mlpd_status check_codes(const explain_lesson *lesson, const uint32_t *counts) {
  char message[160];
  for (uint64_t at = 0; at < lesson->x.count; at++) {
    const uint32_t i = (uint32_t)(at % lesson->inputs);
    const float x = lesson->x.values[at];
    if (counts[i] == 0 || (x >= 0 && x < (float)counts[i] && x == floorf(x))) continue;
    (void)snprintf(message, sizeof message,
                   "input %u of sample %llu is %g; the code of one of %u categories is a whole number from 0 to %u",
                   i + 1, (unsigned long long)(at / lesson->inputs) + 1, (double)x, counts[i], counts[i] - 1);
    return fail_at(lesson, message);
  }
  return MLPD_OK;
}

static void note_no_numbers(const explain_lesson *lesson, const uint32_t *counts) {
  if (lesson->settings.train.embed_numbers == MLPD_EMBED_NUMBERS_NONE) return;
  for (uint32_t i = 0; i < lesson->inputs; i++)
    if (counts[i] == 0) return;
  outcome_note("--embed-numbers has no effect: all inputs are categories");
}

/* Inputs of the network. */
static uint64_t count_inputs(const explain_lesson *lesson, const uint32_t *counts) {
  uint64_t inputs = 0;
  for (uint32_t i = 0; i < lesson->inputs; i++) inputs += is_one_hot(lesson, counts[i]) ? counts[i] : 1;
  return inputs;
}

static void fill_inputs(const explain_lesson *lesson, const uint32_t *counts, uint32_t *categories, float *x) {
  for (uint64_t at = 0; at < lesson->x.count; at++) {
    const uint32_t size = counts[at % lesson->inputs];
    const bool one_hot = is_one_hot(lesson, size);
    for (uint32_t k = 0; one_hot && k < size; k++) *x++ = k == (uint32_t)lesson->x.values[at] ? 1 : 0;
    if (!one_hot) *x++ = lesson->x.values[at];
    if (at >= lesson->inputs) continue;
    for (uint32_t k = 0; one_hot && k < size; k++) *categories++ = MLPD_INPUT_AS_IS;
    if (!one_hot) *categories++ = size;
  }
}

/* Replaces the inputs of the samples. */
static mlpd_status make_inputs(explain_lesson *lesson, const uint32_t *counts) {
  const uint64_t inputs = count_inputs(lesson, counts);
  if (inputs > EXPLAIN_MAX_WIDTH) return fail_at(lesson, "explain shows at most 1024 inputs, one-hot columns included");
  uint32_t *const categories = malloc(inputs * sizeof *categories);
  float *const x = malloc(lesson->n * inputs * sizeof *x);
  if (categories == NULL || x == NULL) {
    free(categories);
    free(x);
    return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading categories");
  }
  fill_inputs(lesson, counts, categories, x);
  free(lesson->x.values);
  lesson->x.values = x;
  lesson->x.count = lesson->x.capacity = lesson->n * inputs;
  lesson->categories = categories;
  lesson->inputs = (uint32_t)inputs;
  return MLPD_OK;
}

mlpd_status explain_categorize(explain_lesson *lesson) {
  uint32_t counts[EXPLAIN_MAX_WIDTH];
  if (lesson->settings.categories[0] == '\0' || lesson->inputs == 0) return MLPD_OK;
  mlpd_status status = read_counts(lesson, counts);
  if (status == MLPD_OK) status = check_codes(lesson, counts);
  if (status != MLPD_OK) return status;
  note_no_numbers(lesson, counts);
  return make_inputs(lesson, counts);
}

void explain_categories_start(const explain_lesson *lesson, FILE *stream) {
  enum { MOST_LINES = 8 };
  uint32_t input = 0, column = 0, shown = 0;
  double number = 0;
  for (const char *list = lesson->settings.categories; next_number(&list, &number); input++) {
    const uint32_t size = (uint32_t)number;
    const bool one_hot = is_one_hot(lesson, size);
    if (size > 0 && shown < MOST_LINES)
      (void)fprintf(stream, "%-9s input %u: one of %u categories, %s %u\n", shown == 0 ? "Codes" : "", input + 1, size,
                    one_hot ? "one-hot in X from column" : "embedded, in X column", column + 1);
    shown += size > 0;
    column += one_hot ? size : 1;
  }
  if (shown > MOST_LINES) (void)fprintf(stream, "%-9s and %u more\n", "", shown - MOST_LINES);
}
