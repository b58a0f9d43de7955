/* Text of others (names in files, cells, paths) on its way to a terminal or into JSON. Nothing here is collective. */
#ifndef MLPDIST_TEXT_H
#define MLPDIST_TEXT_H

#include "mlpdist.h"

/* In place: control characters, and bytes that are no UTF-8, become '?'. */
void text_make_printable(char *text);

#endif
