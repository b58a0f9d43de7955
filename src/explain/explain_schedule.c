#include "explain/explain_schedule.h"

#include <math.h>

/* s: steps before this one, after those of the warm-up; T: all steps after the warm-up; u, of cosine-restarts: the part
 * of its cycle that is over. */
static const char *const FORMULAS[MLPD_NUM_SCHEDULES] = {
    [MLPD_CONSTANT] = "lr",
    [MLPD_STEP] = "lr gamma^floor(s / N)",
    [MLPD_EXPONENTIAL] = "lr gamma^(s / N)",
    [MLPD_POLYNOMIAL] = "lr-min + (lr - lr-min) (1 - s/T)^power",
    [MLPD_COSINE] = "lr-min + (lr - lr-min) (1 + cos(pi s/T)) / 2",
    [MLPD_COSINE_RESTARTS] =
        "lr-min + (lr - lr-min) (1 + cos(pi u)) / 2\n"
        "          u: the part of its cycle that is over; the first lasts N steps, each\n"
        "          later one restart-factor times as long as the one before",
    [MLPD_FLAT_COSINE] =
        "lr while s/T < flat, then\n"
        "          lr-min + (lr - lr-min) (1 + cos(pi (s/T - flat) / (1 - flat))) / 2",
    [MLPD_ONE_CYCLE] =
        "lr + (lr/25 - lr) (1 + cos(pi s/T / rise)) / 2\n"
        "          while s/T < rise, then\n"
        "          lr-min + (lr - lr-min) (1 + cos(pi (s/T - rise) / (1 - rise))) / 2",
    [MLPD_COSLOG4] =
        "lr-min + (lr - lr-min) (1 - cos(2 pi x)) / 2\n"
        "          x = log2(1 + 15 s/T): four waves, each longer than the one before",
    [MLPD_PLATEAU] =
        "lr gamma^k\n"
        "          k grows when C has not fallen for P steps, not below lr-min",
    [MLPD_INVSCALING] =
        "lr / (1 + n s)^power-t\n"
        "          n: samples of a step",
};

bool explain_has_schedule(const explain_lesson *lesson) {
  const mlpd_train_options *const train = &lesson->settings.train;
  return train->schedule != MLPD_CONSTANT || train->warmup_epochs > 0;
}

static void print_parameters(const explain_page *page) {
  static const struct {
    const char *name, *symbol;
  } parameters[] = {
      {"lr", "lr"},          {"lr-min", "lr-min"},  {"lr-gamma", "gamma"}, {"lr-step-epochs", "N"},
      {"lr-power", "power"}, {"lr-rise", "rise"},   {"lr-flat", "flat"},   {"lr-restart-factor", "restart-factor"},
      {"lr-patience", "P"},  {"power-t", "power-t"}};
  const explain_settings *const settings = &page->lesson->settings;
  char value[64], needed[64];
  (void)fprintf(page->stream, "          ");
  for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
    const option *const row = mlpd_option_find(explain_setting_rows, parameters[i].name);
    if (mlpd_option_lacks(explain_setting_rows, row, settings, needed, sizeof needed) != NULL) continue;
    (void)fprintf(page->stream, "%s%s = %s", i > 0 ? ", " : "", parameters[i].symbol,
                  mlpd_option_format(row, settings, value, sizeof value));
  }
  (void)fprintf(page->stream, "\n");
}

/* s and T, or that the step is of the warm-up. */
static void print_place(const explain_page *page) {
  const explain_settings *const settings = &page->lesson->settings;
  const uint64_t warmup = (uint64_t)llround(settings->train.warmup_epochs);
  const unsigned long long before = settings->shown - 1, all = settings->train.epochs;
  if (before < warmup)
    (void)fprintf(page->stream, "          warm-up: eta rises in %llu steps, here to %llu/%llu of its later value\n",
                  (unsigned long long)warmup, before + 1, (unsigned long long)warmup);
  else
    (void)fprintf(page->stream, "          s = %llu steps before this one%s, T = %llu\n", before - warmup,
                  warmup > 0 ? " and after the warm-up" : "", all > warmup ? all - warmup : 0);
}

void explain_schedule_start(const explain_page *page) {
  const explain_settings *const settings = &page->lesson->settings;
  const mlpd_train_options *const train = &settings->train;
  FILE *const stream = page->stream;
  (void)fprintf(stream, "Rate      eta = %g%s\n", page->step->lr,
                settings->update == EXPLAIN_UPDATE_WEIGHTS ? "; the biases are not updated" : "");
  if (!explain_has_schedule(page->lesson)) return;
  const int schedule = (int)train->schedule;
  (void)fprintf(stream, "Schedule  %s: eta = %s\n", mlpd_choice_name(mlpd_schedule_choices, schedule),
                FORMULAS[schedule]);
  print_parameters(page);
  print_place(page);
}
