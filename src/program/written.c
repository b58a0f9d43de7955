#include "program/written.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/outcome.h"

const char *written_format(const char *path) {
  static const char *const formats[][2] = {{".onnx", "ONNX"},   {".c", "C"},      {".json", "JSON"}, {".npz", "NumPy"},
                                           {".keras", "Keras"}, {".h5", "Keras"}, {".hdf5", "Keras"}};
  const char *const extension = strrchr(path, '.');
  for (size_t i = 0; extension != NULL && i < sizeof formats / sizeof *formats; i++)
    if (strcmp(extension, formats[i][0]) == 0) return formats[i][1];
  return "";
}

static bool is_dense(const mlpd_layer_view *l) {
  return strcmp(l->kind, "dense") == 0 || strcmp(l->kind, "heads") == 0;
}

/* Its widths, and its members if it is an ensemble. */
static void print_network(mlpd_network *network, FILE *stream) {
  const uint32_t count = mlpd_network_num_layers(network);
  (void)fprintf(stream, "network %u", mlpd_network_layer(network, 0).inputs);
  for (uint32_t l = 0; l < count; l++) {
    const mlpd_layer_view view = mlpd_network_layer(network, l);
    if (is_dense(&view)) (void)fprintf(stream, "-%u", view.outputs);
  }
  const mlpd_layer_view last = mlpd_network_layer(network, count - 1);
  const uint32_t members = mlpd_network_tensor(network, count - 1, 0).rows / last.inputs;
  if (members > 1) (void)fprintf(stream, ", %u members", members);
  (void)fprintf(stream, ", %llu parameters", (unsigned long long)mlpd_network_num_parameters(network));
}

void written_print(const char *path, const char *format, mlpd_model *model) {
  FILE *const stream = outcome_is_stdout(path) ? stderr : stdout;
  const bool is_values = mlpd_model_task(model) == MLPD_REGRESSION;
  const uint32_t outputs = mlpd_model_outputs(model), shown = !is_values && outputs == 1 ? 2 : outputs;
  struct stat file;
  const bool is_file = stat(path, &file) == 0 && S_ISREG(file.st_mode);
  (void)fprintf(stream, "%s", path);
  if (is_file && stream == stdout && strcmp(format, "C") == 0) /* with its header */
    (void)fprintf(stream, " and %.*sh", (int)strlen(path) - 1, path);
  (void)fprintf(stream, ": %s, ", format);
  if (is_file) {
    const double bytes = (double)file.st_size;
    (void)fprintf(stream, bytes < 1e6 ? "%.1f KB, " : "%.1f MB, ", bytes < 1e6 ? 1e-3 * bytes : 1e-6 * bytes);
  }
  print_network(mlpd_model_network(model), stream);
  (void)fprintf(stream, ", %u %s%s\n", shown, is_values ? "value" : "class", shown == 1 ? "" : is_values ? "s" : "es");
}
