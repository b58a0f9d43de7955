/* Notes on the labels for the user, reported through options->decision. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_LABEL_NOTES_H
#define MLPDIST_CONVERT_LABEL_NOTES_H

#include "source/label.h"

/* Reports labels that are all the same, classes whose names differ only in letter case, and whole numbers that are
 * rounded to double. */
void label_set_notes(const mlpd_convert_options *options, const label_set *set);

/* 2^53: up to this magnitude doubles represent all whole numbers exactly. */
static const double LABEL_EXACT_MOST = 9007199254740992.0;

#endif
