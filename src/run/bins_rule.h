/* Does a network with numbers in bins beat one without, or is it chance? Nothing here is collective. */
#ifndef MLPDIST_BINS_RULE_H
#define MLPDIST_BINS_RULE_H

#include "mlpdist.h"

/* The standard error of a validation error: that of a share of the rows for classes, sqrt(e (1 - e) / rows), and that
 * of an RMSE of normal residuals for values, e / sqrt(2 rows). Each row counts once. */
double bins_rule_deviation(mlpd_task task, double error, uint64_t rows);

/* Sets choice->deviation to the standard error of the difference of its two errors, the root of the sum of both squares
 * (as if they were of different rows). True: the error with bins is lower than the one without by more than that.
 * scripts/bench-tables --choose has the same rule. */
bool bins_rule_takes_bins(mlpd_task task, uint64_t rows, mlpd_bins_choice *choice);

#endif
