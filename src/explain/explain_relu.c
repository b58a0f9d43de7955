/* A ReLU network with three samples at once, matrix after matrix: a row is a sample. */
#include "explain/explain.h"
#include "explain/explain_matrix.h"

enum { SAMPLES = 3 };

static void print_matrix(FILE *stream, const char *formula, uint64_t rows, uint32_t columns, const float *matrix) {
  explain_print_matrix(stream, 4, formula, (explain_matrix){matrix, rows, columns, columns});
}

static void print_start(const explain_lesson *lesson, const explain_step *step, FILE *stream) {
  const mlpd_layer_view hidden = mlpd_network_layer(step->before, 0), output = mlpd_network_layer(step->before, 1);
  (void)fprintf(stream,
                "One step of gradient descent on three samples, in numbers\n"
                "=========================================================\n\n"
                "Network   1-2-2: one input, hidden units 2 and 3, output units 4 and 5\n"
                "          A(z) = max(z, 0) in both layers; A'(z) = 1 where z > 0, else 0\n"
                "Cost      C = 1/2 sum (Yhat - Y)^2 over samples and outputs: C' = Yhat - Y\n"
                "Rate      eta = 0.1\n"
                "Matrices  a row is a sample, a column a unit; o multiplies element by element\n\n");
  print_matrix(stream, "X   inputs", SAMPLES, 1, lesson->x.values);
  print_matrix(stream, "Y   targets", SAMPLES, 2, lesson->y.values);
  print_matrix(stream, "Wh  weights of the hidden layer", 1, 2, hidden.weight);
  print_matrix(stream, "Bh  biases", 1, 2, hidden.bias);
  print_matrix(stream, "Wo  weights of the output layer", 2, 2, output.weight);
  print_matrix(stream, "Bo  biases", 1, 2, output.bias);
}

static void print_passes(const explain_step *step, FILE *stream) {
  const mlpd_trace *t = &step->trace;
  char b[32];
  (void)fprintf(stream, "\n1. Forward pass (the biases are added to every row)\n\n");
  print_matrix(stream, "Zh = X Wh + Bh", SAMPLES, 2, t->z[0]);
  print_matrix(stream, "H = A(Zh)", SAMPLES, 2, t->a[0]);
  print_matrix(stream, "Zo = H Wo + Bo", SAMPLES, 2, t->z[1]);
  print_matrix(stream, "Yhat = A(Zo)", SAMPLES, 2, t->a[1]);
  (void)fprintf(stream, "  C = 1/2 sum (Yhat - Y)^2 = %s\n", explain_number(t->loss, 4, b));
  (void)fprintf(stream, "\n2. Back propagation (a unit that is off passes no error: 0)\n\n");
  print_matrix(stream, "delta_o = (Yhat - Y) o A'(Zo)", SAMPLES, 2, t->delta[1]);
  print_matrix(stream, "delta_h = (delta_o Wo^T) o A'(Zh)", SAMPLES, 2, t->delta[0]);
  (void)fprintf(stream, "\n3. Gradients, summed over the three samples\n\n");
  print_matrix(stream, "dC/dWo = H^T delta_o", 2, 2, t->weight_gradient[1]);
  print_matrix(stream, "dC/dBo = column sums of delta_o", 1, 2, t->bias_gradient[1]);
  print_matrix(stream, "dC/dWh = X^T delta_h", 1, 2, t->weight_gradient[0]);
  print_matrix(stream, "dC/dBh = column sums of delta_h", 1, 2, t->bias_gradient[0]);
}

static void print_update(const explain_step *step, FILE *stream) {
  const mlpd_layer_view hidden = mlpd_network_layer(step->after, 0), output = mlpd_network_layer(step->after, 1);
  char b[32], c[32];
  (void)fprintf(stream, "\n4. Update, a step downhill\n\n");
  print_matrix(stream, "Wo <- Wo - eta dC/dWo", 2, 2, output.weight);
  print_matrix(stream, "Bo <- Bo - eta dC/dBo", 1, 2, output.bias);
  print_matrix(stream, "Wh <- Wh - eta dC/dWh", 1, 2, hidden.weight);
  print_matrix(stream, "Bh <- Bh - eta dC/dBh", 1, 2, hidden.bias);
  (void)fprintf(stream, "\nThe step took the cost C from %s to %s.\n", explain_number(step->trace.loss, 4, b),
                explain_number(step->trace_after.loss, 4, c));
}

void explain_relu(const explain_lesson *lesson, const explain_step *step, FILE *stream) {
  print_start(lesson, step, stream);
  print_passes(step, stream);
  print_update(step, stream);
}
