/* Memory: aligned arrays that start zeroed. Nothing here is collective. */
#ifndef MLPDIST_MEMORY_H
#define MLPDIST_MEMORY_H

#include "base/status.h"

enum { MEMORY_ALIGNMENT = 64 }; /* bytes: a cache line, and an AVX-512 register */

/* Allocates count elements of size bytes, zeroed and 64-byte aligned, at *array (NULL for count 0). what
 * ("activations") is its name in the message of MLPD_ERROR_MEMORY. Free with free(). */
mlpd_status memory_allocate(void *array, size_t count, size_t size, const char *what);

/* The arrays of one owner, one after the other in one block. Its layout is one function that calls memory_place for
 * each of them. It runs dry first, to learn the bytes, and again with the memory: so an estimate and what is allocated
 * cannot differ. A dry run has nowhere to write: memory_place returns NULL, for tables that the layout fills, too. */
typedef struct memory_layout {
  char *memory; /* NULL: a dry run */
  size_t bytes; /* of the arrays so far; SIZE_MAX: more than this machine can address */
} memory_layout;

typedef void memory_lay_out(void *owner, memory_layout *layout);

/* The place of the next array, 64-byte aligned; NULL if it is empty. */
void *memory_place(memory_layout *layout, size_t count, size_t size);

size_t memory_layout_size(memory_lay_out *lay_out, void *owner); /* bytes, by a dry run */

/* Allocates the block at *block, zeroed, and lays out the owner's arrays in it. Free *block with free(). */
mlpd_status memory_allocate_layout(memory_lay_out *lay_out, void *owner, const char *what, char **block);

/* Stores a copy of text at *copy; NULL gives NULL. Free with free(). */
mlpd_status memory_copy_string(const char *text, char **copy);

#endif
