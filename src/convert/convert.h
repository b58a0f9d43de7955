/* Conversions that the library does itself. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_H
#define MLPDIST_CONVERT_H

#include "base/status.h"

/* mlpd_convert(), and the file remembers what it was made from: text in the attribute CONVERT_ORIGIN of its root, or
 * none where origin is NULL. */
mlpd_status convert_run(const mlpd_convert_options *options, const char *origin, mlpd_convert_result *result);

/* MLPD_ERROR_USAGE for what the options say of reading texts, whatever the files: header, delimiter, decimal sign,
 * separator of thousands, texts to strip or that stand for missing values. */
mlpd_status convert_check_reading(const mlpd_convert_options *options);

#define CONVERT_ORIGIN "origin"

#endif
