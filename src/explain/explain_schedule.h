/* How the learning rate changes from step to step. */
#ifndef MLPDIST_EXPLAIN_SCHEDULE_H
#define MLPDIST_EXPLAIN_SCHEDULE_H

#include "explain/explain_page.h"

bool explain_has_schedule(const explain_lesson *lesson); /* the rate changes */

/* The rate of the step, and the formula that it follows, for the head of the page. */
void explain_schedule_start(const explain_page *page);

#endif
