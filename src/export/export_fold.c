/* A network for prediction alone, of as few layers as possible: W' = diag(f) W diag(g) and b' = (b + s W) o g + t take
 * over z = f o x + s before a product z = x W + b, and z = g o x + t after it. Computed in double and rounded once. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "network/layer_kind.h"

enum { NONE = UINT32_MAX };

/* A layer that stays, and the layers before and after it that it takes over. */
typedef struct fold {
  uint32_t layer, before, after;
} fold;

static bool is_open(const mlpd_network *network, const fold *f) {
  const layer *const shape = &network->layers[f->layer];
  return shape->kind == &layer_dense && shape->activation == MLPD_IDENTITY && f->after == NONE;
}

/* Is the next layer that matters outside of training a product? */
static bool product_follows(const mlpd_network *network, uint32_t l) {
  for (l++; l < network->num_layers && network->layers[l].kind->training_only;) l++;
  return l < network->num_layers && network->layers[l].kind == &layer_dense;
}

/* Returns the number of layers that stay. */
static uint32_t plan(const mlpd_network *network, fold *folds) {
  uint32_t count = 0, waiting = NONE;
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    const bool is_affine = shape->kind->affine != NULL;
    if (shape->kind->training_only) continue;
    if (is_affine && waiting == NONE && count > 0 && is_open(network, &folds[count - 1])) {
      folds[count - 1].after = l;
    } else if (is_affine && waiting == NONE && shape->activation == MLPD_IDENTITY && product_follows(network, l)) {
      waiting = l;
    } else {
      folds[count++] = (fold){.layer = l, .before = waiting, .after = NONE};
      waiting = NONE;
    }
  }
  return count;
}

static layer_spec spec_of(const mlpd_network *network, const fold *f) {
  const layer *const shape = &network->layers[f->layer];
  const bool is_plain = f->before == NONE && f->after == NONE;
  return (layer_spec){.kind = shape->kind,
                      .outputs = shape->outputs,
                      .activation = network->layers[f->after != NONE ? f->after : f->layer].activation,
                      .no_bias = shape->kind == &layer_dense && shape->num_tensors == 1 && is_plain,
                      .copies = shape->copies,
                      .amount = shape->amount,
                      .sizes = shape->sizes,
                      .width = shape->width};
}

/* The factors and shifts of layer l (n), or 1 and 0. */
static void read_affine(const mlpd_network *network, uint32_t l, uint32_t n, double *factor, double *shift) {
  for (uint32_t j = 0; j < n; j++) {
    factor[j] = 1;
    shift[j] = 0;
  }
  if (l != NONE) network->layers[l].kind->affine(network, l, factor, shift);
}

/* room: 2 (inputs + outputs) */
static void fill_dense(const mlpd_network *network, const fold *f, mlpd_network *to, uint32_t l, double *room) {
  const layer *const shape = &network->layers[f->layer];
  const uint32_t inputs = shape->inputs, outputs = shape->outputs;
  double *const before = room, *const shift = before + inputs, *const after = shift + inputs,
                *const bias = after + outputs;
  const tensor *const from = layer_tensor(network, f->layer, 0), *const made = layer_tensor(to, l, 0);
  float *const added = to->parameters + layer_tensor(to, l, 1)->offset;
  read_affine(network, f->before, inputs, before, shift);
  read_affine(network, f->after, outputs, after, bias);
  for (uint32_t j = 0; j < outputs; j++) {
    double sum = shape->num_tensors > 1 ? (double)layer_values(network, f->layer, 1)[j] : 0;
    for (uint32_t i = 0; i < inputs; i++) {
      const double weight = (double)network->parameters[from->offset + (size_t)i * from->stride + j];
      sum += shift[i] * weight;
      to->parameters[made->offset + (size_t)i * made->stride + j] = (float)(before[i] * weight * after[j]);
    }
    added[j] = (float)(sum * after[j] + bias[j]);
  }
}

static void copy_tensors(const mlpd_network *network, uint32_t from, mlpd_network *to, uint32_t l) {
  for (uint32_t i = 0; i < network->layers[from].num_tensors; i++) {
    const tensor *const t = layer_tensor(network, from, i);
    memcpy(to->parameters + layer_tensor(to, l, i)->offset, network->parameters + t->offset,
           (tensor_end(t) - t->offset) * sizeof(float));
  }
}

static mlpd_status fill(const mlpd_network *network, const fold *folds, mlpd_network *to) {
  for (uint32_t l = 0; l < to->num_layers; l++) {
    const fold *const f = &folds[l];
    double *room = NULL;
    if (f->before == NONE && f->after == NONE) {
      copy_tensors(network, f->layer, to, l);
      continue;
    }
    TRY(memory_allocate(&room, 2 * ((size_t)to->layers[l].inputs + to->layers[l].outputs), sizeof *room, "weights"));
    fill_dense(network, f, to, l, room);
    free(room);
  }
  return MLPD_OK;
}

static mlpd_status make(const mlpd_network *network, fold *folds, layer_spec *specs, mlpd_network **made) {
  const uint32_t count = plan(network, folds);
  for (uint32_t l = 0; l < count; l++) specs[l] = spec_of(network, &folds[l]);
  TRY(network_build(network_inputs(network), count, specs, false, made));
  const mlpd_status status = fill(network, folds, *made);
  if (status == MLPD_OK) return MLPD_OK;
  mlpd_network_free(*made);
  *made = NULL;
  return status;
}

mlpd_status export_fold(const mlpd_network *network, mlpd_network **made) {
  fold *folds = NULL;
  layer_spec *specs = NULL;
  *made = NULL;
  TRY(memory_allocate(&folds, network->num_layers, sizeof *folds, "layers"));
  mlpd_status status = memory_allocate(&specs, network->num_layers, sizeof *specs, "layers");
  if (status == MLPD_OK) status = make(network, folds, specs, made);
  free(specs);
  free(folds);
  return status;
}
