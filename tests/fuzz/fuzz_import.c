/* ONNX graphs, state dicts (NPZ, safetensors) and descriptions (JSON) through mlpd_import: a model that predicts and
 * can be written, or a refusal by name. */
#include <stdlib.h>

#include "fuzz.h"
#include "mlpdist.h"

enum { COLUMNS_MOST = 4096 };

/* A row of zeros through the model. */
static void predict(const mlpd_model *model) {
  const uint32_t features = mlpd_model_features(model), outputs = mlpd_model_outputs(model);
  FUZZ_ASSERT(features > 0 && outputs > 0, "a model of nothing");
  if (features > COLUMNS_MOST || outputs > COLUMNS_MOST) return;
  double *const x = calloc(features, sizeof *x), *const y = calloc(outputs, sizeof *y);
  mlpd_predictor *predictor = NULL;
  FUZZ_ASSERT(x != NULL && y != NULL, "no memory");
  if (mlpd_predictor_create(model, 1, &predictor) == MLPD_OK) {
    const mlpd_rows rows = {.data = x, .type = MLPD_FLOAT64, .rows = 1, .columns = features};
    const mlpd_output values = {.data = y, .type = MLPD_FLOAT64, .rows = 1, .columns = outputs};
    (void)mlpd_predictor_run(predictor, &rows, &values, NULL); /* weights that overflow are named there */
  }
  mlpd_predictor_free(predictor);
  free(x);
  free(y);
}

/* What was imported can be exported and imported again. */
static void write_and_read(const mlpd_model *model, mlpd_task task) {
  const char *const out = fuzz_path("again.onnx");
  mlpd_model *again = NULL;
  mlpd_import_options options;
  mlpd_import_options_default(&options);
  options.task = task;
  if (mlpd_export(model, out) != MLPD_OK) return; /* a part that ONNX has no operator for */
  FUZZ_ASSERT(mlpd_import(out, &options, &again) == MLPD_OK, "not taken back: %s", mlpd_error_message());
  FUZZ_ASSERT(mlpd_model_features(again) == mlpd_model_features(model) &&
                  mlpd_model_outputs(again) == mlpd_model_outputs(model),
              "another shape after export and import");
  mlpd_model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const mlpd_task tasks[] = {MLPD_TASK_AUTO, MLPD_CLASSIFICATION, MLPD_REGRESSION, MLPD_TASK_AUTO};
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const char *const name = choice & 1    ? "net.npz"
                           : choice & 32 ? "net.safetensors"
                           : choice & 16 ? "net.json"
                                         : "net.onnx";
  const char *const path = fuzz_write(name, data + 1, size - 1);
  mlpd_import_options options;
  mlpd_import_options_default(&options);
  options.task = tasks[choice >> 1 & 3];
  if (choice & 33) options.activation = choice & 8 ? "relu,tanh" : "relu";
  mlpd_model *model = NULL;
  if (mlpd_import(path, &options, &model) == MLPD_OK) {
    predict(model);
    write_and_read(model, options.task);
    mlpd_model_free(model);
  } else {
    fuzz_check_message(mlpd_error_message(), path);
  }
  return 0;
}
