#include "network/network_options.h"

#include <errno.h>
#include <stdlib.h>

#include "network/layer_kind.h"

enum { MAX_HIDDEN = 1000 };

/* "512,256" as widths; rejects anything but positive integers. */
static mlpd_status parse_hidden(const char *text, uint32_t *widths, uint32_t *count) {
  *count = 0;
  const char *at = text;
  while (*at != '\0') {
    char *end = NULL;
    errno = 0;
    const long width = strtol(at, &end, 10);
    if (end == at || errno != 0 || width < 1 || width > INT32_MAX / 2 || (*end != ',' && *end != '\0') ||
        (*end == ',' && end[1] == '\0'))
      return FAIL(MLPD_ERROR_USAGE, "--hidden: '%s' is not a list of widths such as 512,256", text);
    if (*count == MAX_HIDDEN) return FAIL(MLPD_ERROR_USAGE, "--hidden: more than %d layers", MAX_HIDDEN);
    widths[(*count)++] = (uint32_t)width;
    at = *end == ',' ? end + 1 : end;
  }
  return MLPD_OK;
}

mlpd_status network_of_options(const mlpd_train_options *options, uint32_t inputs, uint32_t outputs, bool shape_alone,
                               mlpd_network **network) {
  uint32_t widths[MAX_HIDDEN], hidden = 0;
  layer_spec specs[MAX_HIDDEN + 1];
  *network = NULL;
  TRY(parse_hidden(options->hidden, widths, &hidden));
  for (uint32_t l = 0; l <= hidden; l++) {
    const mlpd_activation activation = l < hidden ? options->activation : (mlpd_activation)options->output_activation;
    specs[l] = (layer_spec){.kind = &layer_dense,
                            .outputs = l < hidden ? widths[l] : outputs,
                            .activation = activation,
                            .starts_for = activation};
  }
  return network_build(inputs, hidden + 1, specs, shape_alone, network);
}
