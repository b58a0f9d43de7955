/* Settings of a lesson: their rows, what holds where nothing is given, and where one was given. */
#include "program/explain.h"

#define AT(member) OPTION_AT(explain_settings, member)

const mlpd_choice explain_update_choices[] = {{"all", EXPLAIN_UPDATE_ALL, "weights and biases"},
                                              {"weights", EXPLAIN_UPDATE_WEIGHTS, "the biases stay as they are"},
                                              {NULL, 0, NULL}};

const option explain_setting_rows[] = {
    {"hidden", "network", "N,N,...", OPTION_WIDTHS, AT(train.hidden),
     .help = "widths of the hidden layers, \"\" for none; the weights are drawn anew"},
    {"activation", "network", "NAME,...", OPTION_TEXT, AT(train.activation),
     .help = "activation of the hidden layers, one for all or one for each"},
    {"output-activation", "network", "NAME", OPTION_CHOICE, AT(train.output_activation),
     .help = "activation of the output layer; auto: by loss", .choices = mlpd_activation_choices, .automatic = true},
    {"seed", "network", "N", OPTION_INTEGER, AT(train.seed),
     .help = "draw the weights with this seed, in place of given ones", .maximum = 9007199254740992.0},
    {"loss", "network", "NAME", OPTION_CHOICE, AT(train.loss), .help = "loss to minimise; auto: mse",
     .choices = mlpd_loss_choices},
    {"lr", "optimizer", "ETA", OPTION_REAL, AT(train.lr),
     .help = "learning rate, for the gradient summed over the samples", .maximum = 1e6},
    {"update", "optimizer", "WHAT", OPTION_CHOICE, AT(update), .help = "what a step changes",
     .choices = explain_update_choices},
    {"steps", "output", "N", OPTION_INTEGER, AT(steps), .help = "steps to take; more than 1 add a table of the cost",
     .minimum = 1, .maximum = 1e7},
    {"digits", "output", "D", OPTION_INTEGER, AT(digits), .help = "decimals of the numbers", .minimum = 1,
     .maximum = 9},
    {.name = NULL},
};
_Static_assert(sizeof explain_setting_rows / sizeof *explain_setting_rows <= EXPLAIN_MAX_SETTINGS, "a line for each");

explain_settings explain_settings_default(void) {
  explain_settings settings = {.steps = 1, .digits = 4, .update = EXPLAIN_UPDATE_ALL};
  mlpd_train_options *const train = &settings.train;
  mlpd_train_options_default(train);
  train->hidden = "";
  train->activation = "sigmoid";
  train->loss = MLPD_MSE;
  train->optimizer = MLPD_SGD;
  train->lr = 0.1;
  train->weight_decay = 0;
  train->seed = 1;
  return settings;
}

/* The row of a setting; EXPLAIN_MAX_SETTINGS: none. */
static size_t setting_index(const char *name) {
  const option *const row = mlpd_option_find(explain_setting_rows, name);
  return row != NULL ? (size_t)(row - explain_setting_rows) : EXPLAIN_MAX_SETTINGS;
}

const char *explain_setting_place(const explain_lesson *lesson, const char *name, char place[EXPLAIN_PLACE_BYTES]) {
  const int line = lesson->setting_lines[setting_index(name)];
  if (line < 0)
    (void)snprintf(place, EXPLAIN_PLACE_BYTES, "--%s", name);
  else if (line > 0)
    (void)snprintf(place, EXPLAIN_PLACE_BYTES, "%.200s:%d: %s", lesson->name, line, name);
  else
    (void)snprintf(place, EXPLAIN_PLACE_BYTES, "%.200s: %s", lesson->name, name);
  return place;
}

void explain_setting_given(explain_lesson *lesson, const char *name, int line) {
  const size_t index = setting_index(name);
  if (index < EXPLAIN_MAX_SETTINGS) lesson->setting_lines[index] = line;
}
