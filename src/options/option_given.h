/* Which training options the user gave, and which of the others a model decides. Nothing here is collective. */
#ifndef MLPDIST_OPTION_GIVEN_H
#define MLPDIST_OPTION_GIVEN_H

#include "mlpdist.h"

enum { OPTIONS_LEFT_TO_MODEL = 12 }; /* options whose values come from the model of --init-from */

/* Was the row of the training options set by name, or does its member differ from the default? */
bool option_given(const mlpd_option *row, const mlpd_train_options *options);

/* Is the row left to the model that the run starts from (--init-from)? Options of the network and of its inputs are,
 * unless they were given. */
bool option_left_to_model(const mlpd_option *row, const mlpd_train_options *options);

#endif
