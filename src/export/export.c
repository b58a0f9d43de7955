/* mlpd_export: which format, and what all formats have in common. */
#include "export/export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_output.h"
#include "base/locale.h"
#include "base/memory.h"
#include "base/text.h"
#include "export/export_c_header.h"
#include "network/layer_kind.h"

typedef struct format {
  const char *extension;
  export_writer *write;
  export_writer *write_header; /* the file beside it; NULL: there is none */
} format;

static const format FORMATS[] = {{".json", export_json, NULL},
                                 {".npz", export_npz, NULL},
                                 {".c", export_c, export_c_header},
                                 {".onnx", export_onnx, NULL}};

static const format *find_format(const char *path) {
  for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
    if (text_ends_in(path, FORMATS[i].extension)) return &FORMATS[i];
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

/* ---- Files ------------------------------------------------------------------------------------------- */

typedef struct files {
  file_output text, header;
  bool has_header; /* false beside a pipe or device: nothing is made that was not named */
} files;

static void discard(files *f) {
  file_output_discard(&f->text);
  if (f->has_header) file_output_discard(&f->header);
}

/* On failure nothing is open. */
static mlpd_status open_header(const char *out, files *f) {
  char path[FILE_PATH_BYTES];
  TRY(export_c_header_path(out, path));
  TRY(export_c_header_check(path));
  TRY(file_output_open(path, FILE_TEXT, &f->header));
  const file_identity text = file_identify(f->text.target), header = file_identify(f->header.target);
  if (strcmp(f->text.target, f->header.target) != 0 && !file_identities_equal(&text, &header)) return MLPD_OK;
  file_output_discard(&f->header);
  return FAIL(MLPD_ERROR_USAGE,
              "%s and its header, %s, are the same file; remove the link, or export under another name", out, path);
}

static mlpd_status open_files(const format *found, const char *out, files *f) {
  f->has_header = false;
  TRY(file_output_open(out, FILE_TEXT, &f->text));
  if (found->write_header == NULL || f->text.temporary[0] == '\0') return MLPD_OK;
  const mlpd_status status = open_header(out, f);
  f->has_header = status == MLPD_OK;
  if (status != MLPD_OK) discard(f);
  return status;
}

/* Both are complete and on disk before one takes its place. */
static mlpd_status fill_files(const format *found, const mlpd_model *model, const char *digest, const char *out,
                              files *f) {
  TRY(found->write(model, digest, out, f->text.stream));
  if (!f->has_header) return MLPD_OK;
  TRY(found->write_header(model, digest, out, f->header.stream));
  TRY(file_output_sync(&f->text));
  return file_output_sync(&f->header);
}

static mlpd_status commit_files(const char *out, files *f) {
  mlpd_status status = file_output_commit(&f->text);
  if (!f->has_header) return status;
  if (status != MLPD_OK) {
    file_output_discard(&f->header);
    return status;
  }
  status = file_output_commit(&f->header);
  if (status == MLPD_OK) return MLPD_OK;
  return FAIL(status, "%s; %s was written, its header was not", mlpd_error_message(), out);
}

static mlpd_status write_model(const format *found, const mlpd_model *model, const char *out) {
  char digest[17];
  mlpd_model plain;
  files f;
  mlpd_network_digest(model->network, digest);
  TRY(make_plain(model, &plain));
  mlpd_status status = open_files(found, out, &f);
  if (status == MLPD_OK) {
    status = fill_files(found, &plain, digest, out, &f);
    if (status == MLPD_OK)
      status = commit_files(out, &f);
    else
      discard(&f);
  }
  mlpd_network_free(plain.network);
  return status;
}

mlpd_status mlpd_export(const mlpd_model *model, const char *out) {
  NEED(model);
  NEED_PATH(out);
  IN_C_LOCALE();
  const format *const found = find_format(out);
  if (found == NULL)
    return FAIL(MLPD_ERROR_USAGE, "%s: unknown extension; export writes .onnx, .json, .npz (NumPy) and .c (C99)", out);
  const file_identity target = file_identify(out);
  if (file_identities_equal(&target, &model->file)) return FAIL(MLPD_ERROR_USAGE, "%s is the model itself", out);
  return write_model(found, model, out);
}
