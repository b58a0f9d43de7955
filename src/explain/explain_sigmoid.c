/* The textbook case of back propagation, unit after unit (Han and Kamber, Data Mining, chapter on back propagation).
 * Its error is delta = (y - a) A'(z), which is -dC/dz: the library's delta with the other sign. */
#include "explain/explain.h"
#include "explain/explain_matrix.h"

enum { INPUTS = 3, LAYERS = 2 };

static const float x[INPUTS] = {1, 0, 1}; /* of the example, as its heading shows */
static const uint32_t widths[LAYERS + 1] = {INPUTS, 2, 1};

/* Numbers of the units before layer l: inputs are 1, 2, 3, hidden units 4, 5, the output 6. */
static uint32_t units_before(uint32_t l) {
  uint32_t units = 0;
  for (uint32_t i = 0; i <= l; i++) units += widths[i];
  return units;
}

static uint32_t unit_of(uint32_t l, uint32_t j) { return units_before(l) + j + 1; }

/* The unit that feeds weight row i of layer l, and what it gives. */
static uint32_t source_unit(uint32_t l, uint32_t i) { return l == 0 ? i + 1 : unit_of(l - 1, i); }
static double source_value(const explain_step *step, uint32_t l, uint32_t i) {
  return (double)(l == 0 ? x[i] : step->trace.a[l - 1][i]);
}

static const char *value(double number, char buffer[32]) { return explain_number(number, 3, buffer); }
static const char *error(double number, char buffer[32]) { return explain_number(number, 4, buffer); }

static void print_weights(const explain_step *step, FILE *stream) {
  char b[32];
  for (uint32_t l = 0; l < LAYERS; l++) {
    const mlpd_layer_view layer = mlpd_network_layer(step->before, l);
    for (uint32_t i = 0; i < layer.inputs; i++) {
      (void)fprintf(stream, "%-8s", l == 0 && i == 0 ? "Weights" : "");
      for (uint32_t j = 0; j < layer.outputs; j++)
        (void)fprintf(stream, "%sw%u%u = %6s", j == 0 ? "  " : "   ", source_unit(l, i), unit_of(l, j),
                      value((double)layer.weight[i * layer.outputs + j], b));
      (void)fprintf(stream, "\n");
    }
  }
}

static void print_biases(const explain_step *step, FILE *stream) {
  char b[32];
  for (uint32_t l = 0; l < LAYERS; l++) {
    const mlpd_layer_view layer = mlpd_network_layer(step->before, l);
    (void)fprintf(stream, "%-8s", l == 0 ? "Biases" : "");
    for (uint32_t j = 0; j < layer.outputs; j++)
      (void)fprintf(stream, "%sb%u  = %6s", j == 0 ? "  " : "   ", unit_of(l, j), value((double)layer.bias[j], b));
    (void)fprintf(stream, "\n");
  }
}

static void print_network(const explain_step *step, FILE *stream) {
  (void)fprintf(stream,
                "One step of gradient descent, in numbers\n"
                "========================================\n\n"
                "Network   3-2-1: inputs 1, 2, 3; hidden units 4, 5; output unit 6\n"
                "          A(z) = 1 / (1 + exp(-z)), and so A'(z) = a (1 - a)\n"
                "Sample    x1 = 1, x2 = 0, x3 = 1; target y6 = 1\n"
                "Cost      C = 1/2 (a6 - y6)^2\n"
                "Rate      eta = 0.9\n\n");
  print_weights(step, stream);
  print_biases(step, stream);
}

static void print_forward_unit(const explain_step *step, uint32_t l, uint32_t j, FILE *stream) {
  const mlpd_layer_view layer = mlpd_network_layer(step->before, l);
  const uint32_t unit = unit_of(l, j);
  char b[32];
  (void)fprintf(stream, "  z%u = ", unit);
  for (uint32_t i = 0; i < layer.inputs; i++)
    (void)fprintf(stream, "%c%u w%u%u + ", l == 0 ? 'x' : 'a', source_unit(l, i), source_unit(l, i), unit);
  (void)fprintf(stream, "b%u\n     = ", unit);
  for (uint32_t i = 0; i < layer.inputs; i++) {
    (void)fprintf(stream, "%s", value(source_value(step, l, i), b));
    (void)fprintf(stream, " (%s) + ", value((double)layer.weight[i * layer.outputs + j], b));
  }
  (void)fprintf(stream, "(%s)\n", value((double)layer.bias[j], b));
  (void)fprintf(stream, "     = %s\n", value((double)step->trace.z[l][j], b));
  (void)fprintf(stream, "  a%u = A(%s)", unit, b);
  (void)fprintf(stream, " = %s\n\n", value((double)step->trace.a[l][j], b));
}

static void print_forward(const explain_step *step, FILE *stream) {
  char b[32];
  (void)fprintf(stream,
                "\n1. Forward pass\n"
                "   z_j = sum_i a_i w_ij + b_j      a_j = A(z_j)      (a_i is x_i for an input)\n\n");
  for (uint32_t l = 0; l < LAYERS; l++)
    for (uint32_t j = 0; j < widths[l + 1]; j++) print_forward_unit(step, l, j, stream);
  (void)fprintf(stream, "  C  = 1/2 (%s - 1)^2", value((double)step->trace.a[1][0], b));
  (void)fprintf(stream, " = %s\n", error(step->trace.loss, b));
}

static void print_backward(const explain_step *step, FILE *stream) {
  const double a6 = (double)step->trace.a[1][0], delta6 = -(double)step->trace.delta[1][0];
  const mlpd_layer_view output = mlpd_network_layer(step->before, 1);
  char b[32], c[32], d[32], e[32], f[32];
  (void)fprintf(stream,
                "\n2. Back propagation of the error delta_j = -dC/dz_j\n"
                "   output: delta_j = (y_j - a_j) a_j (1 - a_j)\n"
                "   hidden: delta_j = (sum_k delta_k w_jk) a_j (1 - a_j)\n\n");
  (void)fprintf(stream,
                "  delta6 = (y6 - a6) a6 (1 - a6)\n         = (1 - %s) %s (1 - %s) = %s\n"
                "         (0.1311 by hand, where a6 is rounded first)\n\n",
                value(a6, b), value(a6, c), value(a6, d), error(delta6, e));
  for (uint32_t j = output.inputs; j-- > 0;) {
    const uint32_t unit = unit_of(0, j);
    const double a = (double)step->trace.a[0][j];
    (void)fprintf(stream, "  delta%u = (delta6 w%u6) a%u (1 - a%u)\n", unit, unit, unit, unit);
    (void)fprintf(stream, "         = (%s (%s)) %s (1 - %s) = %s\n\n", error(delta6, b),
                  value((double)output.weight[j], c), value(a, d), value(a, e),
                  error(-(double)step->trace.delta[0][j], f));
  }
}

static void print_update_row(FILE *stream, const char *name, const char *formula, double old, double gradient,
                             double updated) {
  char b[32], c[32], d[32], e[32], f[32];
  (void)fprintf(stream, "  %-4s %8s   %-11s %9s   %8s  = %s - 0.9 (%s)\n", name, value(old, b), formula,
                error(gradient, c), value(updated, d), value(old, e), error(gradient, f));
}

static void print_update(const explain_step *step, FILE *stream) {
  char name[32], formula[32];
  (void)fprintf(stream,
                "3. Update, a step downhill\n"
                "   dC/dw_ij = -delta_j a_i         w_ij <- w_ij - eta dC/dw_ij\n"
                "   dC/db_j  = -delta_j             b_j  <- b_j  - eta dC/db_j\n\n"
                "            old               dC/dw, dC/db        new\n");
  for (uint32_t l = LAYERS; l-- > 0;) {
    const mlpd_layer_view old = mlpd_network_layer(step->before, l), updated = mlpd_network_layer(step->after, l);
    for (uint32_t j = 0; j < old.outputs; j++) {
      const uint32_t unit = unit_of(l, j);
      for (uint32_t i = 0; i < old.inputs; i++) {
        const uint32_t at = i * old.outputs + j, source = source_unit(l, i);
        (void)snprintf(name, sizeof name, "w%u%u", source, unit);
        (void)snprintf(formula, sizeof formula, "-delta%u %c%u", unit, l == 0 ? 'x' : 'a', source);
        print_update_row(stream, name, formula, (double)old.weight[at], (double)step->trace.weight_gradient[l][at],
                         (double)updated.weight[at]);
      }
      (void)snprintf(name, sizeof name, "b%u", unit);
      (void)snprintf(formula, sizeof formula, "-delta%u", unit);
      print_update_row(stream, name, formula, (double)old.bias[j], (double)step->trace.bias_gradient[l][j],
                       (double)updated.bias[j]);
    }
  }
}

void explain_sigmoid(const explain_lesson *lesson, const explain_step *step, FILE *stream) {
  char b[32], c[32], d[32], e[32];
  (void)lesson;
  print_network(step, stream);
  print_forward(step, stream);
  print_backward(step, stream);
  print_update(step, stream);
  (void)fprintf(stream,
                "\nAfter the step the network answers a6 = %s where it answered %s, target 1;\n"
                "the cost C fell from %s to %s.\n",
                value((double)step->trace_after.a[1][0], b), value((double)step->trace.a[1][0], c),
                error(step->trace.loss, d), error(step->trace_after.loss, e));
}
