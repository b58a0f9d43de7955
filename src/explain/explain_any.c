/* Any lesson, matrix after matrix: a row is a sample. What belongs to a layer is in the file of its kind. */
#include <string.h>

#include "explain/explain_average.h"
#include "explain/explain_kind.h"
#include "explain/explain_loss.h"
#include "explain/explain_schedule.h"
#include "explain/explain_update.h"

static const char *choice_help(const mlpd_choice *choices, int value) {
  for (; choices->name != NULL; choices++)
    if (choices->value == value) return choices->help;
  return "";
}

static void print_activation(const explain_lesson *lesson, uint32_t l, FILE *stream) {
  const int activation = (int)lesson->activations[l];
  const char *const name = mlpd_choice_name(mlpd_activation_choices, activation);
  const char *const formula = choice_help(mlpd_activation_choices, activation);
  (void)fprintf(stream, "%-9s layer %u: %s(z)", "", l + 1, name);
  const bool is_known = strncmp(formula, name, strlen(name)) == 0; /* tanh(z) */
  (void)fprintf(stream, is_known ? "\n" : " = ");
  if (!is_known) explain_loss_formula(stream, formula);
}

static void print_title(const explain_lesson *lesson, FILE *stream) {
  const char *const title = lesson->title[0] != '\0' ? lesson->title : "Gradient descent, in numbers";
  (void)fprintf(stream, "%s\n", title);
  for (const char *c = title; *c != '\0'; c++)
    if (((unsigned char)*c & 0xc0) != 0x80) (void)fputc('=', stream);
  (void)fprintf(stream, "\n\n");
}

static void print_network(const explain_lesson *lesson, FILE *stream) {
  (void)fprintf(stream, "Network   %u", lesson->widths[0]);
  for (uint32_t l = 0; l < lesson->num_layers; l++) (void)fprintf(stream, "-%u", lesson->widths[l + 1]);
  if (lesson->drawn)
    (void)fprintf(stream, "; weights drawn with seed %llu", (unsigned long long)lesson->settings.train.seed);
  (void)fprintf(stream, "\n");
  for (uint32_t l = 0; l < lesson->num_layers; l++) print_activation(lesson, l, stream);
}

/* Are there layers that draw numbers in each step? */
static bool draws(const explain_page *page) {
  for (uint32_t l = 0; l < explain_layers(page); l++) {
    const explain_kind *const kind = explain_kind_of(page, l);
    if (kind == &explain_dropout || kind == &explain_noise) return true;
  }
  return false;
}

static void print_head(const explain_page *page) {
  const explain_settings *const settings = &page->lesson->settings;
  FILE *const stream = page->stream;
  print_title(page->lesson, stream);
  print_network(page->lesson, stream);
  if (settings->shown > 1)
    (void)fprintf(stream, "Step      t = %llu, after %llu that %s not written out\n",
                  (unsigned long long)settings->shown, (unsigned long long)settings->shown - 1,
                  settings->shown == 2 ? "is" : "are");
  if (draws(page))
    (void)fprintf(stream, "Draws     with seed %llu, other numbers in each step\n",
                  (unsigned long long)settings->train.seed);
  if (explain_members(page->lesson) > 1)
    (void)fprintf(stream,
                  "Members   [k] marks member k = 1 to %u. Xk, the arrays after it, W and B\n"
                  "          hold the rows of member 1, then those of member 2, and so on\n",
                  explain_members(page->lesson));
  explain_categories_start(page->lesson, stream);
  explain_loss_start(page);
  explain_schedule_start(page);
  explain_update_start(page);
  explain_average_start(page);
  (void)fprintf(stream,
                "Sign      delta = dC/dZ, from Yhat - Y. Texts that take delta = -dC/dZ, from\n"
                "          Y - Yhat, have the other sign in delta and the same new weights\n"
                "Matrices  a row is a sample, a column a unit; o multiplies element by element\n\n");
}

static void print_start(const explain_page *page) {
  const explain_lesson *const lesson = page->lesson;
  print_head(page);
  const explain_matrix x = {lesson->x.values, lesson->n, lesson->inputs, lesson->inputs};
  (lesson->categories != NULL ? explain_print_folding : explain_print)(page, "X   inputs", x);
  explain_print(page, "Y   targets", (explain_matrix){lesson->y.values, lesson->n, lesson->targets, lesson->targets});
  explain_loss_targets(page);
  for (uint32_t l = 0; l < explain_layers(page); l++) {
    const explain_kind *const kind = explain_kind_of(page, l);
    if (kind->start != NULL) kind->start(page, l);
  }
}

/* delta of layer l, from that of the layer behind it. */
static void print_delta(const explain_page *page, uint32_t l) {
  char pulled[EXPLAIN_FORMULA], formula[2 * EXPLAIN_FORMULA], name[EXPLAIN_NAME];
  if (l + 1 == explain_layers(page)) {
    explain_loss_delta(page);
    return;
  }
  explain_kind_of(page, l + 1)->pull(page, l + 1, pulled);
  (void)explain_delta_name(page, l, name);
  if (explain_activates(page, l))
    (void)snprintf(formula, sizeof formula, "%s = %s o %s'(Z%u)", name, pulled, explain_activation_name(page, l),
                   explain_layer_number(page, l));
  else
    (void)snprintf(formula, sizeof formula, "%s = %.*s", name, (int)strlen(pulled) - 2, pulled + 1);
  explain_print_samples(page, formula, l, page->step->trace.delta[l]);
}

/* The first layer that learns: no delta below it is needed. */
static uint32_t lowest_delta(const explain_page *page) {
  uint32_t l = 0;
  while (mlpd_network_tensor(page->step->before, l, 0).name == NULL) l++;
  return l;
}

/* The mean over the members; of an answer (i, j). */
static double answer_at(const void *context, uint64_t i, uint32_t j) {
  const explain_page *const page = context;
  return explain_answer(page->lesson, &page->step->trace, i, j);
}

void explain_any(const explain_lesson *lesson, const explain_step *step, FILE *stream) {
  const explain_page page = {lesson, step, stream};
  const uint32_t layers = explain_layers(&page);
  char b[32], c[32];
  print_start(&page);
  (void)fprintf(stream, "\n1. Forward pass (the biases are added to every row)\n\n");
  for (uint32_t l = 0; l < layers; l++) explain_kind_of(&page, l)->forward(&page, l);
  if (explain_members(lesson) > 1)
    explain_print_values(stream, lesson->settings.digits, "mean of Yhat over the members", lesson->n, lesson->outputs,
                         answer_at, &page);
  (void)fprintf(stream, "  C = %s\n", explain_cost(step->trace.loss, lesson->settings.digits, b));
  (void)fprintf(stream, "\n2. Back propagation\n\n");
  for (uint32_t l = layers; l-- > lowest_delta(&page);) print_delta(&page, l);
  (void)fprintf(stream, "\n3. Gradients%s\n\n", lesson->n > 1 ? ", summed over the samples" : "");
  for (uint32_t l = layers; l-- > 0;)
    if (explain_kind_of(&page, l)->gradients != NULL) explain_kind_of(&page, l)->gradients(&page, l);
  (void)fprintf(stream, "\n4. Update, a step downhill\n\n");
  for (uint32_t l = layers; l-- > 0;)
    if (explain_kind_of(&page, l)->update != NULL) explain_kind_of(&page, l)->update(&page, l);
  (void)fprintf(stream, "\nThe step took the cost C from %s to %s%s.\n",
                explain_cost(step->trace.loss, lesson->settings.digits, b),
                explain_cost(step->trace_after.loss, lesson->settings.digits, c),
                draws(&page) ? " (with the draws of the next)" : "");
}
