/* Any lesson, matrix after matrix: a row is a sample. What belongs to a layer is in the file of its kind. */
#include <string.h>

#include "program/explain.h"

static const char *choice_help(const mlpd_choice *choices, int value) {
  for (; choices->name != NULL; choices++)
    if (choices->value == value) return choices->help;
  return "";
}

/* A formula of the help without the remark behind it. */
static void print_formula(FILE *stream, const char *formula) {
  (void)fprintf(stream, "%.*s\n", (int)strcspn(formula, ";"), formula);
}

static void print_activation(const explain_lesson *lesson, uint32_t l, FILE *stream) {
  const int activation = (int)lesson->activations[l];
  const char *const name = mlpd_choice_name(mlpd_activation_choices, activation);
  const char *const formula = choice_help(mlpd_activation_choices, activation);
  (void)fprintf(stream, "%-9s layer %u: %s(z)", "", l + 1, name);
  const bool is_known = strncmp(formula, name, strlen(name)) == 0; /* tanh(z) */
  (void)fprintf(stream, is_known ? "\n" : " = ");
  if (!is_known) print_formula(stream, formula);
}

static void print_cost(const explain_lesson *lesson, FILE *stream) {
  const mlpd_loss loss = lesson->settings.train.loss;
  (void)fprintf(stream, "Cost      C = ");
  if (loss == MLPD_CROSS_ENTROPY) /* the help is about classes, and a lesson has target values */
    print_formula(stream, "-sum_k y_k log yhat_k");
  else
    print_formula(stream, choice_help(mlpd_loss_choices, (int)loss));
  if (lesson->n > 1) (void)fprintf(stream, "          summed over the %llu samples\n", (unsigned long long)lesson->n);
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

static void print_start(const explain_lesson *lesson, const explain_step *step, FILE *stream) {
  const explain_settings *const settings = &lesson->settings;
  char rate[32];
  (void)snprintf(rate, sizeof rate, "%g", settings->train.lr);
  print_title(lesson, stream);
  print_network(lesson, stream);
  print_cost(lesson, stream);
  (void)fprintf(stream,
                "Rate      eta = %s%s\n"
                "Sign      delta = dC/dZ, from Yhat - Y. Texts that take delta = -dC/dZ, from\n"
                "          Y - Yhat, have the other sign in delta and the same new weights\n"
                "Matrices  a row is a sample, a column a unit; o multiplies element by element\n\n",
                rate, settings->update == EXPLAIN_UPDATE_WEIGHTS ? "; the biases are not updated" : "");
  const uint32_t inputs = lesson->inputs, outputs = lesson->outputs;
  explain_print_matrix(stream, settings->digits, "X   inputs",
                       (explain_matrix){lesson->x.values, lesson->n, inputs, inputs});
  explain_print_matrix(stream, settings->digits, "Y   targets",
                       (explain_matrix){lesson->y.values, lesson->n, outputs, outputs});
  for (uint32_t l = 0; l < lesson->num_layers; l++) explain_dense_start(lesson, step, l, stream);
}

void explain_any(const explain_lesson *lesson, const explain_step *step, FILE *stream) {
  const uint64_t digits = lesson->settings.digits;
  char b[32], c[32];
  print_start(lesson, step, stream);
  (void)fprintf(stream, "\n1. Forward pass (the biases are added to every row)\n\n");
  for (uint32_t l = 0; l < lesson->num_layers; l++) explain_dense_forward(lesson, step, l, stream);
  (void)fprintf(stream, "  C = %s\n", explain_cost(step->trace.loss, digits, b));
  (void)fprintf(stream, "\n2. Back propagation\n\n");
  for (uint32_t l = lesson->num_layers; l-- > 0;) explain_dense_backward(lesson, step, l, stream);
  (void)fprintf(stream, "\n3. Gradients%s\n\n", lesson->n > 1 ? ", summed over the samples" : "");
  for (uint32_t l = lesson->num_layers; l-- > 0;) explain_dense_gradients(lesson, step, l, stream);
  (void)fprintf(stream, "\n4. Update, a step downhill\n\n");
  for (uint32_t l = lesson->num_layers; l-- > 0;) explain_dense_update(lesson, step, l, stream);
  (void)fprintf(stream, "\nThe step took the cost C from %s to %s.\n", explain_cost(step->trace.loss, digits, b),
                explain_cost(step->trace_after.loss, digits, c));
}
