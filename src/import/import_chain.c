#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "import/import.h"

static mlpd_status add(import_chain *chain, const import_layer *made, size_t weights, import_layer **layer) {
  import_layer *const layers = realloc(chain->layers, ((size_t)chain->num_layers + 1) * sizeof *layers);
  if (layers == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, importing");
  chain->layers = layers;
  *layer = &layers[chain->num_layers++];
  **layer = *made;
  TRY(memory_allocate(&(*layer)->weight, weights, sizeof(double), "weights"));
  return memory_allocate(&(*layer)->bias, made->outputs, sizeof(double), "weights");
}

mlpd_status import_add_layer(import_chain *chain, uint32_t inputs, uint32_t outputs, import_layer **layer) {
  const import_layer made = {
      .inputs = inputs, .outputs = outputs, .activation = MLPD_IDENTITY, .takes_activation = true};
  return add(chain, &made, (size_t)inputs * outputs, layer);
}

mlpd_status import_add_norm(import_chain *chain, uint32_t width, bool is_rms, import_layer **layer) {
  const import_layer made = {
      .is_norm = true, .is_rms = is_rms, .inputs = width, .outputs = width, .activation = MLPD_IDENTITY};
  TRY(add(chain, &made, width, layer));
  for (uint32_t j = 0; j < width; j++) (*layer)->weight[j] = 1;
  return MLPD_OK;
}

enum { END_MOST = 2048 }; /* values that a norm at the end has: the dense layer after it has their square of weights */

mlpd_status import_end_dense(import_chain *chain) {
  import_layer *made = NULL;
  const import_layer *const norm = chain->num_layers > 0 ? &chain->layers[chain->num_layers - 1] : NULL;
  if (norm == NULL || !norm->is_norm) return MLPD_OK;
  const uint32_t n = norm->outputs;
  bool has_dense = false;
  for (uint32_t l = 0; l < chain->num_layers; l++) has_dense = has_dense || !chain->layers[l].is_norm;
  if (!has_dense) return MLPD_OK; /* import.c refuses that */
  if (n > END_MOST) return FAIL(MLPD_ERROR_DATA, "a norm of %u values is its output: at most %d can be", n, END_MOST);
  TRY(import_add_layer(chain, n, n, &made));
  for (uint32_t j = 0; j < n; j++) made->weight[(size_t)j * n + j] = 1;
  made->activation = made[-1].activation;
  made[-1].activation = MLPD_IDENTITY;
  made[-1].takes_activation = false;
  return MLPD_OK;
}

void import_fold_after(import_layer *layer, const double *factor, const double *shift) {
  const size_t rows = layer->is_norm ? 1 : layer->inputs;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < layer->outputs; j++) layer->weight[i * layer->outputs + j] *= factor[j];
  for (size_t j = 0; j < layer->outputs; j++) layer->bias[j] = layer->bias[j] * factor[j] + shift[j];
}

bool import_scale_after(import_layer *layer, const double *factor, const double *shift) {
  if (layer->activation != MLPD_RELU && layer->activation != MLPD_LEAKY_RELU) return false;
  for (size_t j = 0; j < layer->outputs; j++)
    if (!(factor[j] > 0) || shift[j] != 0) return false;
  import_fold_after(layer, factor, shift);
  return true;
}

static bool all_are(uint32_t n, const double *values, double wanted) {
  for (uint32_t j = 0; j < n; j++)
    if (!(fabs(values[j] - wanted) <= 1e-6 * wanted)) return false;
  return true;
}

mlpd_status import_set_slope(import_layer *layer, const double *slope) {
  const bool usual = all_are(layer->outputs, slope, 0.01);
  layer->activation = usual ? MLPD_LEAKY_RELU : MLPD_RELU;
  if (usual || all_are(layer->outputs, slope, 0)) return MLPD_OK;
  TRY(memory_allocate(&layer->alpha, layer->outputs, sizeof(double), "weights"));
  for (uint32_t j = 0; j < layer->outputs; j++) layer->alpha[j] = 1 - slope[j];
  return MLPD_OK;
}

void import_fold_before(import_layer *layer, const double *factor, const double *shift) {
  for (size_t i = 0; i < layer->inputs; i++)
    for (size_t j = 0; j < layer->outputs; j++) {
      double *const weight = &layer->weight[i * layer->outputs + j];
      layer->bias[j] += shift[i] * *weight;
      *weight *= factor[i];
    }
}

bool import_take_input(import_chain *chain, uint32_t inputs, double *factor, double *shift) {
  for (uint32_t j = 0; j < inputs; j++)
    if (!isfinite(shift[j] / factor[j]) && !(factor[j] == 0 && shift[j] == 0)) return false;
  for (uint32_t j = 0; j < inputs; j++) shift[j] = factor[j] == 0 ? 0 : -shift[j] / factor[j];
  chain->input_shift = shift;
  chain->input_scale = factor;
  return true;
}

void import_chain_free(import_chain *chain) {
  for (uint32_t l = 0; l < chain->num_layers; l++) {
    free(chain->layers[l].weight);
    free(chain->layers[l].bias);
    free(chain->layers[l].alpha);
  }
  free(chain->layers);
  free(chain->input_shift);
  free(chain->input_scale);
  free(chain->target_shift);
  free(chain->target_scale);
  free(chain->least);
  free(chain->most);
  data_names_free(&chain->names);
  mlpd_model_free(chain->described);
  *chain = (import_chain){0};
}
