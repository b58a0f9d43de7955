/* What a user should know about the labels that were decided, said through options->decision. Nothing here is
 * collective. */
#ifndef MLPDIST_CONVERT_LABEL_NOTES_H
#define MLPDIST_CONVERT_LABEL_NOTES_H

#include "convert/convert_label.h"

/* Labels that are all the same, classes whose names differ in letter case alone, and whole numbers that doubles round.
 */
void label_set_notes(const mlpd_convert_options *options, const label_set *set);

/* Largest magnitude of whole numbers that doubles tell apart. */
static const double LABEL_EXACT_MOST = 9007199254740992.0;

#endif
