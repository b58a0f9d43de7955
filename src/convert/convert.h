/* Conversions that the library does itself. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_H
#define MLPDIST_CONVERT_H

#include "data/names.h"
#include "source/spool.h"

/* What is stored in the converted file about its conversion. */
typedef struct convert_memory {
  const char *origin;    /* what it was made from: attribute CONVERT_ORIGIN of the root */
  const name_list *said; /* the decisions so far, as lines: CONVERT_DECISIONS */
} convert_memory;

#define CONVERT_ORIGIN "origin"
#define CONVERT_DECISIONS "/decisions"

/* As mlpd_convert(), but stores *memory in the file, unless memory is NULL. streams: the copies of inputs that are
 * streams; those that it does not hold yet are added. The caller frees it. */
mlpd_status convert_run(const mlpd_convert_options *options, const convert_memory *memory, spools *streams,
                        mlpd_convert_result *result);

/* MLPD_ERROR_USAGE if the options for reading text are invalid, whatever the files: header, delimiter, decimal,
 * thousands, missing, strip. */
mlpd_status convert_check_reading(const mlpd_convert_options *options);

#endif
