/* Reports: the result of an evaluation, as tables for people or as JSON for programs. */
#ifndef MLPDIST_PROGRAM_REPORT_H
#define MLPDIST_PROGRAM_REPORT_H

#include "mlpdist.h"

void report_print_text(const mlpd_report *report, const mlpd_model *model, FILE *stream);
void report_print_importance(const mlpd_importance *importance, mlpd_task task, FILE *stream);

/* importance: NULL or one without columns: not printed. */
mlpd_status report_print_json(const mlpd_report *report, const mlpd_importance *importance, const mlpd_model *model,
                              FILE *stream);

#endif
