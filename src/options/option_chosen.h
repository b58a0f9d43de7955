/* Which training options were set by name (mlpd_train_options.chosen). Nothing here is collective. */
#ifndef MLPDIST_OPTION_CHOSEN_H
#define MLPDIST_OPTION_CHOSEN_H

#include "mlpdist.h"

/* Notes that the row of the training options was set by name: chosen, unless text is "auto". Other tables: nothing. */
void option_choose(const mlpd_option *row, const char *text, void *values);

/* Was the row of the training options set by name? */
bool option_chosen(const mlpd_option *row, const mlpd_train_options *options);

#endif
