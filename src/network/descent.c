/* mlpd_descent: an optimizer that goes one step at a time on the calling thread, with its state open to those who want
 * to look. */
#include <stdlib.h>

#include "base/memory.h"
#include "network/optimizer.h"
#include "network/schedule.h"

struct mlpd_descent {
  optimizer optimizer;
  mlpd_train_options options; /* for the schedule: its texts may be gone */
  schedule_state state;
  uint64_t steps;   /* so far */
  uint64_t samples; /* of the last step; 0 before the first, whose rate does not depend on them */
  bool follows;     /* the schedule */
};

mlpd_status mlpd_descent_create(const mlpd_train_options *options, const mlpd_network *network,
                                mlpd_descent **descent) {
  NEED(descent);
  *descent = NULL;
  NEED(options);
  NEED(network);
  TRY(mlpd_train_options_check(options));
  if (optimizer_searches(options->optimizer))
    return FAIL(
        MLPD_ERROR_USAGE,
        "optimizer %s cannot step from one gradient: each step is a search over all rows, which only mlpd_train() "
        "runs; use another optimizer",
        mlpd_choice_name(mlpd_optimizer_choices, (int)options->optimizer));
  mlpd_train_options settled = *options;
  mlpd_train_options_settle(&settled);
  mlpd_descent *made = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "descent"));
  made->options = settled;
  made->state = SCHEDULE_START;
  const mlpd_status status = optimizer_create(&settled, network, &made->optimizer);
  if (status == MLPD_OK)
    *descent = made;
  else
    free(made);
  return status;
}

void mlpd_descent_free(mlpd_descent *descent) {
  if (descent == NULL) return;
  optimizer_free(&descent->optimizer);
  free(descent);
}

mlpd_status mlpd_descent_follow(mlpd_descent *descent) {
  NEED(descent);
  if (descent->options.epochs == 0)
    return FAIL(MLPD_ERROR_USAGE, "a schedule needs the number of steps in all: set epochs, each step is one");
  descent->follows = true;
  return MLPD_OK;
}

double mlpd_descent_lr(const mlpd_descent *descent) {
  if (!descent->follows) return descent->options.lr;
  const schedule_epoch epoch = {.steps = 1, .samples = descent->samples};
  return schedule_lr(&descent->options, &epoch, descent->steps, &descent->state);
}

/* The trust ratio of tensor i, from sums over the same pieces as in a step of training. */
static void find_trust(optimizer *o, const optimizer_scalars *scalars, const mlpd_network *network, uint32_t i,
                       const float *gradient) {
  const tensor *const t = &network->tensors[i];
  optimizer_squares sums = {0};
  if (!optimizer_scales(o, t)) return;
  for (size_t begin = t->offset, end = 0; begin < tensor_end(t); begin = end) {
    end = tensor_end(t) - begin < OPTIMIZER_NORM_FLOATS ? tensor_end(t) : begin + OPTIMIZER_NORM_FLOATS;
    const optimizer_squares some =
        optimizer_sum_squares(o, scalars, t, network->parameters, gradient + begin, begin, end);
    sums.weights += some.weights;
    sums.update += some.update;
  }
  optimizer_trust(o, network, i, &sums);
}

void mlpd_descent_step(mlpd_descent *descent, mlpd_network *network, const mlpd_trace *trace) {
  optimizer *const o = &descent->optimizer;
  const float *const gradient = network_trace_gradient(trace);
  if (descent->follows) optimizer_weaken_decay(o, schedule_regularization(&descent->options, 1, descent->steps));
  optimizer_scalars scalars = optimizer_begin(o, mlpd_descent_lr(descent), 1);
  scalars.statistics_scale = (float)(1 / (double)trace->n);
  for (uint32_t i = 0; i < network->num_tensors; i++) find_trust(o, &scalars, network, i, gradient);
  optimizer_update_range(o, &scalars, network, network->parameters, gradient, 0, network->arena_size);
  descent->steps++;
  descent->samples = trace->n;
  if (descent->follows) schedule_after_epoch(&descent->options, trace->loss, &descent->state);
}

mlpd_tensor_view mlpd_descent_state(const mlpd_descent *descent, const mlpd_network *network, uint32_t layer,
                                    uint32_t index, uint32_t which) {
  if (which >= descent->optimizer.num_state) return (mlpd_tensor_view){0};
  return network_view_tensor(network, layer, index, descent->optimizer.state[which]);
}

double mlpd_descent_trust(const mlpd_descent *descent, const mlpd_network *network, uint32_t layer, uint32_t index) {
  if (descent->optimizer.trust == NULL || layer >= network->num_layers) return 1;
  if (index >= network->layers[layer].num_tensors) return 1;
  return (double)descent->optimizer.trust[network->layers[layer].first_tensor + index];
}
