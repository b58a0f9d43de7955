/* The arrays between forward and backward pass. */
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/activation.h"
#include "network/layer_kind.h"

/* The loss of the output layer needs z beside a; hidden layers only where A' is computed from z. */
static bool keeps_z(const mlpd_network *network, uint32_t l, bool keep_z) {
  const layer *const shape = &network->layers[l];
  return keep_z || l + 1 == network->num_layers || shape->kind->keeps_z ||
         (activation_needs_z(shape->activation) && !shape->kind->activates);
}

typedef struct making {
  const mlpd_network *network;
  bool keep_z;
  workspace *space; /* its tables (layers) are NULL in a dry run */
} making;

/* Of an ensemble apart from its members' arrays. */
static void lay_out_output(const making *m, memory_layout *layout) {
  workspace *const space = m->space;
  const uint32_t last = space->num_layers - 1;
  const size_t floats = network_members(m->network) > 1 ? space->rows * network_output(m->network)->outputs : 0;
  float *const z = memory_place(layout, floats, sizeof(float)), *const a = memory_place(layout, floats, sizeof(float)),
               *const delta = memory_place(layout, floats, sizeof(float));
  if (space->z == NULL) return;
  space->output_z = floats > 0 ? z : space->z[last];
  space->output = floats > 0 ? a : space->a[last];
  space->output_delta = floats > 0 ? delta : space->delta[last];
}

static void lay_out(void *owner, memory_layout *layout) {
  const making *const m = owner;
  workspace *const space = m->space;
  space->x = memory_place(layout, space->rows * network_inputs(m->network), sizeof(float));
  for (uint32_t l = 0; l < space->num_layers; l++) {
    const layer *const shape = &m->network->layers[l];
    const uint64_t rows = space->rows * shape->copies;
    const size_t row = shape->kind->row_floats != NULL ? shape->kind->row_floats(shape) : 0;
    float *const a = memory_place(layout, rows * shape->stride, sizeof(float));
    float *const delta = memory_place(layout, rows * shape->stride, sizeof(float));
    float *const z = keeps_z(m->network, l, m->keep_z) ? memory_place(layout, rows * shape->stride, sizeof(float)) : a;
    float *const kept = memory_place(layout, rows * row, sizeof(float));
    if (space->z == NULL) continue;
    space->a[l] = a;
    space->delta[l] = delta;
    space->z[l] = z;
    space->kept[l] = kept;
  }
  lay_out_output(m, layout);
}

size_t workspace_size(const mlpd_network *network, uint64_t rows, bool keep_z) {
  workspace space = {.num_layers = network->num_layers, .rows = rows};
  return memory_layout_size(lay_out, &(making){network, keep_z, &space});
}

mlpd_status workspace_create(const mlpd_network *network, uint64_t rows, bool keep_z, workspace *space) {
  const size_t layers = network->num_layers;
  *space = (workspace){.num_layers = network->num_layers, .rows = rows};
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, memory_allocate(&space->z, 4 * layers, sizeof(float *), "workspace"), failed);
  space->a = space->z + layers;
  space->delta = space->a + layers;
  space->kept = space->delta + layers;
  TRY_GOTO(status, memory_allocate_layout(lay_out, &(making){network, keep_z, space}, "activations", &space->memory),
           failed);
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
