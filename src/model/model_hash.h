/* The two hashes of a model file: digest (of the network) and checksum (of all the rest). Nothing here is collective.
 */
#ifndef MLPDIST_MODEL_HASH_H
#define MLPDIST_MODEL_HASH_H

#include "model/model.h"

typedef struct model_hashes {
  char digest[17], checksum[17];
} model_hashes;

/* The hashes of format 2 and later: enumeration values are hashed by name. */
mlpd_status model_hash(const mlpd_model *model, model_hashes *hashes);

/* The hashes of format 1: enumeration values are hashed by the numbers they had then. */
mlpd_status model_hash_format_1(const mlpd_model *model, model_hashes *hashes);

#endif
