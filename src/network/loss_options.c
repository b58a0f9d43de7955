/* From options to a loss with its parameters, and its name in words. */
#include "network/loss.h"

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
  return MLPD_OK;
}

void loss_describe(const loss_spec *loss, char text[LOSS_TEXT_BYTES]) {
  size_t used = (size_t)snprintf(text, LOSS_TEXT_BYTES, "%s", mlpd_choice_name(mlpd_loss_choices, (int)loss->kind));
  if (loss->smoothing > 0)
    used += (size_t)snprintf(text + used, LOSS_TEXT_BYTES - used, ", label smoothing %g", (double)loss->smoothing);
  if (loss->gamma > 0) (void)snprintf(text + used, LOSS_TEXT_BYTES - used, ", focal gamma %g", (double)loss->gamma);
}
