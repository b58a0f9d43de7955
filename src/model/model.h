/* Models: a network with what it needs to take raw data, and its HDF5 file.
 *
 * File: root attributes mlpdist = "model", format, version, task, loss, epoch, step, digest (of the network) and
 * checksum (of all the rest: a damaged file is no model); /network/layer_1/weight (inputs, outputs) with attribute
 * activation, /network/layer_1/bias (outputs), ..., other kinds of layers with attribute kind (model_network.h);
 * /input/shift, /input/scale (features): x' = (x - shift) * scale, float64, then clipped where there is an attribute
 * clip_inputs (data/affine.h); where columns are mapped by curves instead, /input/curves/first, x, z (model_curves.h);
 * label_smoothing, focal_gamma and /quantiles, where the loss has them; /target/shift, /target/scale (targets), for
 * regression, and /target/minimum, /target/maximum, where predictions are clamped to them; /columns/name (features),
 * /targets/name (outputs, or the one of the classes) and /class_names, where the data has names; /class_labels, the
 * labels of a table that these stand for, where --class-names gave them; /columns/left_out, the other columns of a
 * table; attribute config, the run's resolved options; attribute table, the origin of the converted table, if the data
 * was one.
 *
 * Format 5 has curves. Format 4 has clipped inputs or clamped predictions. Format 3 has layers that are not dense with
 * a bias, a loss with parameters, or columns that are not inputs as they are (model_columns.h); where there are none,
 * files are of format 2. Format 1 had no names of columns and targets, shift and scale in float32, and other hashes
 * (model_hash.h).
 * Nothing here is collective. */
#ifndef MLPDIST_MODEL_H
#define MLPDIST_MODEL_H

#include "base/file_output.h"
#include "data/column_codes.h"
#include "data/names.h"
#include "data/normalize.h"
#include "loss/loss.h"
#include "network/network.h"

enum { MODEL_FORMAT = 5 };

struct mlpd_model {
  mlpd_network *network;
  mlpd_task task;
  loss_spec loss;
  affine input;       /* (columns of x) */
  column_codes codes; /* of these columns, where the data tells their kinds; else empty */
  affine target;      /* (targets), regression only */
  double *least;      /* (2, targets) predictions are clamped to [least, most], in units of the targets, */
  double *most;       /* which lies behind it; NULL: they are not */
  float *bounds;      /* (2, targets) the same in scaled targets, for loss */
  data_names names;
  uint64_t epoch, step; /* epoch and step of these weights */
  char *config;
  char *table; /* the origin of the converted table that it was trained on (convert.h); NULL: none */
  void (*notice)(void *context, const char *message); /* receives notes on how data matches the model; may be NULL */
  void *notice_context;
  file_identity file; /* the file it was loaded from: no output may replace it */
};

/* Writes a temporary file beside path, syncs it and renames it to path. On failure a former file stays as it was. */
mlpd_status model_save(const mlpd_model *model, const char *path);

/* Refuses a model that was read and that training never makes: its parts do not fit, or hold what other code relies on
 * never to meet. */
mlpd_status model_check(mlpd_model *model);

#endif
