#include "network/average.h"

#include <string.h>

#include "kernels/vector.h"
#include "network/network.h"

double average_ema_rate(double ema, uint64_t step) {
  const double rising = (1 + (double)step) / (10 + (double)step);
  return 1 - (ema < rising ? ema : rising);
}

double average_swa_rate(uint64_t start, uint64_t epoch) { return 1 / (double)(epoch - start + 1); }

bool mlpd_network_average(mlpd_network *average, const mlpd_network *network, const mlpd_train_options *options,
                          uint64_t step) {
  const uint64_t start = options->swa_start;
  const size_t size = network->arena_size;
  const bool is_mean = start > 0 && step >= start;
  if (options->ema > 0)
    vector_approach(size, (float)average_ema_rate(options->ema, step), network->parameters, average->parameters);
  else if (is_mean && step == start)
    memcpy(average->parameters, network->parameters, size * sizeof(float));
  else if (is_mean)
    vector_approach(size, (float)average_swa_rate(start, step), network->parameters, average->parameters);
  return options->ema > 0 || is_mean;
}
