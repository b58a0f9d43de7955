/* Settings of a lesson: their rows, what holds where nothing is given, and where one was given. */
#include "program/explain.h"
#include "program/outcome.h"

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
    {"norm", "network", "HOW", OPTION_CHOICE, AT(train.norm),
     .help = "normalise hidden layers before their activation; batch: over the samples", .choices = mlpd_norm_choices,
     .needs = "hidden"},
    {"dropout", "network", "P[,P...]", OPTION_LIST, AT(train.dropout),
     .help = "drop outputs of the hidden layers with this probability, one for all or one for each", .maximum = 0.99,
     .needs = "hidden"},
    {"input-dropout", "network", "P", OPTION_REAL, AT(train.input_dropout), .help = "drop inputs with this probability",
     .maximum = 0.99},
    {"input-noise", "network", "S", OPTION_REAL, AT(train.input_noise),
     .help = "standard deviation of noise on the inputs", .maximum = 1e6},
    {"input-scale", "network", "FACTOR", OPTION_REAL, AT(train.input_scale),
     .help = "learn a scale of each input, with this times the learning rate; 0: none", .maximum = 1e3},
    {"embed-numbers", "network", "HOW", OPTION_CHOICE, AT(train.embed_numbers),
     .help = "turn each number into several learned values; the edges of piecewise are quantiles of the samples",
     .choices = mlpd_embed_numbers_choices},
    {"embed-bins", "network", "T", OPTION_INTEGER, AT(train.embed_bins),
     .help = "bins of an input with --embed-numbers piecewise", .minimum = 1, .maximum = 1024,
     .needs = "embed-numbers=piecewise"},
    {"embed-width", "network", "W", OPTION_INTEGER, AT(train.embed_width),
     .help = "learned values of an embedded category, and of each input in bins beside the input itself", .minimum = 1,
     .maximum = 256, .needs = "embed-numbers=piecewise|categories"},
    {"categories", "network", "N,N,...", OPTION_LIST, AT(categories),
     .help = "the number of categories of each input, 0 for a number; samples then have codes, whole numbers from 0",
     .maximum = EXPLAIN_MAX_WIDTH},
    {"embed-above", "network", "N", OPTION_INTEGER, AT(train.embed_above),
     .help = "embed inputs of more than N categories, as values that are learned; others are one-hot", .maximum = 65536,
     .needs = "categories"},
    {"ensemble", "network", "K", OPTION_INTEGER, AT(train.ensemble),
     .help = "members that share all layers but the last; the answer is their mean", .minimum = 1,
     .maximum = EXPLAIN_MAX_MEMBERS},
    {"members", "network", "K", OPTION_INTEGER, AT(train.members),
     .help = "separate networks that train at once; the answer is their mean", .minimum = 1,
     .maximum = EXPLAIN_MAX_MEMBERS},
    {"seed", "network", "N", OPTION_INTEGER, AT(train.seed),
     .help = "seed of all that is drawn: weights, and in each step dropout and noise; on the command line weights are "
             "drawn in place of given ones",
     .maximum = 9007199254740992.0},
    {"loss", "network", "NAME", OPTION_CHOICE, AT(train.loss), .help = "loss to minimise; auto: mse",
     .choices = mlpd_loss_choices},
    {"label-smoothing", "network", "E", OPTION_REAL, AT(train.label_smoothing),
     .help = "part of each target that is spread evenly over the classes", .maximum = 0.9999,
     .needs = "loss=cross-entropy,binary-cross-entropy"},
    {"focal-gamma", "network", "G", OPTION_REAL, AT(train.focal_gamma),
     .help = "focal loss: (1 - p)^G times the cross-entropy; 0: cross-entropy", .maximum = 100,
     .needs = "loss=cross-entropy,binary-cross-entropy"},
    {"quantiles", "network", "LIST", OPTION_TEXT, AT(train.quantiles),
     .help = "quantiles to estimate, rising; an output for each", .needs = "loss=quantile"},
    {"class-weight", "network", "WEIGHTS", OPTION_TEXT, AT(train.class_weight),
     .help = "weights of the classes: none; balanced (samples / (classes * samples of the class)); or 1,2,0.5"},
    {"optimizer", "optimizer", "NAME", OPTION_CHOICE, AT(train.optimizer), .help = "update rule, any but lbfgs",
     .choices = mlpd_optimizer_choices},
    {"lr", "optimizer", "ETA", OPTION_REAL, AT(train.lr),
     .help = "learning rate, for the gradient summed over the samples", .maximum = 1e6},
    {"momentum", "optimizer", "M", OPTION_REAL, AT(train.momentum),
     .help = "fraction of the velocity kept in each step", .maximum = 0.9999999,
     .needs = "optimizer=momentum,nesterov,lars"},
    {"beta1", "optimizer", "B", OPTION_REAL, AT(train.beta1), .help = "decay of the mean gradient",
     .maximum = 0.9999999, .needs = "optimizer=adam,adamw,lion,lamb"},
    {"beta2", "optimizer", "B", OPTION_REAL, AT(train.beta2), .help = "decay of the mean squared gradient",
     .maximum = 0.9999999, .needs = "optimizer=adam,adamw,rmsprop,lion,lamb"},
    {"epsilon", "optimizer", "E", OPTION_REAL, AT(train.epsilon), .help = "added to the root of the mean square",
     .minimum = 1e-30, .maximum = 1, .needs = "optimizer=adam,adamw,rmsprop,adagrad,lamb"},
    {"trust-coefficient", "optimizer", "C", OPTION_REAL, AT(train.trust_coefficient),
     .help = "length of an update relative to the weights, at learning rate 1", .minimum = 1e-30, .maximum = 1e6,
     .needs = "optimizer=lars"},
    {"weight-decay", "optimizer", "D", OPTION_REAL, AT(train.weight_decay), .help = "weight decay; biases do not decay",
     .maximum = 1e6},
    {"decay", "optimizer", "HOW", OPTION_CHOICE, AT(train.decay),
     .help = "where weight decay acts: coupled, in the gradient; decoupled, beside the step; auto: as the optimizer's "
             "paper",
     .choices = mlpd_decay_choices, .needs = "weight-decay"},
    {"ema", "optimizer", "D", OPTION_REAL, AT(train.ema),
     .help = "show the exponential moving average of the weights with this decay a step; 0: none",
     .maximum = 0.9999999},
    {"swa-start", "optimizer", "STEP", OPTION_INTEGER, AT(train.swa_start),
     .help = "show the mean of the weights after the steps from this one on; 0: none", .maximum = 1e7},
    {"schedule", "schedule", "NAME", OPTION_CHOICE, AT(train.schedule),
     .help = "learning rate schedule over the steps; each counts as an epoch", .choices = mlpd_schedule_choices},
    {"lr-min", "schedule", "RATE", OPTION_REAL, AT(train.lr_min), .help = "lowest learning rate", .maximum = 1e6,
     .needs = "schedule=cosine,polynomial,one-cycle,cosine-restarts,flat-cosine,coslog4,plateau"},
    {"lr-gamma", "schedule", "G", OPTION_REAL, AT(train.lr_gamma),
     .help = "factor of the learning rate whenever it falls", .maximum = 1e6,
     .needs = "schedule=step,exponential,plateau"},
    {"lr-step-epochs", "schedule", "N", OPTION_REAL, AT(train.lr_step_epochs),
     .help = "steps until the learning rate falls or, with cosine-restarts, first restarts", .minimum = 1e-6,
     .maximum = 1e9, .needs = "schedule=step,exponential,cosine-restarts"},
    {"lr-power", "schedule", "P", OPTION_REAL, AT(train.lr_power),
     .help = "exponent of the polynomial; 1: a straight line", .maximum = 100, .needs = "schedule=polynomial"},
    {"lr-rise", "schedule", "FRACTION", OPTION_REAL, AT(train.lr_rise),
     .help = "fraction of the steps during which the rate rises", .maximum = 1, .needs = "schedule=one-cycle"},
    {"lr-flat", "schedule", "FRACTION", OPTION_REAL, AT(train.lr_flat),
     .help = "fraction of the steps before the rate falls", .maximum = 1, .needs = "schedule=flat-cosine"},
    {"lr-restart-factor", "schedule", "N", OPTION_INTEGER, AT(train.lr_restart_factor),
     .help = "length of each cosine, in lengths of the one before", .minimum = 1, .maximum = 1000,
     .needs = "schedule=cosine-restarts"},
    {"lr-patience", "schedule", "N", OPTION_INTEGER, AT(train.lr_patience),
     .help = "steps without a lower cost before the rate falls", .minimum = 1, .maximum = 1e9,
     .needs = "schedule=plateau"},
    {"warmup-epochs", "schedule", "N", OPTION_REAL, AT(train.warmup_epochs),
     .help = "steps during which the learning rate rises from 0", .maximum = 1e9},
    {"update", "optimizer", "WHAT", OPTION_CHOICE, AT(update), .help = "what a step changes",
     .choices = explain_update_choices},
    {"steps", "output", "N", OPTION_INTEGER, AT(steps), .help = "steps to take; more than 1 add a table of the cost",
     .minimum = 1, .maximum = 1e7},
    {"show-step", "output", "K", OPTION_INTEGER, AT(shown),
     .help = "step to write out in numbers, after those before it", .minimum = 1, .maximum = 1e7},
    {"digits", "output", "D", OPTION_INTEGER, AT(digits), .help = "decimals of the numbers", .minimum = 1,
     .maximum = 9},
    {.name = NULL},
};
_Static_assert(sizeof explain_setting_rows / sizeof *explain_setting_rows <= EXPLAIN_MAX_SETTINGS, "a line for each");

explain_settings explain_settings_default(void) {
  explain_settings settings = {.steps = 1, .shown = 1, .digits = 4, .update = EXPLAIN_UPDATE_ALL};
  mlpd_train_options *const train = &settings.train;
  mlpd_train_options_default(train);
  train->hidden = "";
  train->activation = "sigmoid";
  train->loss = MLPD_MSE;
  train->quantiles = "0.5";
  train->embed_bins = 4; /* so few that the page holds them */
  train->embed_width = 2;
  settings.categories = "";
  train->optimizer = MLPD_SGD;
  train->lr = 0.1;
  train->schedule = MLPD_CONSTANT;
  train->weight_decay = 0;
  train->seed = 1;
  return settings;
}

uint32_t explain_members(const explain_lesson *lesson) {
  const mlpd_train_options *const train = &lesson->settings.train;
  return train->members > 1 ? train->members : train->ensemble;
}

/* The row of a setting; EXPLAIN_MAX_SETTINGS: none. */
static size_t setting_index(const char *name) {
  const option *const row = mlpd_option_find(explain_setting_rows, name);
  return row != NULL ? (size_t)(row - explain_setting_rows) : EXPLAIN_MAX_SETTINGS;
}

int explain_setting_line(const explain_lesson *lesson, const char *name) {
  return lesson->setting_lines[setting_index(name)];
}

const char *explain_setting_place(const explain_lesson *lesson, const char *name, char place[EXPLAIN_PLACE_BYTES]) {
  const int line = explain_setting_line(lesson, name);
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

void explain_note_idle(const explain_lesson *lesson) {
  for (const option *row = explain_setting_rows; row->name != NULL; row++) {
    char where[EXPLAIN_PLACE_BYTES], needed[64], note[EXPLAIN_PLACE_BYTES + 100];
    if (lesson->setting_lines[row - explain_setting_rows] == 0) continue;
    if (mlpd_option_lacks(explain_setting_rows, row, &lesson->settings, needed, sizeof needed) == NULL) continue;
    (void)snprintf(note, sizeof note, "%s has no effect without %s", explain_setting_place(lesson, row->name, where),
                   needed);
    outcome_note(note);
  }
}
