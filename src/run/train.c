/* mlpd_train() and its like: one run, or the choice between two. */
#include "base/locale.h"
#include "run/run_choice.h"

/* function: its name, for messages. Collective. */
static mlpd_status train(const char *function, mlpd_comm *comm, const mlpd_train_options *options,
                         const mlpd_train_events *events, mlpd_train_result *result, mlpd_model **model) {
  if (options != NULL && options->embed_numbers == MLPD_EMBED_NUMBERS_AUTO)
    return run_choice(function, comm, options, events, result, model);
  return run_train(function, comm, options, events, NULL, result, model);
}

mlpd_status mlpd_train_model(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                             mlpd_train_result *result, mlpd_model **model) {
  IN_C_LOCALE();
  return train(__func__, comm, options, events, result, model);
}

mlpd_status mlpd_train(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                       mlpd_train_result *result) {
  IN_C_LOCALE();
  return train(__func__, comm, options, events, result, NULL);
}

mlpd_status mlpd_fit(mlpd_comm *comm, const mlpd_options *options, mlpd_model **model) {
  IN_C_LOCALE();
  mlpd_train_result result;
  return train(__func__, comm, options != NULL ? mlpd_options_values(options) : NULL, NULL, &result, model);
}
