/* Memory: aligned arrays that start zeroed. Nothing here is collective. */
#ifndef MLPDIST_MEMORY_H
#define MLPDIST_MEMORY_H

#include "base/status.h"

enum { MEMORY_ALIGNMENT = 64 }; /* bytes: a cache line, and an AVX-512 register */

/* Allocates count elements of size bytes, zeroed and 64-byte aligned, at *array (NULL for count 0). what
 * ("activations") is its name in the message of MLPD_ERROR_MEMORY. Free with free(). */
mlpd_status memory_allocate(void *array, size_t count, size_t size, const char *what);

/* Stores a copy of text at *copy; NULL gives NULL. Free with free(). */
mlpd_status memory_copy_string(const char *text, char **copy);

#endif
