/* Preparation of a run: opens and reads the data, resolves options left to auto, takes statistics, makes the network.
 * No function here is collective unless its comment says so. */
#ifndef MLPDIST_PREPARE_H
#define MLPDIST_PREPARE_H

#include "data/labels.h"
#include "data/row_scan.h"
#include "data/shard.h"
#include "data/stream.h"
#include "lanes/lanes.h"
#include "model/held_out.h"
#include "model/model.h"
#include "prepare/init_from.h"
#include "prepare/init_match.h"
#include "prepare/memory_estimate.h"

typedef struct preparation {
  mlpd_train_options options; /* with batch, lanes, window, loss, task, normalize and output activation resolved */
  mlpd_model *model;          /* network with initial weights, normalisation, names */
  init_match match;           /* with the model of --init-from */
  char init_digest[INIT_FROM_DIGEST_BYTES]; /* of that model; "": weights are drawn */
  bool keeps_scales;                        /* inputs are normalised as that model's were */
  lane_plan split; /* order in which --valid-fraction takes rows, or --folds, all of them; num_lanes is 0 if unused */
  uint8_t *folds;  /* (file_rows): the fold of each row of the training part; NULL without --folds */
  lane_plan plan;
  shard train;           /* rows of this rank's lanes; if they are streamed, only type and features */
  h5_file *file;         /* open during the run; its parts share it */
  part source;           /* the training part, open if its rows are streamed */
  lane_plan dealt;       /* if rows are streamed: the plan of rows in memory, whose order the statistics follow */
  row_scan scan;         /* of streamed rows */
  stream *stream;        /* of the training rows; NULL: they are in memory */
  bool held_out_windows; /* validation and test rows are read in windows: they do not fit into memory */
  held_out valid;
  loss_spec loss;                               /* the model's, and class weights */
  float *class_weights;                         /* (classes), or NULL */
  class_counts class_rows[3];                   /* rows of each class, by part: first of this rank, then of all ranks */
  label_decision labels;                        /* owns source.map */
  uint64_t file_rows;                           /* of the training part in the file */
  bool whole_targets;                           /* y is of 64-bit whole numbers */
  uint32_t features, inputs, outputs;           /* inputs, outputs: of the network; see column_inputs.h */
  uint32_t targets;                             /* columns of y, or classes */
  uint64_t fingerprint;                         /* of the training rows as dealt to lanes */
  uint64_t valid_fingerprint, test_fingerprint; /* 0: there are none */
  int threads;
  uint64_t memory_before; /* resident bytes of this process before anything of the run was allocated */
  memory_shapes memory;   /* of the data, without the network */
  memory_estimate expects;
} preparation;

/* notice may be NULL; called on rank 0. Free with preparation_free, on failure too. Collective. */
mlpd_status preparation_create(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                               preparation *p);
void preparation_free(preparation *p);

/* What this rank's scan of streamed rows is to find. */
row_scan_wishes preparation_scan(const mlpd_comm *comm, const preparation *p);

/* The stream of this rank's training rows of `from`, the training part. */
stream_parts preparation_stream(const mlpd_comm *comm, const preparation *p, part *from);

/* Checks that the run fits into memory: before the rows are read (train: their open part), and again when they have
 * been read (train NULL) and everything is known. With --stream, the first call sets p->held_out_windows. Collective.
 */
mlpd_status preparation_check_memory(mlpd_comm *comm, const mlpd_train_events *events, preparation *p, part *train);

/* Computes p->fingerprint of the rows read. Collective. */
mlpd_status preparation_fingerprint(mlpd_comm *comm, preparation *p);

/* The resolved options that decide the weights, "key = value" a line; *text is allocated. backend: the one in use. */
mlpd_status preparation_mathematics(const preparation *p, const char *backend, char **text);

#endif
