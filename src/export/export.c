/* mlpd_export: which format, and what all formats have in common. */
#include "export/export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "network/layer_kind.h"

typedef struct format {
  const char *extension;
  export_writer *write;
} format;

static const format FORMATS[] = {
    {".json", export_json}, {".npz", export_npz}, {".c", export_c}, {".onnx", export_onnx}};

static const format *find_format(const char *path) {
  const size_t length = strlen(path);
  for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
    const size_t end = strlen(FORMATS[i].extension);
    if (length > end && strcmp(path + length - end, FORMATS[i].extension) == 0) return &FORMATS[i];
  }
  return NULL;
}

static mlpd_status check_scales(const affine *a, const char *of) {
  for (uint32_t j = 0; j < a->columns; j++)
    if (!isfinite(a->shift[j]) || !isfinite(a->scale[j]))
      return FAIL(MLPD_ERROR_DATA, "shift or scale of %s %u is not finite: the model cannot be exported", of, j);
  return MLPD_OK;
}

/* JSON and C have no infinity among their numbers, and a model with one predicts nothing. */
static mlpd_status check_finite(const mlpd_model *model) {
  const mlpd_network *const network = model->network;
  for (uint32_t l = 0; l < network->num_layers; l++)
    for (uint32_t i = 0; i < network->layers[l].num_tensors; i++) {
      const tensor *const t = layer_tensor(network, l, i);
      for (size_t j = 0; j < tensor_end(t) - t->offset; j++)
        if (!isfinite(layer_values(network, l, i)[j]))
          return FAIL(MLPD_ERROR_DATA, "%s of layer %u holds a number that is not finite: the model cannot be exported",
                      t->name, l + 1);
    }
  TRY(check_scales(&model->input, "input"));
  if (model->task == MLPD_REGRESSION) TRY(check_scales(&model->target, "target"));
  return MLPD_OK;
}

/* The model as it is exported: its network is of its own, to be freed. */
static mlpd_status make_plain(const mlpd_model *model, mlpd_model *plain) {
  *plain = *model;
  TRY(check_finite(model));
  TRY(export_fold(model->network, &plain->network));
  const mlpd_status status = check_finite(plain); /* a product of finite numbers may not be */
  if (status != MLPD_OK) mlpd_network_free(plain->network);
  return status;
}

static mlpd_status write_model(const format *found, const mlpd_model *model, const char *out) {
  char digest[17];
  mlpd_model plain;
  file_output output;
  mlpd_network_digest(model->network, digest);
  TRY(make_plain(model, &plain));
  mlpd_status status = file_output_open(out, FILE_TEXT, &output);
  if (status == MLPD_OK) {
    status = found->write(&plain, digest, out, output.stream);
    if (status == MLPD_OK)
      status = file_output_commit(&output);
    else
      file_output_discard(&output);
  }
  mlpd_network_free(plain.network);
  return status;
}

mlpd_status mlpd_export(const mlpd_model *model, const char *out) {
  NEED(model);
  NEED(out);
  IN_C_LOCALE();
  const format *const found = find_format(out);
  if (found == NULL)
    return FAIL(MLPD_ERROR_USAGE, "%s: unknown extension; export writes .onnx, .json, .npz (NumPy) and .c (C99)", out);
  const file_identity target = file_identify(out);
  if (file_identities_equal(&target, &model->file)) return FAIL(MLPD_ERROR_USAGE, "%s is the model itself", out);
  return write_model(found, model, out);
}
