/* What a conversion decides, for the caller of mlpd_convert() to show. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_REPORT_H
#define MLPDIST_CONVERT_REPORT_H

#include "base/status.h"

enum { REPORT_BYTES = 1000 }; /* of a line */

/* Reports a line through options->decision, if there is one. Control characters become '?'. */
void convert_say(const mlpd_convert_options *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to a list in text (REPORT_BYTES): "a, b, c, ...", of at most a few hundred bytes. used: bytes so far. */
void report_list_add(char *text, size_t *used, const char *separator, const char *item);

#endif
