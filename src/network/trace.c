/* mlpd_network_trace: one forward and backward pass with everything kept, for those who want to look. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "network/ensemble.h"
#include "network/layer_kind.h"
#include "network/schedule.h"

typedef struct trace_memory {
  workspace space;
  float *gradient; /* an arena as the parameters' */
  float *compact;  /* copies of z, a, delta and weight gradients with no gaps between rows */
  const float **pointers;
} trace_memory;

void mlpd_trace_free(mlpd_trace *trace) {
  if (trace == NULL) return;
  trace_memory *const memory = trace->owner;
  if (memory != NULL) {
    workspace_free(&memory->space);
    free(memory->gradient);
    free(memory->compact);
    free(memory->pointers);
    free(memory);
  }
  *trace = (mlpd_trace){0};
}

static size_t compact_floats(const mlpd_network *network, uint64_t n) {
  size_t floats = 0;
  for (uint32_t l = 0; l < network->num_layers; l++)
    floats += 3 * n * network->layers[l].copies * network->layers[l].outputs;
  for (uint32_t i = 0; i < network->num_tensors; i++)
    floats += (size_t)network->tensors[i].rows * network->tensors[i].columns;
  return floats;
}

static mlpd_status allocate_trace(const mlpd_network *network, uint64_t n, mlpd_trace *trace) {
  trace_memory *memory = NULL;
  TRY(memory_allocate(&memory, 1, sizeof *memory, "trace"));
  *trace = (mlpd_trace){.num_layers = network->num_layers, .n = n, .owner = memory};
  TRY(workspace_create(network, n, true, &memory->space));
  TRY(memory_allocate(&memory->gradient, network->arena_size, sizeof(float), "gradient"));
  TRY(memory_allocate(&memory->compact, compact_floats(network, n), sizeof(float), "trace"));
  TRY(memory_allocate(&memory->pointers, 5 * (size_t)network->num_layers, sizeof(float *), "trace"));
  const float ***const lists[5] = {&trace->z, &trace->a, &trace->delta, &trace->weight_gradient, &trace->bias_gradient};
  for (uint32_t i = 0; i < 5; i++) *lists[i] = memory->pointers + (size_t)i * network->num_layers;
  return MLPD_OK;
}

/* Copies rows (rows, columns), stride apart, to *next without gaps; returns the copy and moves *next on. */
static const float *copy_rows(const float *from, uint64_t rows, uint32_t columns, uint32_t stride, float **next) {
  float *const to = *next;
  for (uint64_t i = 0; i < rows; i++) memcpy(to + i * columns, from + i * stride, columns * sizeof *to);
  *next = to + rows * columns;
  return to;
}

/* The gradients of a dense layer's weights and biases. */
static void fill_gradients(const mlpd_network *network, trace_memory *memory, uint32_t l, float **next,
                           mlpd_trace *trace) {
  for (uint32_t i = 0; i < network->layers[l].num_tensors; i++) {
    const tensor *const t = layer_tensor(network, l, i);
    const float **const to = t->vector ? &trace->bias_gradient[l] : &trace->weight_gradient[l];
    *to = copy_rows(memory->gradient + t->offset, t->rows, t->columns, t->stride, next);
  }
}

static void fill_trace(const mlpd_network *network, trace_memory *memory, mlpd_trace *trace) {
  float *next = memory->compact;
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    const uint64_t rows = trace->n * shape->copies;
    trace->z[l] = copy_rows(memory->space.z[l], rows, shape->outputs, shape->stride, &next);
    trace->a[l] = copy_rows(memory->space.a[l], rows, shape->outputs, shape->stride, &next);
    trace->delta[l] = copy_rows(memory->space.delta[l], rows, shape->outputs, shape->stride, &next);
    if (shape->kind == &layer_dense) fill_gradients(network, memory, l, &next, trace);
  }
}

static void back_propagate(const mlpd_network *network, const backend *gemm, uint64_t n, trace_memory *memory) {
  workspace *const space = &memory->space;
  for (uint32_t l = network->num_layers - 1; l-- > network->lowest_delta;)
    for (uint32_t i = 0; i < network_num_blocks(network, gemm, l, WAY_BACKWARD, n, 1); i++) {
      const block part = network_block(network, gemm, l, WAY_BACKWARD, 0, n, 1, i);
      network_backward_block(network, gemm, l, &part, space);
    }
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    for (uint32_t u = 0; u < tensor_num_units(t, gemm); u++) {
      const gradient_unit unit = network_unit(network, gemm, i, u);
      network_gradient(network, gemm, &unit, 0, n, space,
                       memory->gradient + t->offset + (size_t)unit.row * t->stride + unit.column, t->stride);
    }
  }
}

/* What one pass is over. */
typedef struct trace_pass {
  const loss_spec *loss;
  pass_context context;
  const mlpd_samples *samples;
} trace_pass;

static mlpd_status check_pass(const mlpd_network *network, const trace_pass *pass) {
  const layer *const output = network_output(network);
  const uint64_t n = pass->samples->n;
  const mlpd_loss loss = pass->loss->kind;
  if (n == 0 || n > INT32_MAX / output->copies)
    return FAIL(MLPD_ERROR_USAGE, "%llu samples to trace", (unsigned long long)n);
  TRY(loss_check(loss, output->activation));
  if (output->outputs % loss_outputs(pass->loss) == 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "loss %s takes %u outputs for each target, but there are %u outputs",
              mlpd_choice_name(mlpd_loss_choices, (int)loss), loss_outputs(pass->loss), output->outputs);
}

static void run_pass(const mlpd_network *network, const backend *gemm, const trace_pass *pass, mlpd_trace *trace) {
  trace_memory *const memory = trace->owner;
  const mlpd_samples *const samples = pass->samples;
  const targets y = {.values = samples->y, .weights = samples->weight};
  loss_sums sums = {0};
  memcpy(memory->space.x, samples->x, samples->n * network_inputs(network) * sizeof(float));
  memory->space.context = pass->context;
  network_forward(network, gemm, samples->n, &memory->space);
  ensemble_loss(network, pass->loss, 0, samples->n, &y, &memory->space, &sums);
  trace->loss = sums.loss;
  back_propagate(network, gemm, samples->n, memory);
  fill_trace(network, memory, trace);
}

static mlpd_status make_trace(const mlpd_network *network, const trace_pass *pass, mlpd_trace *trace) {
  const backend *gemm = NULL;
  TRY(check_pass(network, pass));
  TRY(backend_choose(NULL, &gemm));
  const mlpd_status status = allocate_trace(network, pass->samples->n, trace);
  if (status == MLPD_OK)
    run_pass(network, gemm, pass, trace);
  else
    mlpd_trace_free(trace);
  return status;
}

mlpd_status mlpd_network_trace(mlpd_network *network, mlpd_loss loss, uint64_t n, const float *x, const float *y,
                               mlpd_trace *trace) {
  NEED(trace);
  *trace = (mlpd_trace){0};
  NEED(network);
  NEED(x);
  NEED(y);
  TRY(loss_check(loss, network_output(network)->activation));
  const loss_spec spec = loss_plain(loss);
  const mlpd_samples samples = {.n = n, .x = x, .y = y};
  return make_trace(network, &(trace_pass){&spec, {.training = true}, &samples}, trace);
}

mlpd_status mlpd_network_trace_options(mlpd_network *network, const mlpd_train_options *options, uint64_t epoch,
                                       const mlpd_samples *samples, mlpd_trace *trace) {
  NEED(trace);
  *trace = (mlpd_trace){0};
  NEED(network);
  NEED(options);
  NEED(samples);
  NEED(samples->x);
  NEED(samples->y);
  mlpd_train_options settled = *options;
  loss_spec spec;
  if (settled.loss == MLPD_LOSS_AUTO) settled.loss = MLPD_MSE;
  TRY(mlpd_train_options_check(options));
  TRY(loss_of_options(&settled, &spec));
  const double factor = options->epochs > 0 ? schedule_regularization(options, 1, epoch) : 1;
  const pass_context context = {
      .training = true, .seed = options->seed, .epoch = (uint32_t)epoch, .weaker = 1 - factor};
  return make_trace(network, &(trace_pass){&spec, context, samples}, trace);
}

mlpd_tensor_view mlpd_trace_gradient(const mlpd_trace *trace, const mlpd_network *network, uint32_t layer,
                                     uint32_t index) {
  return network_view_tensor(network, layer, index, ((const trace_memory *)trace->owner)->gradient);
}

void mlpd_network_descend(mlpd_network *network, const mlpd_trace *trace, float lr) {
  const trace_memory *const memory = trace->owner;
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    if (!tensor_learns(t)) continue;
    for (size_t at = t->offset; at < tensor_end(t); at++) network->parameters[at] -= lr * memory->gradient[at];
  }
}

const float *network_trace_gradient(const mlpd_trace *trace) { return ((const trace_memory *)trace->owner)->gradient; }
