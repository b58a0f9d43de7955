#include "run/bins_rule.h"

#include <math.h>

double bins_rule_deviation(mlpd_task task, double error, uint64_t rows) {
  if (task == MLPD_REGRESSION) return error / sqrt(2 * (double)rows);
  return sqrt(error * (1 - error) / (double)rows);
}

bool bins_rule_takes_bins(mlpd_task task, uint64_t rows, mlpd_bins_choice *choice) {
  choice->deviation =
      hypot(bins_rule_deviation(task, choice->plain_error, rows), bins_rule_deviation(task, choice->bins_error, rows));
  return choice->plain_error - choice->bins_error > choice->deviation;
}
