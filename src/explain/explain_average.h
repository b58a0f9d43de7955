/* Averages of the weights, by ema or swa-start: what a run saves in place of the weights. */
#ifndef MLPDIST_EXPLAIN_AVERAGE_H
#define MLPDIST_EXPLAIN_AVERAGE_H

#include "explain/explain_update.h"

bool explain_has_average(const explain_lesson *lesson);                  /* is one wanted? */
bool explain_average_begun(const explain_lesson *lesson, uint64_t step); /* after this step, from 1 */

/* Formula and rate, for the head of the page; nothing without an average. */
void explain_average_start(const explain_page *page);

/* The average of a tensor before and after the step. */
void explain_average_tensor(const explain_page *page, const explain_updated *t);

#endif
