/* Status: how errors travel. A function that fails records the place, what failed, the value and a hint, and returns
 * the status; callers forward it with TRY. Only the program prints. Nothing here is collective. */
#ifndef MLPDIST_STATUS_H
#define MLPDIST_STATUS_H

#include "mlpdist.h"

/* Records a failure of this thread and returns status. format gives one line without a newline. */
mlpd_status status_record(mlpd_status status, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts a formatted text before the message of the last failure ("FILE: " + message), keeps its place, and returns
 * status. */
mlpd_status status_prefix(mlpd_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts `to` in place of the first `from` in the message of the last failure, unless from is "". */
void status_reword(const char *from, const char *to);

/* The last failure of this thread, kept while something else may fail that matters less, such as closing a file. */
typedef struct status_kept {
  char message[1024];
  char place[128];
} status_kept;

void status_keep(status_kept *kept);
void status_put_back(const status_kept *kept);

/* MLPD_ERROR_USAGE where a pointer that a public function must be given is NULL: "mlpd_evaluate: model is NULL". */
mlpd_status status_need(const void *pointer, const char *function, const char *argument);

/* return FAIL(MLPD_ERROR_DATA, "%s: /train/x has no rows", path); */
#define FAIL(status, ...) status_record((status), __FILE__, __LINE__, __VA_ARGS__)

/* Returns from the calling function if expression is not MLPD_OK. */
#define TRY(expression)                             \
  do {                                              \
    const mlpd_status try_status_ = (expression);   \
    if (try_status_ != MLPD_OK) return try_status_; \
  } while (0)

/* The first lines of public functions that are not collective. */
#define NEED(argument) TRY(status_need((argument), __func__, #argument))

/* The same of a path, which may not be empty, either. */
mlpd_status status_need_path(const char *path, const char *function, const char *argument);
#define NEED_PATH(argument) TRY(status_need_path((argument), __func__, #argument))

/* Assigns expression to status and jumps to label if it is not MLPD_OK: for functions that clean up. */
#define TRY_GOTO(status, expression, label) \
  do {                                      \
    (status) = (expression);                \
    if ((status) != MLPD_OK) goto label;    \
  } while (0)

#endif
