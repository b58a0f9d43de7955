/* Conversions that the library does itself. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_H
#define MLPDIST_CONVERT_H

#include "data/names.h"

/* What a file that was made remembers: what it was made from, and the decisions. */
typedef struct convert_memory {
  const char *origin;    /* attribute CONVERT_ORIGIN of the root */
  const name_list *said; /* the lines so far: CONVERT_DECISIONS */
} convert_memory;

#define CONVERT_ORIGIN "origin"
#define CONVERT_DECISIONS "/decisions"

/* mlpd_convert(), with a memory or, where that is NULL, without. */
mlpd_status convert_run(const mlpd_convert_options *options, const convert_memory *memory, mlpd_convert_result *result);

/* MLPD_ERROR_USAGE for what the options say of reading texts, whatever the files: header, delimiter, decimal sign,
 * separator of thousands, texts to strip or that stand for missing values. */
mlpd_status convert_check_reading(const mlpd_convert_options *options);

#endif
