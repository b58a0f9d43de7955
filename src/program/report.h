/* Reports: the result of an evaluation, as tables for people or as JSON for programs. */
#ifndef MLPDIST_PROGRAM_REPORT_H
#define MLPDIST_PROGRAM_REPORT_H

#include "mlpdist.h"

void report_print_text(const mlpd_report *report, const mlpd_model *model, FILE *stream);
mlpd_status report_print_json(const mlpd_report *report, const mlpd_model *model, FILE *stream);

#endif
