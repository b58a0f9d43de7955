/* mlpdist import: a network that another program trained, as a model. */
#include "cli/outcome.h"
#include "program/commands.h"
#include "program/written.h"

typedef struct import_arguments {
  mlpd_import_options import;
  bool quiet, help;
} import_arguments;

#define ROW(member) OPTION_AT(import_arguments, member)

static const mlpd_choice tasks[] = {
    {"auto", MLPD_TASK_AUTO, "as the last activation of the network says"},
    {"classification", MLPD_CLASSIFICATION, "outputs are probabilities or logits of classes"},
    {"regression", MLPD_REGRESSION, "outputs are values"},
    {NULL, 0, NULL}};

static const option rows[] = {
    {"task", "import", "TASK", OPTION_CHOICE, ROW(import.task), .choices = tasks,
     .help = "whether the outputs are classes or values; with classification, outputs without an activation are logits",
     .note = "classification if the network ends in softmax or one sigmoid"},
    {"activation", "import", "NAME[,NAME...]", OPTION_TEXT, ROW(import.activation),
     .help = "activation of the hidden layers of a state dict, one for all or one for each; .npz and .safetensors need "
             "it, other formats hold it"},
    {"output-activation", "import", "NAME", OPTION_CHOICE, ROW(import.output_activation),
     .choices = mlpd_activation_choices, .automatic = true, .default_text = "auto",
     .help = "activation of the last layer of a state dict", .note = "identity, or by --task"},
    {"layers", "import", "NAME,NAME...", OPTION_TEXT, ROW(import.layers),
     .help = "names of the layers of a state dict, from input to output, such as fc1,fc2,out",
     .note = ".npz: in the order of the file; .safetensors, which has no order: by names and widths"},
    {"quiet", "general", NULL, OPTION_FLAG, ROW(quiet), .help = "do not print what was written"},
    {"help", "general", NULL, OPTION_FLAG, ROW(help), .help = "print this help and exit"},
    {.name = NULL},
};

static const void *defaults(void) {
  static import_arguments arguments;
  arguments = (import_arguments){.help = false};
  mlpd_import_options_default(&arguments.import);
  return &arguments;
}

const option_table import_table = {
    .command = "import",
    .usage = "FILE OUT.h5",
    .summary =
        "Makes a model from a network of dense layers and norms that another program trained, or from a file that "
        "export wrote.",
    .details =
        "Formats\n"
        "  .onnx   a graph of Gemm or MatMul and Add, activations that train knows,\n"
        "          layer, rms and batch norms, bounds, and constants beside them;\n"
        "          arithmetic on the input becomes its normalisation, that on the output\n"
        "          the scaling of the targets; a LogSoftmax at the end becomes softmax;\n"
        "          a file of export gives back the model\n"
        "  .json   a file of export\n"
        "  .keras, .h5\n"
        "          a model saved by Keras (model.save): dense layers, activations, norms\n"
        "          and constants\n"
        "  .npz, .safetensors\n"
        "          the state dict of PyTorch's linear layers, BatchNorm1d and LayerNorm:\n"
        "          numpy.savez(\"net.npz\", **{k: v.numpy() for k, v in\n"
        "          net.state_dict().items()}), or safetensors.torch.save_file; a norm\n"
        "          comes before the activation unless the numbers of a Sequential show a\n"
        "          module between it and the layer; or dense layers of Flax, NumPy and\n"
        "          scikit-learn, as NAME.kernel (inputs, outputs) and NAME.bias\n"
        "To train the model further: mlpdist train --init-from model.h5\n"
        "\n"
        "Examples\n"
        "  mlpdist import net.onnx model.h5\n"
        "  mlpdist import net.npz model.h5 --activation relu --task classification\n"
        "  mlpdist import logits.onnx model.h5 --task classification\n",
    .rows = rows,
    .defaults = defaults,
    .min_positionals = 2,
    .max_positionals = 2,
};

static mlpd_status import(const char *path, const import_arguments *arguments, const char *out) {
  char format[40];
  mlpd_model *model = NULL;
  mlpd_status status = mlpd_import_file(path, &arguments->import, out);
  if (status != MLPD_OK || arguments->quiet) return status;
  status = mlpd_model_load(out, &model);
  (void)snprintf(format, sizeof format, "made from %s", written_format(path));
  if (status == MLPD_OK) written_print(out, format, model);
  mlpd_model_free(model);
  return status;
}

int command_import(int argc, char **argv) {
  import_arguments arguments = {0};
  mlpd_import_options_default(&arguments.import);
  option_results results = {0};
  if (options_want_help(argc, argv)) return command_print_help(&import_table);
  mlpd_status status = options_parse(&import_table, argc, argv, &arguments, &results);
  if (status == MLPD_OK && outcome_launcher_rank() <= 0)
    status = import(results.positionals[0], &arguments, results.positionals[1]);
  options_free(&results);
  return outcome_end(NULL, status);
}
