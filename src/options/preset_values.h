/* The values of presets, and which options wait for them. Nothing here is collective. */
#ifndef MLPDIST_PRESET_VALUES_H
#define MLPDIST_PRESET_VALUES_H

#include "mlpdist.h"

typedef struct preset_value {
  const char *name, *text;
  mlpd_task task; /* auto: of both */
} preset_value;

enum { PRESET_MOST_VALUES = 48 };

/* The values of the preset, then NULL; of auto, those of tabular, which it may become. An option that another needs
 * stands before it. */
void preset_find_values(const mlpd_train_options *options, const preset_value *values[PRESET_MOST_VALUES]);

/* Is preset auto, and none whatever the data is? A rate means something only with its optimizer and its
 * parametrization, and for weights that start anew. */
bool preset_gives_way(const mlpd_train_options *options);

/* The values that the preset may give this option when the data or its task is known, then NULL. */
void preset_open_values(const mlpd_train_options *options, const char *name, const char *texts[PRESET_MOST_VALUES]);

/* Will the preset decide this option when the data or its task is known? */
bool preset_waits(const mlpd_train_options *options, const char *name);

#endif
