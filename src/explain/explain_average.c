#include "explain/explain_average.h"

static const mlpd_train_options *options_of(const explain_lesson *lesson) { return &lesson->settings.train; }

bool explain_has_average(const explain_lesson *lesson) {
  return options_of(lesson)->ema > 0 || options_of(lesson)->swa_start > 0;
}

bool explain_average_begun(const explain_lesson *lesson, uint64_t step) {
  const uint64_t start = options_of(lesson)->swa_start;
  return options_of(lesson)->ema > 0 || (start > 0 && step >= start);
}

static void print_rate(const explain_page *page) {
  const unsigned long long step = page->lesson->settings.shown, start = options_of(page->lesson)->swa_start;
  const double ema = options_of(page->lesson)->ema, rising = (1 + (double)step) / (10 + (double)step);
  if (ema > 0)
    (void)fprintf(page->stream,
                  "          r = 1 - min(%g, (1 + t) / (10 + t)) = %.4g in step t = %llu\n"
                  "          avg(W) begins as the first W\n",
                  ema, 1 - (ema < rising ? ema : rising), step);
  else if (step >= start)
    (void)fprintf(page->stream, "          r = 1 / (t - %llu) = 1/%llu: the mean of W after steps %llu to %llu\n",
                  start - 1, step - start + 1, start, step);
  else
    (void)fprintf(page->stream, "          from step %llu on\n", start);
}

void explain_average_start(const explain_page *page) {
  if (!explain_has_average(page->lesson)) return;
  (void)fprintf(page->stream, "Average   avg(W) <- avg(W) + r (W - avg(W)) after each step; a run saves avg(W)\n");
  print_rate(page);
}

void explain_average_tensor(const explain_page *page, const explain_updated *t) {
  const explain_step *const step = page->step;
  const uint64_t shown = page->lesson->settings.shown;
  void (*const print)(const explain_page *, const char *, explain_matrix) =
      t->folds ? explain_print_folding : explain_print;
  char formula[EXPLAIN_FORMULA];
  if (!explain_average_begun(page->lesson, shown)) return;
  if (explain_average_begun(page->lesson, shown - 1) && shown > 1) {
    (void)snprintf(formula, sizeof formula, "avg(%s)  before the step", t->name);
    print(page, formula, explain_tensor(step->mean_before, t->layer, t->tensor));
  }
  (void)snprintf(formula, sizeof formula, "avg(%s) <- avg + r (%s - avg)", t->name, t->name);
  print(page, formula, explain_tensor(step->mean_after, t->layer, t->tensor));
}
