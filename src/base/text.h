/* Untrusted text (names in files, cells, paths) for a terminal or for JSON. Nothing here is collective. */
#ifndef MLPDIST_TEXT_H
#define MLPDIST_TEXT_H

#include "mlpdist.h"

/* In place: control characters and invalid UTF-8 become '?'. */
void text_make_printable(char *text);

/* Does the text end so, as a path in its extension? */
bool text_ends_in(const char *text, const char *end);
bool text_ends_in_any_case(const char *text, const char *end);

#endif
