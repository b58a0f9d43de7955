/* mlpd_trainer: training on rows as a program produces them. What its files share: under_way_make.c makes it,
 * under_way.c steps, under_way_rows.c collects rows, under_way_file.c saves and loads. No function here is collective
 * unless its comment says so. */
#ifndef MLPDIST_UNDER_WAY_H
#define MLPDIST_UNDER_WAY_H

#include "model/model.h"
#include "network/optimizer.h"
#include "step/stepper.h"

/* Counters and what is known of the normalisation; 8 bytes a field, so that it can be hashed and sent as bytes. */
typedef struct under_way_state {
  uint64_t step, seen, filled; /* steps done; rows handed to the buffer; rows in it */
  uint64_t scales_x, scales_y; /* 1: the normalisation is known */
} under_way_state;

/* A row is a record of floats: its features, normalised, then its targets, or its class. */
struct mlpd_trainer {
  mlpd_comm *comm;
  mlpd_train_options options; /* its texts are not to be read after creation */
  mlpd_model *model;          /* network, normalisation, loss */
  const backend *gemm;
  optimizer optimizer;
  lane_plan plan; /* of one batch: each step is an epoch of one step */
  shard rows;     /* of this rank's lanes */
  affine as_is;   /* rows are normalised already */
  stepper *stepper;
  char *mathematics; /* options that decide the weights */
  under_way_state state;
  uint32_t features, targets, record; /* record: floats of a row */
  uint64_t steps_per_epoch, buffer_rows;
  bool classes;
  int threads;
  float *buffer; /* (buffer_rows, record) */
};

/* The rows of all ranks in rank order, normalised: *records (*rows, record) is allocated. The first ones settle the
 * normalisation. least, most: of them. On failure, which is agreed, nothing has changed. Collective. */
mlpd_status under_way_gather(mlpd_trainer *t, const mlpd_rows *x, const mlpd_rows *y, uint64_t least, uint64_t most,
                             float **records, uint64_t *rows);

/* Puts records (rows, record) into the buffer. */
void under_way_keep(mlpd_trainer *t, const float *records, uint64_t rows);

/* The rows of this rank's lanes in a batch: from records (rows, record), or NULL: drawn from the buffer. */
void under_way_deal(mlpd_trainer *t, const float *records, uint64_t rows);

#endif
