/* The network that the options ask for. Nothing here is collective. */
#ifndef MLPDIST_NETWORK_OPTIONS_H
#define MLPDIST_NETWORK_OPTIONS_H

#include "network/network.h"

/* Makes the network of options, with its output activation settled, for rows of `inputs` values and `outputs` outputs;
 * shape_alone as in network_build. */
mlpd_status network_of_options(const mlpd_train_options *options, uint32_t inputs, uint32_t outputs, bool shape_alone,
                               mlpd_network **network);

#endif
