/* Settings of a lesson: their rows, what holds where nothing is given, and where one was given. */
#include "cli/outcome.h"
#include "explain/explain.h"

#define ALWAYS "" /* needs nothing, although the training option does */
#define AT(member) OPTION_AT(explain_settings, member)

static const mlpd_choice UPDATE_CHOICES[] = {{"all", EXPLAIN_UPDATE_ALL, "weights and biases"},
                                             {"weights", EXPLAIN_UPDATE_WEIGHTS, "the biases stay as they are"},
                                             {NULL, 0, NULL}};

/* Of one network: auto compares two (explain_settings_prepare). */
static mlpd_choice NUMBERS_CHOICES[MLPD_EMBED_NUMBERS_AUTO + 1];

/* Settings that are options of training have its rows (explain_settings_prepare): what stands here is what differs. */
option explain_setting_rows[] = {
    {.name = "hidden",
     .metavar = "N,N,...",
     .help = "widths of the hidden layers, \"\" for none; the weights are drawn anew"},
    {"activation", "network", "NAME,...", OPTION_TEXT, AT(train.activation),
     .help = "activation of the hidden layers, one for all or one for each"},
    {.name = "output-activation", .help = "activation of the output layer; auto: by loss", .automatic = true},
    {.name = "norm", .help = "normalise hidden layers before their activation; batch: over the samples"},
    {.name = "dropout", .help = "drop outputs of the hidden layers with this probability, one for all or one for each"},
    {.name = "input-dropout", .help = "drop inputs with this probability"},
    {.name = "input-noise", .help = "standard deviation of noise on the inputs"},
    {.name = "input-scale", .help = "learn a scale for each input, at FACTOR times the learning rate; 0: off"},
    {.name = "embed-numbers",
     .help = "turn each number into several learned values; the edges of piecewise are quantiles of the samples",
     .choices = NUMBERS_CHOICES},
    {.name = "embed-bins",
     .help = "bins of an input with --embed-numbers piecewise",
     .needs = "embed-numbers=piecewise"},
    {.name = "embed-width",
     .help = "learned values of an embedded category, and of each input in bins beside the input itself",
     .maximum = 256,
     .needs = "embed-numbers=piecewise|categories"},
    {"categories", "network", "N,N,...", OPTION_LIST, AT(categories),
     .help = "the number of categories of each input, 0 for a number; samples then have codes, whole numbers from 0",
     .maximum = EXPLAIN_MAX_WIDTH},
    {.name = "embed-above",
     .help = "embed inputs of more than N categories, as values that are learned; others are one-hot",
     .needs = "categories"},
    {.name = "ensemble",
     .help = "members that share all layers but the last; the answer is their mean",
     .maximum = EXPLAIN_MAX_MEMBERS},
    {.name = "members",
     .help = "separate networks that train at once; the answer is their mean",
     .maximum = EXPLAIN_MAX_MEMBERS},
    {.name = "seed",
     .group = "network",
     .help =
         "seed of all that is drawn: weights, and in each step dropout and noise; on the command line it also draws "
         "weights in place of those that are given"},
    {.name = "loss", .help = "loss to minimise; auto: mse, because samples have values"},
    {.name = "label-smoothing", .needs = "loss=cross-entropy,binary-cross-entropy"},
    {.name = "focal-gamma",
     .help = "focal loss: (1 - p)^G times the cross-entropy; 0: cross-entropy",
     .needs = "loss=cross-entropy,binary-cross-entropy"},
    {.name = "quantiles", .help = "quantiles to estimate, in ascending order, an output for each"},
    {.name = "class-weight",
     .needs = ALWAYS,
     .help = "weights of the classes: none; balanced (samples / (classes * samples of the class)); or 1,2,0.5"},
    {.name = "optimizer", .help = "update rule, any but lbfgs"},
    {.name = "lr",
     .needs = ALWAYS,
     .metavar = "ETA",
     .help = "learning rate, for the gradient summed over the samples"},
    {.name = "momentum"},
    {.name = "beta1"},
    {.name = "beta2"},
    {.name = "epsilon"},
    {.name = "trust-coefficient", .help = "length of an update relative to the weights, at learning rate 1"},
    {.name = "weight-decay", .help = "weight decay; biases do not decay"},
    {.name = "decay"},
    {.name = "ema", .help = "show an exponential moving average of the weights, with this decay per step; 0: off"},
    {.name = "swa-start",
     .metavar = "STEP",
     .help = "show the mean of the weights after this step and all later ones; 0: off",
     .maximum = 1e7},
    {"update", "optimizer", "WHAT", OPTION_CHOICE, AT(update), .help = "what a step changes",
     .choices = UPDATE_CHOICES},
    {.name = "schedule", .help = "learning rate schedule over the steps; each counts as an epoch", .needs = ALWAYS},
    {.name = "lr-min"},
    {.name = "lr-gamma"},
    {.name = "lr-step-epochs", .help = "steps until the learning rate falls or, with cosine-restarts, first restarts"},
    {.name = "lr-power"},
    {.name = "power-t"},
    {.name = "lr-rise", .help = "fraction of the steps during which the rate rises"},
    {.name = "lr-flat", .help = "fraction of the steps before the rate falls"},
    {.name = "lr-restart-factor"},
    {.name = "lr-patience", .help = "steps without a lower cost before the rate falls"},
    {.name = "warmup-epochs", .help = "steps during which the learning rate rises from 0", .needs = ALWAYS},
    {"steps", "output", "N", OPTION_INTEGER, AT(steps), .help = "steps to take; more than 1 add a table of the cost",
     .minimum = 1, .maximum = 1e7},
    {"show-step", "output", "K", OPTION_INTEGER, AT(shown),
     .help = "step to write out in numbers; the steps before it are only taken", .minimum = 1, .maximum = 1e7},
    {"digits", "output", "D", OPTION_INTEGER, AT(digits), .help = "decimals of the numbers", .minimum = 1,
     .maximum = 9},
    {.name = NULL},
};
_Static_assert(sizeof explain_setting_rows / sizeof *explain_setting_rows <= EXPLAIN_MAX_SETTINGS, "a line for each");

/* Completes a row by the training option of its name. "auto" and defaults are explain's own. */
static void share(option *row) {
  const option *const train = mlpd_option_find(mlpd_train_option_table, row->name);
  row->type = train->type;
  row->offset = offsetof(explain_settings, train) + train->offset;
  row->size = train->size;
  row->minimum = train->minimum;
  if (row->choices == NULL) row->choices = train->choices;
  if (row->maximum <= 0) row->maximum = train->maximum;
  if (row->group == NULL) row->group = train->group;
  if (row->metavar == NULL) row->metavar = train->metavar;
  if (row->help == NULL) row->help = train->help;
  if (row->needs == NULL)
    row->needs = train->needs;
  else if (row->needs[0] == '\0')
    row->needs = NULL;
}

static void leave_out_auto(void) {
  uint32_t count = 0;
  for (const mlpd_choice *all = mlpd_embed_numbers_choices; all->name != NULL && count < MLPD_EMBED_NUMBERS_AUTO; all++)
    if (all->value != MLPD_EMBED_NUMBERS_AUTO) NUMBERS_CHOICES[count++] = *all;
}

void explain_settings_prepare(void) {
  leave_out_auto();
  for (option *row = explain_setting_rows; row->name != NULL; row++)
    if (row->size == 0) share(row);
}

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
