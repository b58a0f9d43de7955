#include "explain/explain_loss.h"

#include <math.h>
#include <string.h>

#include "explain/explain_focal.h"
#include "explain/explain_target.h"

static mlpd_loss loss_of(const explain_page *page) { return page->lesson->settings.train.loss; }
static double smoothing_of(const explain_page *page) { return page->lesson->settings.train.label_smoothing; }
static bool is_focal(const explain_page *page) { return page->lesson->settings.train.focal_gamma > 0; }

static double target_at(const void *context, uint64_t i, uint32_t j) { return explain_target_at(context, i, j); }

/* Members that share nothing. */
static bool learns_apart(const explain_page *page) { return page->lesson->settings.train.members > 1; }

/* ---- The cost ---------------------------------------------------------------------------------------- */

void explain_loss_formula(FILE *stream, const char *formula) {
  (void)fprintf(stream, "%.*s\n", (int)strcspn(formula, ";"), formula);
}

static const char *help_of(mlpd_loss loss) {
  for (const mlpd_choice *choice = mlpd_loss_choices; choice->name != NULL; choice++)
    if (choice->value == (int)loss) return choice->help;
  return "";
}

static void print_formula(const explain_page *page) {
  FILE *const stream = page->stream;
  switch (loss_of(page)) {
    case MLPD_CROSS_ENTROPY: /* the help is about classes, and a lesson has target values */
      explain_loss_formula(stream, "-sum_k y_k log yhat_k");
      return;
    case MLPD_QUANTILE:
      (void)fprintf(stream,
                    "sum_k sum_q max(tau_q r, (tau_q - 1) r), r = y_k - yhat_kq\n"
                    "          tau = %s; columns of Yhat: these quantiles of each target\n",
                    page->lesson->settings.train.quantiles);
      return;
    case MLPD_GAUSSIAN:
      (void)fprintf(stream,
                    "sum_k 1/2 (s_k + (y_k - m_k)^2 / exp(s_k))\n"
                    "          columns of Yhat: mean m and log-variance s of each target\n");
      return;
    default:
      explain_loss_formula(stream, help_of(loss_of(page)));
  }
}

void explain_loss_start(const explain_page *page) {
  FILE *const stream = page->stream;
  (void)fprintf(stream, "Cost      C = ");
  if (is_focal(page))
    explain_focal_start(page);
  else
    print_formula(page);
  if (smoothing_of(page) > 0)
    (void)fprintf(stream, "          with y'_k = %g y_k + %g / %u, the smoothed labels, in place of y_k\n",
                  1 - smoothing_of(page), smoothing_of(page), explain_target_choices(page));
  if (page->lesson->sample_weights != NULL)
    (void)fprintf(stream, "          times w, the weight of the sample's class\n");
  if (explain_members(page->lesson) > 1)
    (void)fprintf(stream, "          the mean of the %u members%s\n", explain_members(page->lesson),
                  learns_apart(page) ? "; each learns from its own cost" : "");
  if (page->lesson->n > 1)
    (void)fprintf(stream, "          summed over the %llu samples\n", (unsigned long long)page->lesson->n);
}

void explain_loss_targets(const explain_page *page) {
  const explain_lesson *const lesson = page->lesson;
  char formula[EXPLAIN_FORMULA];
  if (smoothing_of(page) > 0) {
    (void)snprintf(formula, sizeof formula, "Y' = %g Y + %g / %u", 1 - smoothing_of(page), smoothing_of(page),
                   explain_target_choices(page));
    explain_print_values(page->stream, lesson->settings.digits, formula, lesson->n, lesson->targets, target_at, page);
  }
  if (lesson->sample_weights != NULL)
    explain_print(page, "w   weights of the samples", (explain_matrix){lesson->sample_weights, lesson->n, 1, 1});
}

/* ---- delta ------------------------------------------------------------------------------------------- */

/* dC/dYhat of a loss, as text; NULL: its derivative by Z is simpler. */
static const char *slope_of(const explain_page *page) {
  switch (loss_of(page)) {
    case MLPD_MSE:
      return "(Yhat - Y)";
    case MLPD_MSE_MEAN:
      return "2/K (Yhat - Y)";
    case MLPD_MAE:
      return "sign(Yhat - Y)";
    case MLPD_HUBER:
      return "clip(Yhat - Y, -1, 1)";
    case MLPD_LOG_COSH:
      return "tanh(Yhat - Y)";
    case MLPD_QUANTILE:
      return strcmp(page->lesson->settings.train.quantiles, "0.5") == 0 ? "sign(Yhat - Y) / 2"
                                                                        : "((1 if Yhat > Y else 0) - tau)";
    default:
      return NULL;
  }
}

static bool targets_sum_to_one(const explain_page *page) {
  for (uint64_t i = 0; i < page->lesson->n; i++) {
    double sum = 0;
    for (uint32_t k = 0; k < page->lesson->targets; k++) sum += explain_target_at(page, i, k);
    if (fabs(sum - 1) > 1e-6) return false;
  }
  return true;
}

/* The derivative in formulas; cross-entropies and poisson need no A': it cancels. */
static void delta_formula(const explain_page *page, uint32_t number, char formula[EXPLAIN_FORMULA]) {
  const char *const slope = slope_of(page), *const y = explain_target_name(page);
  const char *const activation = explain_activation_name(page, explain_layers(page) - 1);
  if (loss_of(page) == MLPD_GAUSSIAN)
    (void)snprintf(formula, EXPLAIN_FORMULA, "(m - y) / exp(s) for m, (1 - (y - m)^2 / exp(s)) / 2 for s");
  else if (loss_of(page) == MLPD_CROSS_ENTROPY && !targets_sum_to_one(page))
    (void)snprintf(formula, EXPLAIN_FORMULA, "s Yhat - %s, s = row sums of %s", y, y);
  else if (slope == NULL)
    (void)snprintf(formula, EXPLAIN_FORMULA, "Yhat - %s", y);
  else if (strcmp(activation, "softmax") == 0)
    (void)snprintf(formula, EXPLAIN_FORMULA, "%s J, J = dYhat/dZ%u", slope, number);
  else
    (void)snprintf(formula, EXPLAIN_FORMULA, "%s o %s'(Z%u)", slope, activation, number);
}

void explain_loss_delta(const explain_page *page) {
  char derivative[EXPLAIN_FORMULA], formula[EXPLAIN_FORMULA + 64], part[16] = "";
  const uint32_t last = explain_layers(page) - 1, number = explain_layer_number(page, last);
  if (is_focal(page))
    explain_focal_delta(page, derivative);
  else
    delta_formula(page, number, derivative);
  if (explain_members(page->lesson) > 1 && !learns_apart(page))
    (void)snprintf(part, sizeof part, "1/%u ", explain_members(page->lesson));
  const bool is_weighted = page->lesson->sample_weights != NULL, is_factor = is_weighted || part[0] != '\0';
  (void)snprintf(formula, sizeof formula, "delta%u = %s%s%s%s%s", number, part, is_weighted ? "w o " : "",
                 is_factor ? "(" : "", derivative, is_factor ? ")" : "");
  explain_print_samples(page, formula, last, page->step->trace.delta[last]);
}
