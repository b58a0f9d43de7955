/* Weights of the samples by their class: targets are a one and zeros, or, of a single target, 0 or 1. */
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "explain/explain.h"

static uint32_t classes_of(const explain_lesson *lesson) { return lesson->targets == 1 ? 2 : lesson->targets; }

/* The class of sample i; as many as there are classes: it is not of one. */
static uint32_t class_of(const explain_lesson *lesson, uint64_t i) {
  const float *const y = lesson->y.values + i * lesson->targets;
  uint32_t found = classes_of(lesson), ones = 0, zeros = 0;
  for (uint32_t k = 0; k < lesson->targets; k++) {
    ones += y[k] == 1;
    zeros += y[k] == 0;
    if (y[k] == 1) found = k;
  }
  if (lesson->targets == 1) return ones + zeros == 1 ? ones : 2;
  return ones == 1 && ones + zeros == lesson->targets ? found : classes_of(lesson);
}

static mlpd_status fail_at(const explain_lesson *lesson, const char *what) {
  char where[EXPLAIN_PLACE_BYTES];
  return outcome_fail(MLPD_ERROR_USAGE, "%s: %s", explain_setting_place(lesson, "class-weight", where), what);
}

/* n / (classes * samples of the class) */
static void balance(const explain_lesson *lesson, const uint64_t *counts, double *weights) {
  for (uint32_t k = 0; k < classes_of(lesson); k++)
    weights[k] = counts[k] > 0 ? (double)lesson->n / ((double)classes_of(lesson) * (double)counts[k]) : 0;
}

static mlpd_status read_weights(const explain_lesson *lesson, double *weights) {
  const char *at = lesson->settings.train.class_weight;
  char message[160];
  uint32_t count = 0;
  for (char *end; *at != '\0'; at = *end == ',' ? end + 1 : end) {
    const double value = strtod(at, &end);
    if (end == at || (*end != ',' && *end != '\0') || !(value >= 0 && value <= 1e30)) {
      (void)snprintf(message, sizeof message, "\"%.40s\" is not none, balanced, or weights from 0 on, such as 1,2.5",
                     at);
      return fail_at(lesson, message);
    }
    if (count < classes_of(lesson)) weights[count] = value;
    count++;
  }
  if (count == classes_of(lesson)) return MLPD_OK;
  (void)snprintf(message, sizeof message, "weights: %u, classes of the targets: %u", count, classes_of(lesson));
  return fail_at(lesson, message);
}

static bool is_of_values(mlpd_loss loss) {
  return loss == MLPD_QUANTILE || loss == MLPD_POISSON || loss == MLPD_GAUSSIAN;
}

static mlpd_status count_classes(const explain_lesson *lesson, uint64_t *counts) {
  char message[160];
  for (uint64_t i = 0; i < lesson->n; i++) {
    const uint32_t class = class_of(lesson, i);
    if (class < classes_of(lesson)) {
      counts[class]++;
      continue;
    }
    (void)snprintf(message, sizeof message, "sample %llu is not of one class; its targets must be %s",
                   (unsigned long long)i + 1, lesson->targets == 1 ? "0 or 1" : "a 1 and else 0");
    return fail_at(lesson, message);
  }
  return MLPD_OK;
}

mlpd_status explain_weigh(explain_lesson *lesson) {
  uint64_t counts[EXPLAIN_MAX_WIDTH + 1] = {0};
  double weights[EXPLAIN_MAX_WIDTH + 1];
  const char *const text = lesson->settings.train.class_weight;
  if (strcmp(text, "none") == 0) return MLPD_OK;
  if (is_of_values(lesson->settings.train.loss)) return fail_at(lesson, "the loss is for values, which have no class");
  mlpd_status status = count_classes(lesson, counts);
  if (strcmp(text, "balanced") == 0)
    balance(lesson, counts, weights);
  else if (status == MLPD_OK)
    status = read_weights(lesson, weights);
  if (status != MLPD_OK) return status;
  lesson->sample_weights = malloc(lesson->n * sizeof(float));
  if (lesson->sample_weights == NULL) return outcome_fail(MLPD_ERROR_MEMORY, "out of memory, weighing samples");
  for (uint64_t i = 0; i < lesson->n; i++) lesson->sample_weights[i] = (float)weights[class_of(lesson, i)];
  return MLPD_OK;
}
