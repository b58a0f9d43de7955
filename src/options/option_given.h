/* Which training options the user gave, and which of the others a model decides. Nothing here is collective. */
#ifndef MLPDIST_OPTION_GIVEN_H
#define MLPDIST_OPTION_GIVEN_H

#include "mlpdist.h"

/* Was the row of the training options set by name, or does its member differ from the default? */
bool option_given(const mlpd_option *row, const mlpd_train_options *options);

/* Is the row left to the model that the run starts from (--init-from)? Those with from_model are, unless given. */
bool option_left_to_model(const mlpd_option *row, const mlpd_train_options *options);

#endif
