/* What a graph does with the classes after its probabilities: labels, their names, and both probabilities of two
 * classes, as skl2onnx writes them for scikit-learn's classifiers. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_ONNX_CLASSES_H
#define MLPDIST_IMPORT_ONNX_CLASSES_H

#include "import/import_onnx_build.h"

/* The node is this operator, as it is used there. */
mlpd_status import_arg_max(import_builder *b);
mlpd_status import_feature_extractor(import_builder *b);
mlpd_status import_zip_map(import_builder *b);
mlpd_status import_concat(import_builder *b);
mlpd_status import_reshape(import_builder *b);
mlpd_status import_squeeze(import_builder *b);

/* The graph's output: of two the one that is no label, in the place of labels alone what they are of. */
mlpd_status import_choose_output(import_builder *b, import_value **output);

#endif
