#include <stdlib.h>

#include "base/memory.h"
#include "model/import.h"

mlpd_status import_add_layer(import_chain *chain, uint32_t inputs, uint32_t outputs, import_layer **layer) {
  import_layer *const layers = realloc(chain->layers, ((size_t)chain->num_layers + 1) * sizeof *layers);
  if (layers == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, importing");
  chain->layers = layers;
  *layer = &layers[chain->num_layers++];
  **layer = (import_layer){.inputs = inputs, .outputs = outputs, .activation = MLPD_IDENTITY};
  TRY(memory_allocate(&(*layer)->weight, (size_t)inputs * outputs, sizeof(double), "weights"));
  return memory_allocate(&(*layer)->bias, outputs, sizeof(double), "weights");
}

void import_chain_free(import_chain *chain) {
  for (uint32_t l = 0; l < chain->num_layers; l++) {
    free(chain->layers[l].weight);
    free(chain->layers[l].bias);
  }
  free(chain->layers);
  free(chain->input_shift);
  free(chain->input_scale);
  free(chain->target_shift);
  free(chain->target_scale);
  data_names_free(&chain->names);
  *chain = (import_chain){0};
}
