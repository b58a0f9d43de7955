/* How the data of a run meets the model that it starts from (--init-from): which of the model's columns, inputs,
 * outputs and targets are those of the new network, and what of its normalisation holds. Columns, categories, targets
 * and classes are matched by name where both sides have names, else by position. Nothing here is collective. */
#ifndef MLPDIST_INIT_MATCH_H
#define MLPDIST_INIT_MATCH_H

#include "model/model.h"

typedef struct init_match {
  uint32_t *columns; /* (features) the model's column */
  bool *known;       /* (features) false: it has another name there, and takes its place */
  uint32_t *inputs;  /* (inputs) the model's input, or NAME_ABSENT: a category or mark that it lacks */
  uint32_t *codes;   /* (rows of the table of embedded columns) the model's row, or NAME_ABSENT; NULL: there are none */
  uint32_t *outputs; /* (outputs) the model's output; NULL: the last layer starts anew */
} init_match;

/* Called with one line for the user. */
typedef void init_note(void *context, const char *message);

/* Matches made, which has names, codes, loss and a network, to from. file: of the data, for messages. MLPD_ERROR_DATA
 * where columns do not fit. Free with init_match_free, on failure too. */
mlpd_status init_match_make(const mlpd_model *from, const mlpd_model *made, uint32_t features, uint32_t inputs,
                            const char *file, init_note *note, void *context, init_match *match);
void init_match_free(init_match *match);

/* Adds to about (columns of the data, made: their names) what from knows and this data may lack: its categories, after
 * the data's own, and missing values. Before codes are made of about. */
mlpd_status init_match_about(const mlpd_model *from, const mlpd_model *made, columns *about);

/* Once rows (all categories of made) are counted: counts each category that from knows as if one more row held it, and
 * marks the columns that from marks, so that the new model knows whatever the old one did. */
mlpd_status init_match_counted(const mlpd_model *from, mlpd_model *made, uint64_t *rows);

/* Embeds those columns of made that from embeds in their places, whatever --embed-above says: layers must fit. */
mlpd_status init_match_embedded(const mlpd_model *from, mlpd_model *made);

/* Copies the weights of from to network, whose tensors have their initial values. MLPD_ERROR_USAGE where layers or
 * shapes do not fit. */
mlpd_status init_match_weights(const mlpd_model *from, const init_match *match, mlpd_network *network, init_note *note,
                               void *context);

/* The model's normalisation of known columns, and its replacements for their missing numbers. */
mlpd_status init_match_input(const mlpd_model *from, const init_match *match, mlpd_model *made);

/* The model's scaling of the targets, if the last layer is the model's. */
void init_match_target(const mlpd_model *from, const init_match *match, mlpd_model *made);

#endif
