/* What mlpdist doctor found, for people or for programs. */
#ifndef MLPDIST_PROGRAM_DOCTOR_REPORT_H
#define MLPDIST_PROGRAM_DOCTOR_REPORT_H

#include "mlpdist.h"

/* file: the data set, NULL for none */
void doctor_print_text(const mlpd_doctor_report *report, const char *file, FILE *stream);
mlpd_status doctor_print_json(const mlpd_doctor_report *report, const char *file, FILE *stream);

#endif
