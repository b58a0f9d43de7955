/* Import of Keras: what the files of its layers share. Nothing here is collective. */
#ifndef MLPDIST_IMPORT_KERAS_H
#define MLPDIST_IMPORT_KERAS_H

#include <jansson.h>

#include "h5/h5.h"
#include "import/import.h"

enum { KERAS_OBJECT_BYTES = 600 };

/* Arrays of a layer. */
typedef enum keras_part {
  KERAS_KERNEL,
  KERAS_BIAS,
  KERAS_GAMMA,
  KERAS_BETA,
  KERAS_MOVING_MEAN,
  KERAS_MOVING_VARIANCE,
  KERAS_MEAN,
  KERAS_VARIANCE,
  KERAS_ALPHA,
  KERAS_SCALE,
  KERAS_NUM_PARTS
} keras_part;

enum { KERAS_NUM_KINDS = 6 };

typedef struct keras_reader {
  h5_file *file;
  import_chain *chain;
  int version;                                     /* of Keras: 2 or 3 */
  bool numbered;                                   /* arrays have numbers, in groups named after kinds: of a .keras */
  unsigned counts[KERAS_NUM_KINDS];                /* layers so far of each kind that has arrays */
  const char *layer;                               /* at hand */
  char parts[KERAS_NUM_PARTS][KERAS_OBJECT_BYTES]; /* paths of its arrays; "": it has none */
  uint32_t width;         /* of the rows, 0: not told; then of what waits for the next layer, */
  double *factor, *shift; /* factor o a + shift; owned, NULL: nothing */
} keras_reader;

/* A number of a layer's configuration. */
double keras_number(const json_t *config, const char *key, double usual);

/* Finds the arrays of the layer at hand. Once for each layer that has some. */
mlpd_status keras_find_parts(keras_reader *r, const char *kind, const json_t *config);

/* The shape of a part that the layer must have. */
mlpd_status keras_shape(const keras_reader *r, keras_part part, h5_shape *shape);

/* Values (n) of a part, to be freed; usual where there is none. */
mlpd_status keras_read_vector(const keras_reader *r, keras_part part, uint32_t n, double usual, double **values);

/* The length of a part that the layer must have. */
mlpd_status keras_length(const keras_reader *r, keras_part part, uint32_t *n);

/* Layers of norms and constants; *known: it is one. */
mlpd_status keras_read_norm(keras_reader *r, const char *kind, const json_t *config, bool *known);

/* factor o a + shift (n) of the values so far; takes both over, also after a status that is a failure. */
mlpd_status keras_pass_affine(keras_reader *r, mlpd_status status, uint32_t n, double *factor, double *shift);

/* The activation of this kind of layer; or as an entry "activation" says. */
mlpd_status keras_read_activation(keras_reader *r, const char *kind, const json_t *config);
mlpd_status keras_activate_by(keras_reader *r, const json_t *activation);

/* Reads a model: its layers as JSON, and their arrays in r->file. */
mlpd_status keras_read_model(keras_reader *r, const char *config);

/* What waits becomes part of the dense layer that was just added, or the normalisation if it is the first. */
mlpd_status keras_settle(keras_reader *r);

/* What waits at the end becomes the scaling of the targets. */
mlpd_status keras_finish(keras_reader *r);

#endif
