/* Options of a quick run: a small network, few epochs, all rows in training. The defaults, made for real tables, take
 * longer. tests/helper.bash has the same for the program. */
#ifndef MLPDIST_TEST_QUICK_OPTIONS_H
#define MLPDIST_TEST_QUICK_OPTIONS_H

#include "mlpdist.h"

static inline void quick_options(mlpd_train_options *options) {
  mlpd_train_options_default(options);
  options->valid_fraction = 0;
  options->hidden = "64";
  options->activation = "relu";
  options->optimizer = MLPD_MOMENTUM;
  options->lr = 0.1;
  options->beta2 = 0.999;
  options->weight_decay = 0;
  options->schedule = MLPD_CONSTANT;
  options->warmup_epochs = 0;
  options->epochs = 10;
  options->select = MLPD_SELECT_LOSS;
}

#endif
