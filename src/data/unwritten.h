/* Rows that a file lacks: HDF5 makes room for an array without writing it, so a program that is stopped midway leaves
 * rows that read as the fill value. Nothing here is collective. */
#ifndef MLPDIST_UNWRITTEN_H
#define MLPDIST_UNWRITTEN_H

#include "data/dataset.h"

enum { UNWRITTEN_BYTES = 200 };

/* Describes the parts of an array that were never written: "3 of its 8 chunks (up to 300 of 800 rows) were never
 * written and read as 0". false if nothing is missing. Reads the index of chunks, but no rows. */
bool unwritten_describe(const h5_array *array, char text[UNWRITTEN_BYTES]);

/* Calls note, unless it is NULL, with a line for each array of the part, or of the parts of paths, that lacks rows. */
void unwritten_note(const part *p, void (*note)(void *context, const char *message), void *context);
void unwritten_note_all(h5_file *file, const mlpd_data_paths *paths, void (*note)(void *context, const char *message),
                        void *context);

#endif
