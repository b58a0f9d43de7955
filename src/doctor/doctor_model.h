/* The arithmetic of the doctor's predictions; measures nothing. Nothing here is collective. */
#ifndef MLPDIST_DOCTOR_MODEL_H
#define MLPDIST_DOCTOR_MODEL_H

#include "sum/reduce_cost.h"

/* seconds = messages * latency + bytes * byte */
typedef struct wire_model {
  double latency, byte; /* seconds per message, and per byte */
} wire_model;

/* Fits the model to n >= 1 measured times by least squares of the relative errors; neither member is negative. */
wire_model wire_fit(int n, const reduce_cost *costs, const double *seconds);

double wire_seconds(const wire_model *wire, reduce_cost cost);

/* The number of lanes used on `ranks` ranks if `lanes` are requested, and the lanes of the rank with the most. */
uint32_t doctor_lanes(uint32_t lanes, int ranks);
uint32_t doctor_most_lanes(uint32_t lanes, int ranks);

/* Rows of a step on the rank with the most lanes. */
uint64_t doctor_most_rows(uint64_t batch, uint32_t lanes, int ranks);

/* Seconds of a step on the rank with the most lanes, without the sum over ranks. */
typedef struct step_cost {
  double compute, input;
} step_cost;

/* Predicts a step on `ranks` ranks; wire NULL: the network is not known. Does not set efficiency. */
mlpd_prediction doctor_predict(int ranks, uint64_t batch, uint32_t lanes, step_cost busiest, const wire_model *wire,
                               reduce_cost cost);

/* Parses a list such as "4,16": at most `room` numbers, each at least 1. MLPD_ERROR_USAGE if it is not one. */
mlpd_status doctor_parse_ranks(const char *text, int *ranks, int room, int *count);

#endif
