/* Options as text, "key = value" a line. The ranks compare these texts when they start; a resumed run compares its
 * text with the checkpoint's. Nothing here is collective. */
#ifndef MLPDIST_OPTION_TEXT_H
#define MLPDIST_OPTION_TEXT_H

#include "mlpdist.h"

/* Writes the options that decide the weights, those without an effect left out. */
void option_text_weights(const mlpd_train_options *options, FILE *stream);

/* Writes all options that the ranks must have in common. */
void option_text_course(const mlpd_train_options *options, FILE *stream);

enum { OPTION_LINE_BYTES = 128 };

/* Do the options that decide the weights differ between the text of a checkpoint, which another version may have
 * written, and this run's? Compares by name and value: 1e-08 is 1e-8, and a missing key means the default of its
 * version. The lines that differ are copied, cut to the buffers. */
bool option_text_differs(const char *checkpoint, const char *run, char theirs[OPTION_LINE_BYTES],
                         char ours[OPTION_LINE_BYTES]);

/* Does the text of a checkpoint have this value for the key? */
bool option_text_says(const char *checkpoint, const char *key, const char *value);

/* The number that the text of a checkpoint has for a key; otherwise if it has none. */
double option_text_number(const char *checkpoint, const char *key, double otherwise);

#endif
