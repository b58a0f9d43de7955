/* The network that training begins with, if options are not enough: the bins of numbers depend on the rows. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/piecewise.h"
#include "network/layer_kind.h"
#include "network/network_options.h"

/* x of samples, and the role of each input. */
typedef struct sample_inputs {
  const mlpd_samples *samples;
  const input_roles *roles;
} sample_inputs;

static int compare(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Interpolates linearly, as for a training column (prepare/column_quantiles.h). sorted (n). */
static double quantile_of(const float *sorted, uint64_t n, double fraction) {
  const double place = fraction * (double)(n - 1);
  const uint64_t below = (uint64_t)place, above = below + 1 < n ? below + 1 : below;
  const double part = place - (double)below;
  if (!(part > 0)) return (double)sorted[below];
  return (1 - part) * (double)sorted[below] + part * (double)sorted[above];
}

/* The values of an input that are not missing, sorted into found; returns how many there are. */
static uint64_t sort_values(const sample_inputs *of, uint32_t input, float *found) {
  uint64_t count = 0;
  for (uint64_t i = 0; i < of->samples->n; i++) {
    const float x = of->samples->x[i * of->roles->count + input];
    if (!isnan(x)) found[count++] = x;
  }
  qsort(found, count, sizeof *found, compare);
  return count;
}

/* The edges of an input's bins; sorted (n) is scratch space. */
static void set_edges(const sample_inputs *of, uint32_t input, uint32_t bins, float *sorted, float *edges) {
  const uint64_t n = sort_values(of, input, sorted);
  double values[PIECEWISE_MOST_BINS + 1] = {0}, fractions[PIECEWISE_MOST_BINS + 1] = {0};
  for (uint32_t t = 0; t <= bins; t++) values[t] = n > 0 ? quantile_of(sorted, n, (double)t / (double)bins) : 0;
  const bool again = piecewise_spread(bins, values, of->samples->n, fractions);
  for (uint32_t t = 0; t <= bins; t++) edges[t] = (float)(again ? quantile_of(sorted, n, fractions[t]) : values[t]);
  piecewise_join(bins, edges);
}

static mlpd_status set_bins(const sample_inputs *of, mlpd_network *network, uint32_t l) {
  const tensor *const t = layer_tensor(network, l, 0);
  float *sorted = NULL, *edges = network->parameters + t->offset;
  TRY(memory_allocate(&sorted, of->samples->n, sizeof *sorted, "samples"));
  for (uint32_t i = 0; i < of->roles->count; i++) {
    if (of->roles->numbers[i] == 0) continue;
    set_edges(of, i, t->columns - 1, sorted, edges);
    edges += t->stride;
  }
  free(sorted);
  return MLPD_OK;
}

static mlpd_status start_for(const mlpd_train_options *options, const input_roles *roles, uint32_t outputs,
                             const mlpd_samples *samples, mlpd_network **network) {
  mlpd_status status = network_start(options, roles, outputs, network);
  for (uint32_t l = 0; status == MLPD_OK && l < (*network)->num_layers; l++)
    if ((*network)->layers[l].kind == &layer_piecewise)
      status = set_bins(&(sample_inputs){samples, roles}, *network, l);
  if (status == MLPD_OK) return MLPD_OK;
  mlpd_network_free(*network);
  *network = NULL;
  return status;
}

mlpd_status mlpd_network_from_samples(const mlpd_train_options *options, uint32_t inputs, const uint32_t *categories,
                                      uint32_t outputs, const mlpd_samples *samples, mlpd_network **network) {
  uint32_t *sizes = NULL;
  uint8_t *numbers = NULL;
  NEED(network);
  *network = NULL;
  NEED(options);
  NEED(samples);
  NEED(samples->x);
  if (samples->n == 0) return FAIL(MLPD_ERROR_USAGE, "there are no samples");
  if (options->embed_numbers == MLPD_EMBED_NUMBERS_PIECEWISE && options->embed_edges == MLPD_EMBED_EDGES_TARGETS)
    return FAIL(MLPD_ERROR_USAGE,
                "--embed-edges targets is for training on a data set; the bins of samples are quantiles: use "
                "--embed-edges quantiles");
  mlpd_status status = memory_allocate(&sizes, inputs, sizeof *sizes, "inputs");
  if (status == MLPD_OK) status = memory_allocate(&numbers, inputs, sizeof *numbers, "inputs");
  for (uint32_t i = 0; status == MLPD_OK && i < inputs; i++) {
    const uint32_t size = categories != NULL ? categories[i] : 0;
    sizes[i] = size != MLPD_INPUT_AS_IS ? size : 0;
    numbers[i] = size == 0;
  }
  if (status == MLPD_OK) status = start_for(options, &(input_roles){inputs, sizes, numbers}, outputs, samples, network);
  free(sizes);
  free(numbers);
  return status;
}
