/* The arithmetic of the doctor's predictions: no measuring, no ranks. Nothing here is collective. */
#ifndef MLPDIST_DOCTOR_MODEL_H
#define MLPDIST_DOCTOR_MODEL_H

#include "sum/reduce_cost.h"

/* seconds = messages * latency + bytes * byte */
typedef struct wire_model {
  double latency, byte; /* seconds of a message; of a byte */
} wire_model;

/* The model that fits the measured seconds (n) with least squares of the relative errors, neither member negative.
 * n >= 1. */
wire_model wire_fit(int n, const reduce_cost *costs, const double *seconds);

double wire_seconds(const wire_model *wire, reduce_cost cost);

/* The lanes that lanes becomes on ranks, and those of the rank with most. */
uint32_t doctor_lanes(uint32_t lanes, int ranks);
uint32_t doctor_most_lanes(uint32_t lanes, int ranks);

/* Rows of a step on the rank with most lanes. */
uint64_t doctor_most_rows(uint64_t batch, uint32_t lanes, int ranks);

/* Seconds of a step on the rank with most lanes, sum over ranks left aside. */
typedef struct step_cost {
  double compute, input;
} step_cost;

/* A step on ranks; wire NULL: not known. efficiency is left 0. */
mlpd_prediction doctor_predict(int ranks, uint64_t batch, uint32_t lanes, step_cost busiest, const wire_model *wire,
                               reduce_cost cost);

/* "4,16" as numbers from 1 (at most room); MLPD_ERROR_USAGE names what is wrong */
mlpd_status doctor_parse_ranks(const char *text, int *ranks, int room, int *count);

#endif
