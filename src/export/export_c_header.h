/* What a model in C offers to a program: the declarations in the .c file and in the header beside it. Nothing here is
 * collective. */
#ifndef MLPDIST_EXPORT_C_HEADER_H
#define MLPDIST_EXPORT_C_HEADER_H

#include "base/file.h"
#include "export/export_c_values.h"

/* Numbers of inputs and outputs, the digest, functions and names, each with its contract. The text is the same in both
 * files, so a compiler that reads both compares them; other digests are macros defined anew, of which it warns. */
void export_c_declarations(const export_c_file *f, const char *digest);

/* The header of net.c is net.h. */
mlpd_status export_c_header_path(const char *path, char header[FILE_PATH_BYTES]);

/* MLPD_ERROR_FILE if something is there that export_c_header() did not write: it is not replaced. An empty file may
 * be. */
mlpd_status export_c_header_check(const char *header);

#endif
