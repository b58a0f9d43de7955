/* Spans of time and angles, which are written in parts. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_SPAN_H
#define MLPDIST_SOURCE_SPAN_H

#include <stdbool.h>

/* Is the text [begin, end) a span of time, and nothing else: 6h 52m, 2 days 09:28:19, PT1H30M, 1:13.45 (minutes),
 * 1:02:03.5? *parts: it is written in several parts of a kind that no time of day is; 1:13 has none, and is then
 * minutes and seconds. */
bool span_parse(const char *begin, const char *end, double *seconds, bool *parts);

/* Is it an angle: 48°51'30"N, 12.5° W, N 48° 51.5'? South and west are negative. 48.51N is one, too. *parts: it has
 * minutes, or a point of the compass. */
bool angle_parse(const char *begin, const char *end, double *degrees, bool *parts);

#endif
