/* From options to a loss with its parameters, and its name in words. */
#include <stdlib.h>

#include "loss/loss.h"

static bool is_entropy(mlpd_loss loss) { return loss == MLPD_CROSS_ENTROPY || loss == MLPD_BINARY_CROSS_ENTROPY; }

static mlpd_status fail_unfit(const char *option, const mlpd_train_options *o) {
  return FAIL(MLPD_ERROR_USAGE, "--%s is for the losses cross-entropy and binary-cross-entropy, but this run has %s",
              option, mlpd_choice_name(mlpd_loss_choices, (int)o->loss));
}

mlpd_status loss_of_options(const mlpd_train_options *o, loss_spec *made) {
  *made = loss_plain(o->loss);
  made->smoothing = (float)o->label_smoothing;
  made->gamma = (float)o->focal_gamma;
  if (made->smoothing > 0 && !is_entropy(o->loss)) return fail_unfit("label-smoothing", o);
  if (made->gamma > 0 && !is_entropy(o->loss)) return fail_unfit("focal-gamma", o);
  if (o->task == MLPD_CLASSIFICATION && loss_needs_values(o->loss))
    return FAIL(MLPD_ERROR_USAGE, "loss %s is for values; use --task regression, or another loss for classes",
                mlpd_choice_name(mlpd_loss_choices, (int)o->loss));
  if (o->loss != MLPD_QUANTILE) return MLPD_OK;
  return loss_read_quantiles("--quantiles", o->quantiles != NULL ? o->quantiles : "0.1,0.5,0.9", made);
}

mlpd_status loss_read_quantiles(const char *where, const char *text, loss_spec *loss) {
  const char *at = text;
  loss->num_quantiles = 0;
  while (true) {
    char *end = NULL;
    const double value = strtod(at, &end);
    const float before = loss->num_quantiles > 0 ? loss->quantiles[loss->num_quantiles - 1] : 0;
    if (end == at || (*end != ',' && *end != '\0') || !((float)value > before && (float)value < 1))
      return FAIL(MLPD_ERROR_USAGE, "%s %.80s: not a list of ascending numbers between 0 and 1, such as 0.1,0.5,0.9",
                  where, text);
    if (loss->num_quantiles == LOSS_MOST_QUANTILES)
      return FAIL(MLPD_ERROR_USAGE, "%s: more than %d quantiles", where, LOSS_MOST_QUANTILES);
    loss->quantiles[loss->num_quantiles++] = (float)value;
    if (*end == '\0') return MLPD_OK;
    at = end + 1;
  }
}

void loss_describe(const loss_spec *loss, char text[LOSS_TEXT_BYTES]) {
  size_t used = (size_t)snprintf(text, LOSS_TEXT_BYTES, "%s", mlpd_choice_name(mlpd_loss_choices, (int)loss->kind));
  if (loss->smoothing > 0)
    used += (size_t)snprintf(text + used, LOSS_TEXT_BYTES - used, ", label smoothing %g", (double)loss->smoothing);
  if (loss->gamma > 0) (void)snprintf(text + used, LOSS_TEXT_BYTES - used, ", focal gamma %g", (double)loss->gamma);
  for (uint32_t q = 0; q < loss->num_quantiles && used < LOSS_TEXT_BYTES; q++)
    used +=
        (size_t)snprintf(text + used, LOSS_TEXT_BYTES - used, "%s%g", q > 0 ? ", " : " ", (double)loss->quantiles[q]);
}
