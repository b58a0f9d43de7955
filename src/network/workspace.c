/* The arrays between forward and backward pass. */
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/activation.h"
#include "network/layer_kind.h"

enum { LINE_FLOATS = 16 };

static size_t padded(size_t floats) { return (floats + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS; }

/* The loss of the output layer needs z beside a; hidden layers only where A' is computed from z. */
static bool keeps_z(const mlpd_network *network, uint32_t l, bool keep_z) {
  const layer *const shape = &network->layers[l];
  return keep_z || l + 1 == network->num_layers || shape->kind->keeps_z || activation_needs_z(shape->activation);
}

static size_t kept_floats(const mlpd_network *network, uint32_t l, uint64_t rows) {
  const layer *const shape = &network->layers[l];
  return shape->kind->row_floats != NULL ? padded(rows * shape->kind->row_floats(shape)) : 0;
}

static size_t workspace_floats(const mlpd_network *network, uint64_t rows, bool keep_z) {
  size_t floats = padded(rows * network_inputs(network));
  for (uint32_t l = 0; l < network->num_layers; l++)
    floats += padded(rows * network->layers[l].stride) * (keeps_z(network, l, keep_z) ? 3 : 2) +
              kept_floats(network, l, rows);
  return floats;
}

size_t workspace_size(const mlpd_network *network, uint64_t rows, bool keep_z) {
  return workspace_floats(network, rows, keep_z) * sizeof(float);
}

/* The next floats of the memory. */
static float *take(float **next, size_t floats) {
  float *const taken = *next;
  *next += floats;
  return taken;
}

static void place_arrays(const mlpd_network *network, bool keep_z, workspace *space) {
  float *next = space->memory;
  space->x = take(&next, padded(space->rows * network_inputs(network)));
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const size_t floats = padded(space->rows * network->layers[l].stride), kept = kept_floats(network, l, space->rows);
    space->a[l] = take(&next, floats);
    space->delta[l] = take(&next, floats);
    space->z[l] = keeps_z(network, l, keep_z) ? take(&next, floats) : space->a[l];
    if (kept > 0) space->kept[l] = take(&next, kept);
  }
}

mlpd_status workspace_create(const mlpd_network *network, uint64_t rows, bool keep_z, workspace *space) {
  const size_t layers = network->num_layers;
  *space = (workspace){.num_layers = network->num_layers, .rows = rows};
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, memory_allocate(&space->z, 4 * layers, sizeof(float *), "workspace"), failed);
  TRY_GOTO(status,
           memory_allocate(&space->memory, workspace_floats(network, rows, keep_z), sizeof(float), "activations"),
           failed);
  space->a = space->z + layers;
  space->delta = space->a + layers;
  space->kept = space->delta + layers;
  place_arrays(network, keep_z, space);
  return MLPD_OK;
failed:
  workspace_free(space);
  return status;
}

void workspace_free(workspace *space) {
  free(space->memory);
  free(space->z);
  *space = (workspace){0};
}
