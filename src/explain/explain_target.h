/* Targets of a lesson, smoothed where a setting says so. */
#ifndef MLPDIST_EXPLAIN_TARGET_H
#define MLPDIST_EXPLAIN_TARGET_H

#include "explain/explain_page.h"

const char *explain_target_name(const explain_page *page); /* "Y'" where they are smoothed, else "Y" */
double explain_target_at(const explain_page *page, uint64_t i, uint32_t j);
uint32_t explain_target_choices(const explain_page *page); /* answers that label smoothing spreads over */

#endif
