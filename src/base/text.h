/* Untrusted text (names in files, cells, paths) for a terminal or for JSON. Nothing here is collective. */
#ifndef MLPDIST_TEXT_H
#define MLPDIST_TEXT_H

#include "mlpdist.h"

/* In place: control characters and invalid UTF-8 become '?'. */
void text_make_printable(char *text);

#endif
