/* Reports the decisions of a conversion to the caller of mlpd_convert(). Nothing here is collective. */
#ifndef MLPDIST_SOURCE_REPORT_H
#define MLPDIST_SOURCE_REPORT_H

#include "base/status.h"

enum { REPORT_BYTES = 1000 }; /* longest line */

/* Reports a line through options->decision, if it is set. Control characters become '?'. */
void convert_say(const mlpd_convert_options *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends an item to a list in text (REPORT_BYTES): "a, b, c, ...", a few hundred bytes at most. *used: bytes so far.
 */
void report_list_add(char *text, size_t *used, const char *separator, const char *item);

/* A text of a cell, as --missing takes it in a shell: "TEXT" if it has a quote or a comma, or may be cut. */
const char *report_word(const char *text);

#endif
