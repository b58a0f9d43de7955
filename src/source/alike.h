/* Texts that look the same to a person although their bytes differ. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_ALIKE_H
#define MLPDIST_SOURCE_ALIKE_H

/* The difference between two texts (UTF-8) that look the same or nearly so, for a message: "letter case"; "how an
 * accented letter is encoded", as one character or as two; "a point at the end"; "blanks", their kinds and number or
 * characters that are not drawn. NULL if they are the same, or clearly differ. */
const char *texts_difference(const char *a, const char *b);

#endif
