/* Writes model files as mlpdist did before format 2: the same objects, and the two hashes that the program of
 * 2026-11-27 (commit 5500fe0) computed for exactly this content. */
#ifndef FORMER_MODEL_H
#define FORMER_MODEL_H

#include <string.h>

#include "h5/h5.h"

typedef struct former_model {
  const char *task, *loss, *hidden, *output; /* activations of the two layers, 3-4-2 */
  const char *digest, *checksum;
} former_model;

static const former_model former_models[] = {
    {"classification", "cross-entropy", "gelu", "softmax", "bc714292d74d1ae2", "11fd24c10c903e7a"},
    {"regression", "huber", "softplus", "identity", "1ba0f511d46463e3", "a984adf3780cd4e5"},
};

static float former_value(uint64_t i) { return ((float)i - 7) / 8; }

static mlpd_status former_array(h5_file *file, const char *object, uint64_t rows, uint64_t columns) {
  float values[16];
  for (uint64_t i = 0; i < 16; i++) values[i] = former_value(i);
  return h5_write(file, object, rows, columns, ELEMENT_F32, values);
}

static mlpd_status former_attributes(h5_file *file, const former_model *model) {
  TRY(h5_attribute_write_text(file, "/", "mlpdist", "model"));
  TRY(h5_attribute_write_u64(file, "/", "format", 1));
  TRY(h5_attribute_write_text(file, "/", "version", "0.1.0"));
  TRY(h5_attribute_write_text(file, "/", "task", model->task));
  TRY(h5_attribute_write_text(file, "/", "loss", model->loss));
  TRY(h5_attribute_write_text(file, "/", "digest", model->digest));
  TRY(h5_attribute_write_text(file, "/", "checksum", model->checksum));
  TRY(h5_attribute_write_u64(file, "/", "epoch", 3));
  TRY(h5_attribute_write_u64(file, "/", "step", 77));
  return h5_attribute_write_text(file, "/", "config", "[run]\nseed = 5\n");
}

static mlpd_status former_arrays(h5_file *file, const former_model *model) {
  static const char *const names[] = {"no", "yes"};
  const float scale[] = {0.5f, 1, 0, 4};
  TRY(former_array(file, "/network/layer_1/weight", 3, 4));
  TRY(h5_attribute_write_text(file, "/network/layer_1/weight", "activation", model->hidden));
  TRY(former_array(file, "/network/layer_1/bias", 4, 0));
  TRY(former_array(file, "/network/layer_2/weight", 4, 2));
  TRY(h5_attribute_write_text(file, "/network/layer_2/weight", "activation", model->output));
  TRY(former_array(file, "/network/layer_2/bias", 2, 0));
  TRY(former_array(file, "/input/shift", 3, 0));
  TRY(h5_write(file, "/input/scale", 3, 0, ELEMENT_F32, scale));
  if (strcmp(model->task, "classification") == 0) return h5_strings_write(file, "/class_names", names, 2);
  TRY(former_array(file, "/target/shift", 2, 0));
  return h5_write(file, "/target/scale", 2, 0, ELEMENT_F32, scale);
}

static mlpd_status former_model_write(const former_model *model, const char *path) {
  h5_file *file = NULL;
  TRY(h5_create(path, &file));
  mlpd_status status = former_attributes(file, model);
  if (status == MLPD_OK) status = former_arrays(file, model);
  const mlpd_status closed = h5_close(file);
  return status != MLPD_OK ? status : closed;
}

#endif
