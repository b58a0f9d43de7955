/* The parts of mlpd_doctor(). Each measures for about the given seconds and fills its members of the report, which are
 * equal on all ranks. No function here is collective unless its comment says so. */
#ifndef MLPDIST_DOCTOR_H
#define MLPDIST_DOCTOR_H

#include "base/element.h"
#include "doctor/doctor_model.h"
#include "network/network.h"
#include "ranks/placement_check.h"

typedef struct doctor {
  mlpd_comm *comm, *alone; /* all ranks; only this one */
  const mlpd_doctor_options *options;
  mlpd_doctor_report *report;
  int threads;
  uint32_t features, outputs;
  element_type type; /* type of the inputs */
  bool classes;      /* targets are classes */
  const backend *gemm;
  mlpd_network *network;
  placement_view places;
} doctor;

/* Measures how fast the training part is read; finds features, outputs, type and classes of the data. Collective. */
mlpd_status doctor_read(doctor *d, double seconds);

/* Measures peak performance and memory bandwidth; checks that denormals are flushed. Collective. */
mlpd_status doctor_cores(doctor *d, double seconds);

/* Measures each back end on the network's matrix products. Collective. */
mlpd_status doctor_products(doctor *d, double seconds);

/* Measures the canonical sum of vectors of several lengths, and fits a model to the times. Collective. */
mlpd_status doctor_wire(doctor *d, double seconds);

/* Measures steps on these ranks and, for each other number of ranks, the work of its busiest rank; makes the
 * predictions. Collective. */
mlpd_status doctor_steps(doctor *d, const int *ranks, int count, double seconds);

/* Derives the findings from all measurements. */
void doctor_judge(doctor *d);

#endif
