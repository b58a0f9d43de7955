/* The model that a run starts from (--init-from, or one in memory) in place of drawn weights: reading it, and the
 * options of the network that are its own unless they were given. */
#ifndef MLPDIST_INIT_FROM_H
#define MLPDIST_INIT_FROM_H

#include "mlpdist.h"
#include "options/option_given.h"

enum { INIT_FROM_DIGEST_BYTES = 34 };

typedef struct init_source {
  mlpd_model *loaded;             /* NULL: there is none, or it is the caller's */
  char *texts[MLPD_MOST_OPTIONS]; /* values of options, which options point to */
} init_source;

/* Reads options->init_from, if it is given, and sets options->init_model. Options of the network that were not
 * given become the model's (option_left_to_model). Free with init_source_free, on failure too. Not collective. */
mlpd_status init_source_open(mlpd_train_options *options, init_source *source);
void init_source_free(init_source *source);

/* Once the weights are taken: frees the model that was read; options no longer name one. Not collective. */
void init_source_free_model(init_source *source, mlpd_train_options *options);

/* Digest and checksum of the model without the options of its training; "" of NULL. Not collective. */
mlpd_status init_source_digest(const mlpd_model *model, char digest[INIT_FROM_DIGEST_BYTES]);

#endif
