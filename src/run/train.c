/* mlpd_train() and its like. */
#include "base/locale.h"
#include "run/run.h"

mlpd_status mlpd_train_model(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                             mlpd_train_result *result, mlpd_model **model) {
  IN_C_LOCALE();
  return run_train(__func__, comm, options, events, result, model);
}

mlpd_status mlpd_train(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                       mlpd_train_result *result) {
  IN_C_LOCALE();
  return run_train(__func__, comm, options, events, result, NULL);
}

mlpd_status mlpd_fit(mlpd_comm *comm, const mlpd_options *options, mlpd_model **model) {
  IN_C_LOCALE();
  mlpd_train_result result;
  return run_train(__func__, comm, options != NULL ? mlpd_options_values(options) : NULL, NULL, &result, model);
}
