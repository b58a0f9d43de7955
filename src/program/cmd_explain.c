/* mlpdist explain: one training step of a tiny network in numbers. */
#include <string.h>

#include "program/commands.h"
#include "program/explain.h"
#include "program/outcome.h"

typedef enum example { EXAMPLE_SIGMOID, EXAMPLE_RELU } example;

static const mlpd_choice example_choices[] = {
    {"sigmoid", EXAMPLE_SIGMOID, "3-2-1, one sample"}, {"relu", EXAMPLE_RELU, "1-2-2, three samples"}, {NULL, 0, NULL}};

typedef struct explain_arguments {
  example which;
  bool help;
} explain_arguments;

static const option rows[] = {
    {"example", "general", "NAME", OPTION_CHOICE, OPTION_AT(explain_arguments, which), .help = "network to show",
     .choices = example_choices},
    {"help", "general", NULL, OPTION_FLAG, OPTION_AT(explain_arguments, help), .help = "print this help and exit"},
    {.name = NULL},
};

static const void *defaults(void) {
  static explain_arguments arguments;
  arguments = (explain_arguments){.which = EXAMPLE_SIGMOID};
  return &arguments;
}

const option_table explain_table = {
    .command = "explain",
    .usage = "[--example NAME]",
    .summary =
        "Shows one forward pass, back propagation and gradient-descent step of a tiny network: the formulas with "
        "their numbers, computed by the code that trains.",
    .details =
        "sigmoid is a 3-2-1 network with one sample, unit by unit; relu a 1-2-2 network\n"
        "with three samples, matrix by matrix.\n",
    .rows = rows,
    .defaults = defaults,
};

const char *explain_number(double value, int decimals, char buffer[32]) {
  (void)snprintf(buffer, 32, "%.*f", decimals, value);
  const bool is_zero = strspn(buffer, "-0.") == strlen(buffer);
  if (is_zero) (void)snprintf(buffer, 32, "%.*f", decimals, 0.0);
  return buffer;
}

void explain_step_free(explain_step *step) {
  mlpd_trace_free(&step->trace);
  mlpd_trace_free(&step->trace_after);
  mlpd_network_free(step->before);
  mlpd_network_free(step->after);
  *step = (explain_step){0};
}

static void fill(mlpd_network *network, const float *const *weights, const float *const *biases) {
  for (uint32_t l = 0; l < mlpd_network_num_layers(network); l++) {
    const mlpd_layer_view layer = mlpd_network_layer(network, l);
    memcpy(layer.weight, weights[l], sizeof(float) * layer.inputs * layer.outputs);
    memcpy(layer.bias, biases[l], sizeof(float) * layer.outputs);
  }
}

mlpd_status explain_step_make(uint32_t num_layers, const uint32_t *widths, mlpd_activation activation,
                              const float *const *weights, const float *const *biases, uint64_t n, const float *x,
                              const float *y, float lr, explain_step *step) {
  enum { MAX_LAYERS = 8 };
  mlpd_activation activations[MAX_LAYERS];
  *step = (explain_step){0};
  if (num_layers > MAX_LAYERS) return outcome_fail(MLPD_ERROR_USAGE, "explain shows at most %d layers", MAX_LAYERS);
  for (uint32_t l = 0; l < num_layers; l++) activations[l] = activation;
  mlpd_status status = mlpd_network_create(num_layers, widths, activations, &step->before);
  if (status == MLPD_OK) status = mlpd_network_create(num_layers, widths, activations, &step->after);
  if (status != MLPD_OK) return status;
  fill(step->before, weights, biases);
  fill(step->after, weights, biases);
  status = mlpd_network_trace(step->before, MLPD_MSE, n, x, y, &step->trace);
  if (status != MLPD_OK) return status;
  mlpd_network_descend(step->after, &step->trace, lr);
  return mlpd_network_trace(step->after, MLPD_MSE, n, x, y, &step->trace_after);
}

int command_explain(int argc, char **argv) {
  explain_arguments arguments = {.which = EXAMPLE_SIGMOID};
  option_results results = {0};
  if (options_want_help(argc, argv)) return command_print_help(&explain_table);
  mlpd_status status = options_parse(&explain_table, argc, argv, &arguments, &results);
  if (status == MLPD_OK && outcome_launcher_rank() <= 0)
    status = arguments.which == EXAMPLE_RELU ? explain_relu(stdout) : explain_sigmoid(stdout);
  options_free(&results);
  return outcome_end(NULL, status);
}
