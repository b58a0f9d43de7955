/* The two hashes of a model file: digest (of the network) and checksum (of all the rest). Nothing here is collective.
 */
#ifndef MLPDIST_MODEL_HASH_H
#define MLPDIST_MODEL_HASH_H

#include "model/model.h"

typedef struct model_hashes {
  char digest[17], checksum[17];
} model_hashes;

/* As format 2 has them: named values count by their names. */
mlpd_status model_hash(const mlpd_model *model, model_hashes *hashes);

/* As format 1 had them: named values count by the numbers that their enumerations had then. */
mlpd_status model_hash_format_1(const mlpd_model *model, model_hashes *hashes);

#endif
