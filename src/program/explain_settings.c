/* Settings of a lesson where nothing is given. */
#include "program/explain.h"

const mlpd_choice explain_update_choices[] = {{"all", EXPLAIN_UPDATE_ALL, "weights and biases"},
                                              {"weights", EXPLAIN_UPDATE_WEIGHTS, "the biases stay as they are"},
                                              {NULL, 0, NULL}};

const explain_settings explain_settings_default = {.hidden = "",
                                                   .activation = "sigmoid",
                                                   .output_activation = -1,
                                                   .loss = MLPD_MSE,
                                                   .lr = 0.1,
                                                   .steps = 1,
                                                   .digits = 4,
                                                   .seed = 1,
                                                   .update = EXPLAIN_UPDATE_ALL};
