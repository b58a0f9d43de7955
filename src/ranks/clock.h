/* Time that passes. Nothing here is collective. */
#ifndef MLPDIST_CLOCK_H
#define MLPDIST_CLOCK_H

/* Seconds on a monotonic clock, from an arbitrary start. */
double clock_seconds(void);

#endif
