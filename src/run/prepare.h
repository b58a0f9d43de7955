/* Preparation of a run: data opened and read, open choices settled, statistics taken, network made. No function here is
 * collective unless its comment says so. */
#ifndef MLPDIST_PREPARE_H
#define MLPDIST_PREPARE_H

#include "data/dataset.h"
#include "data/labels.h"
#include "data/row_scan.h"
#include "data/stream.h"
#include "lanes/lanes.h"
#include "model/held_out.h"
#include "model/model.h"
#include "run/memory_estimate.h"

typedef struct preparation {
  mlpd_train_options options; /* with batch, lanes, window, loss, task, normalize, output activation settled */
  mlpd_model *model;          /* network with initial weights, normalisation, names */
  lane_plan split;            /* order in which --valid-fraction takes rows; num_lanes 0 where unused */
  lane_plan plan;
  shard train;           /* this rank's lanes; of streamed rows type and features alone */
  h5_file *file;         /* held open for the run, so that its parts share it */
  part source;           /* the training part, open while its rows are streamed */
  lane_plan dealt;       /* of streamed rows: the plan of rows in memory, in whose order statistics are taken */
  row_scan scan;         /* of streamed rows */
  stream *stream;        /* of the training rows, or NULL: they are in memory */
  bool held_out_windows; /* validation and test rows are too many to be held */
  held_out valid;
  loss_spec loss;                               /* the model's, and class weights */
  float *class_weights;                         /* (classes), or NULL */
  class_counts class_rows[3];                   /* rows of each class, by part: of this rank, then of all */
  label_decision labels;                        /* source.map is of it */
  uint64_t file_rows;                           /* of the training part in the file */
  bool whole_targets;                           /* y is of 64-bit whole numbers */
  uint32_t features, inputs, outputs;           /* inputs: of the network, see column_inputs.h */
  uint64_t fingerprint;                         /* of the training rows as dealt to lanes */
  uint64_t valid_fingerprint, test_fingerprint; /* 0: there are none */
  int threads;
  uint64_t memory_before; /* resident bytes of this process before anything of the run was allocated */
  memory_shapes memory;   /* of the data, network left aside */
  memory_estimate expects;
} preparation;

/* notice may be NULL; called on rank 0. Free with preparation_free, on failure too. Collective. */
mlpd_status preparation_create(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                               preparation *p);
void preparation_free(preparation *p);

/* The plan whose positions the training rows are, where validation rows are drawn from the same part; else NULL. */
const lane_plan *preparation_split(const preparation *p);

/* What this rank looks for in rows that are streamed. */
row_scan_wishes preparation_scan(const mlpd_comm *comm, const preparation *p);

/* Does what the run needs fit into memory? Before the rows are read (train is their part, open), and once more when
 * they are (train NULL) and all is known. Streaming, sets p->held_out_windows before. Collective. */
mlpd_status preparation_check_memory(mlpd_comm *comm, const mlpd_train_events *events, preparation *p,
                                     const part *train);

/* Fills p->fingerprint from the rows read. Collective. */
mlpd_status preparation_fingerprint(mlpd_comm *comm, preparation *p);

/* The resolved options that decide the weights, "key = value" a line; *text is allocated. backend is the one
 * taken. */
mlpd_status preparation_mathematics(const preparation *p, const char *backend, char **text);

#endif
