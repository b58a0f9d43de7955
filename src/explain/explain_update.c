#include "explain/explain_update.h"

#include <math.h>
#include <string.h>

#include "explain/explain_average.h"

enum { TERM = 40 };

/* A tensor in the making: its numbers before the step, the optimizer's after it. */
typedef struct update {
  const explain_page *page;
  const explain_updated *tensor;
  const mlpd_train_options *options;
  const char *name;
  explain_matrix old, new, gradient, held[2], state[2]; /* held: state before the step */
  double trust;
  double in_gradient, in_direction, beside; /* the weight decay, where it acts */
} update;

/* The optimizers' ways: each prints its state and ends with the new values. */
typedef void print_way(const update *u);

/* ---- Numbers ----------------------------------------------------------------------------------------- */

static double at(const explain_matrix *matrix, uint64_t i, uint32_t j) {
  return (double)matrix->values[i * matrix->stride + j];
}

static double gradient_at(const void *context, uint64_t i, uint32_t j) {
  const update *const u = context;
  return at(&u->gradient, i, j) + u->in_gradient * at(&u->old, i, j);
}

static double power(double beta, const update *u) { return pow(beta, (double)u->page->lesson->settings.shown); }

static double mean_at(const void *context, uint64_t i, uint32_t j) {
  const update *const u = context;
  return at(&u->state[0], i, j) / (1 - power(u->options->beta1, u));
}

static double square_at(const void *context, uint64_t i, uint32_t j) {
  const update *const u = context;
  return at(&u->state[1], i, j) / (1 - power(u->options->beta2, u));
}

static double direction_at(const void *context, uint64_t i, uint32_t j) {
  const update *const u = context;
  return mean_at(u, i, j) / (sqrt(square_at(u, i, j)) + u->options->epsilon) + u->in_direction * at(&u->old, i, j);
}

static double interpolated_at(const void *context, uint64_t i, uint32_t j) {
  const update *const u = context;
  return u->options->beta1 * at(&u->held[0], i, j) + (1 - u->options->beta1) * gradient_at(u, i, j);
}

/* ---- Printing ---------------------------------------------------------------------------------------- */

static void print_values(const update *u, const char *formula, explain_value *value) {
  FILE *const stream = u->page->stream;
  const uint64_t digits = u->page->lesson->settings.digits;
  if (u->tensor->folds)
    explain_print_folded(stream, digits, formula, u->old.rows, u->old.columns, value, u);
  else
    explain_print_values(stream, digits, formula, u->old.rows, u->old.columns, value, u);
}

static void print_matrix(const update *u, const char *formula, explain_matrix matrix) {
  if (u->tensor->folds)
    explain_print_folding(u->page, formula, matrix);
  else
    explain_print(u->page, formula, matrix);
}

/* What the optimizer held of the tensor; 0 before the first step. */
static void print_held(const update *u, int which, const char *letter) {
  char text[EXPLAIN_FORMULA];
  if (u->page->lesson->settings.shown == 1) return;
  (void)snprintf(text, sizeof text, "%s(%s)  before the step", letter, u->name);
  print_matrix(u, text, u->held[which]);
}

/* "V(W1) <- mu V + g": what the optimizer holds of the tensor. */
static void print_state(const update *u, int which, const char *letter, const char *formula) {
  char text[EXPLAIN_FORMULA];
  (void)snprintf(text, sizeof text, "%s(%s) <- %s", letter, u->name, formula);
  print_matrix(u, text, u->state[which]);
}

/* "W1 <- W1 - eta STEP", and the new values. */
static void print_new(const update *u, const char *step) {
  char formula[EXPLAIN_FORMULA], keep[TERM] = "", rate[TERM] = "";
  if (u->tensor->rate != 1) (void)snprintf(rate, sizeof rate, "%g ", u->tensor->rate);
  if (u->beside > 0) (void)snprintf(keep, sizeof keep, "(1 - %.20seta lambda) ", rate);
  (void)snprintf(formula, sizeof formula, "%s <- %s%s - %seta %s", u->name, keep, u->name, rate, step);
  print_matrix(u, formula, u->new);
}

/* The ratio is that of the step: a factor of eta does not change its length. */
static void print_trust(const update *u, const char *formula) {
  char b[32], rate[TERM] = "";
  if (u->tensor->rate != 1) (void)snprintf(rate, sizeof rate, " / %g", u->tensor->rate);
  (void)fprintf(u->page->stream, "  r(%s) = %s%s = %s\n", u->name, formula, rate,
                explain_cost(u->trust, u->page->lesson->settings.digits, b));
}

static void print_sgd(const update *u) {
  char gradient[TERM];
  (void)snprintf(gradient, sizeof gradient, u->in_gradient > 0 ? "g" : "dC/d%s", u->name);
  print_new(u, gradient);
}

static void print_momentum(const update *u) {
  print_held(u, 0, "V");
  print_state(u, 0, "V", "mu V + g");
  print_new(u, "V");
}

static void print_nesterov(const update *u) {
  print_held(u, 0, "V");
  print_state(u, 0, "V", "mu V + g");
  print_new(u, "(g + mu V)");
}

/* The mean of the gradients and its correction, beside a second state. */
static void print_mean(const update *u, const char *second) {
  print_held(u, 0, "M");
  print_held(u, 1, "V");
  print_state(u, 0, "M", "beta1 M + (1 - beta1) g");
  print_state(u, 1, "V", second);
  print_values(u, "Mhat = M / (1 - beta1^t)", mean_at);
}

/* Both moments, and both corrected. */
static void print_moments(const update *u) {
  print_mean(u, "beta2 V + (1 - beta2) g^2");
  print_values(u, "Vhat = V / (1 - beta2^t)", square_at);
}

static void print_adam(const update *u) {
  print_moments(u);
  print_new(u, "Mhat / (sqrt(Vhat) + e)");
}

static void print_adamax(const update *u) {
  print_mean(u, "max(beta2 V, |g| + e)");
  print_new(u, "Mhat / V");
}

static void print_rmsprop(const update *u) {
  print_held(u, 0, "Q");
  print_state(u, 0, "Q", "beta2 Q + (1 - beta2) g^2");
  print_new(u, "g / (sqrt(Q) + e)");
}

static void print_adagrad(const update *u) {
  print_held(u, 0, "Q");
  print_state(u, 0, "Q", "Q + g^2");
  print_new(u, "g / (sqrt(Q) + e)");
}

static void print_lion(const update *u) {
  char formula[EXPLAIN_FORMULA];
  print_held(u, 0, "M");
  (void)snprintf(formula, sizeof formula, "K(%s) = beta1 M + (1 - beta1) g", u->name);
  print_values(u, formula, interpolated_at);
  print_state(u, 0, "M", "beta2 M + (1 - beta2) g");
  print_new(u, "sign(K)");
}

static void print_lars(const update *u) {
  char formula[EXPLAIN_FORMULA];
  (void)snprintf(formula, sizeof formula,
                 u->in_gradient > 0 ? "c |%s| / (|dC/d%s| + lambda |%s|)" : "c |%s| / |dC/d%s|", u->name, u->name,
                 u->name);
  if (u->tensor->decays) print_trust(u, formula);
  print_held(u, 0, "V");
  print_state(u, 0, "V", u->tensor->decays ? "mu V + r g" : "mu V + g");
  print_new(u, "V");
}

static void print_lamb(const update *u) {
  char formula[EXPLAIN_FORMULA], decay[TERM] = "";
  print_moments(u);
  if (u->in_direction > 0) (void)snprintf(decay, sizeof decay, " + lambda %s", u->name);
  (void)snprintf(formula, sizeof formula, "D(%s) = Mhat / (sqrt(Vhat) + e)%s", u->name, decay);
  print_values(u, formula, direction_at);
  (void)snprintf(formula, sizeof formula, "|%s| / |D|", u->name);
  if (u->tensor->decays) print_trust(u, formula);
  print_new(u, u->tensor->decays ? "r D" : "D");
}

static print_way *const WAYS[MLPD_NUM_OPTIMIZERS] = {
    [MLPD_SGD] = print_sgd,         [MLPD_MOMENTUM] = print_momentum, [MLPD_NESTEROV] = print_nesterov,
    [MLPD_ADAM] = print_adam,       [MLPD_ADAMW] = print_adam,        [MLPD_RMSPROP] = print_rmsprop,
    [MLPD_ADAGRAD] = print_adagrad, [MLPD_LION] = print_lion,         [MLPD_LARS] = print_lars,
    [MLPD_LAMB] = print_lamb,       [MLPD_ADAMAX] = print_adamax,
};

bool explain_update_knows(mlpd_optimizer optimizer) { return WAYS[optimizer] != NULL; }

/* ---- Of a tensor ------------------------------------------------------------------------------------- */

/* As --decay auto says. */
static mlpd_decay decay_of(const mlpd_train_options *options) {
  if (options->decay != MLPD_DECAY_AUTO) return options->decay;
  const bool decoupled = options->optimizer == MLPD_ADAMW || options->optimizer == MLPD_LION;
  if (decoupled) return MLPD_DECAY_DECOUPLED;
  return options->optimizer == MLPD_LAMB ? MLPD_DECAY_AUTO : MLPD_DECAY_COUPLED;
}

static void settle_decay(update *u) {
  const double lambda = u->tensor->decays ? u->options->weight_decay : 0;
  const mlpd_decay decay = decay_of(u->options);
  if (decay == MLPD_DECAY_COUPLED) u->in_gradient = lambda;
  if (decay == MLPD_DECAY_DECOUPLED) u->beside = lambda;
  if (decay == MLPD_DECAY_AUTO) u->in_direction = lambda;
}

void explain_update_tensor(const explain_page *page, const explain_updated *t) {
  const explain_step *const step = page->step;
  char formula[EXPLAIN_FORMULA];
  update u = {.page = page,
              .tensor = t,
              .options = &page->lesson->settings.train,
              .name = t->name,
              .old = explain_tensor(step->before, t->layer, t->tensor),
              .new = explain_tensor(step->after, t->layer, t->tensor),
              .gradient = explain_gradient(page, t->layer, t->tensor)};
  const uint32_t index = explain_tensor_index(step->before, t->layer, t->tensor);
  for (uint32_t i = 0; i < 2; i++)
    u.held[i] = explain_matrix_of(mlpd_descent_state(step->held, step->before, t->layer, index, i));
  for (uint32_t i = 0; i < 2; i++)
    u.state[i] = explain_matrix_of(mlpd_descent_state(step->descent, step->after, t->layer, index, i));
  u.trust = mlpd_descent_trust(step->descent, step->after, t->layer, index);
  settle_decay(&u);
  if (u.in_gradient > 0) {
    (void)snprintf(formula, sizeof formula, "g(%s) = dC/d%s + lambda %s", u.name, u.name, u.name);
    print_values(&u, formula, gradient_at);
  }
  WAYS[u.options->optimizer](&u);
  explain_average_tensor(page, t);
}

void explain_update_weights(const explain_page *page, uint32_t l, bool has_bias) {
  char name[EXPLAIN_NAME];
  const uint32_t number = explain_layer_number(page, l);
  (void)snprintf(name, sizeof name, "W%u", number);
  explain_update_tensor(page,
                        &(explain_updated){.name = name, .layer = l, .tensor = "weight", .decays = true, .rate = 1});
  if (!has_bias || page->lesson->settings.update == EXPLAIN_UPDATE_WEIGHTS) return;
  (void)snprintf(name, sizeof name, "B%u", number);
  explain_update_tensor(page, &(explain_updated){.name = name, .layer = l, .tensor = "bias", .rate = 1});
}

/* ---- The head of the page ---------------------------------------------------------------------------- */

static void print_parameters(const explain_page *page) {
  static const struct {
    const char *name, *symbol;
  } parameters[] = {
      {"momentum", "mu"}, {"beta1", "beta1"}, {"beta2", "beta2"}, {"epsilon", "e"}, {"trust-coefficient", "c"}};
  const explain_settings *const settings = &page->lesson->settings;
  char value[64], needed[64];
  for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
    const option *const row = mlpd_option_find(explain_setting_rows, parameters[i].name);
    if (mlpd_option_lacks(explain_setting_rows, row, settings, needed, sizeof needed) == NULL)
      (void)fprintf(page->stream, ", %s = %s", parameters[i].symbol,
                    mlpd_option_format(row, settings, value, sizeof value));
  }
}

void explain_update_start(const explain_page *page) {
  const mlpd_train_options *const train = &page->lesson->settings.train;
  FILE *const stream = page->stream;
  if (train->optimizer != MLPD_SGD) {
    (void)fprintf(stream, "Optimizer %s", mlpd_choice_name(mlpd_optimizer_choices, (int)train->optimizer));
    print_parameters(page);
    (void)fprintf(stream, "; step t = %llu\n          g is the gradient; what is held of each tensor begins at 0\n",
                  (unsigned long long)page->lesson->settings.shown);
  }
  if (train->weight_decay > 0)
    (void)fprintf(stream, "Decay     lambda = %g, of weights%s; biases and the like do not decay\n",
                  train->weight_decay, train->embed_numbers == MLPD_EMBED_NUMBERS_PERIODIC ? ", f, p, be" : "");
}
