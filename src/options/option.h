/* Options: rows of a table over the members of a struct. Text becomes a value and a value text; values are checked.
 * The public part is in mlpdist.h. Nothing here is collective. */
#ifndef MLPDIST_OPTION_H
#define MLPDIST_OPTION_H

#include "mlpdist.h"

/* The least number of digits that gives value back, exponents as people write them: 0.1, 10, 1e6, 1e-8. */
void option_format_real(double value, char *buffer, size_t bytes);

/* MLPD_ERROR_USAGE for the first row of table whose value in values is not allowed. */
mlpd_status options_check(const mlpd_option *table, const void *values);

/* Stores the default of each row. */
void options_set_defaults(const mlpd_option *table, void *values);

/* MLPD_ERROR_USAGE: no option of training has this name, but perhaps a similar one. */
mlpd_status train_option_unknown(const char *name);

/* The value of a key in a config file's text, without its quotes; false if it is not there or does not fit. */
bool option_config_value(const char *text, const char *key, char *value, size_t bytes);

/* Does one of the row's conditions weights_with hold, so that the option decides the weights? */
bool option_weights_with(const mlpd_option *table, const mlpd_option *row, const void *values);

/* Do these values fulfil a condition such as "optimizer=adam,adamw", "trace" (any value), "A|B" (A or B) or NULL
 * (none)? */
bool option_condition_holds(const mlpd_option *table, const char *condition, const void *values);

#endif
