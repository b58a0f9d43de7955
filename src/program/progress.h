/* Progress: one line at the bottom of a terminal, redrawn at most ten times a second; nothing if standard error is
 * not a terminal. */
#ifndef MLPDIST_PROGRAM_PROGRESS_H
#define MLPDIST_PROGRAM_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct progress {
  bool active;
  double start, last_draw; /* seconds */
  size_t drawn;            /* columns that hold something */
} progress;

void progress_start(progress *bar, bool wanted);

/* `left [=====>    ] 45%  right`, fraction in [0, 1]; on a narrow terminal the bar shrinks or vanishes. */
void progress_draw(progress *bar, double fraction, const char *left, const char *right);

void progress_clear(progress *bar); /* before anything else is written to the terminal */

/* The time that remains at this fraction, "1:02:03" or "0:12", in buffer; "" while it is unknown. */
const char *progress_time_left(const progress *bar, double fraction, char *buffer, size_t bytes);

#endif
