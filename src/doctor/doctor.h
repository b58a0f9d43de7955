/* What the parts of mlpd_doctor() share. Each measures for about the seconds given and fills its members of the
 * report, equal on all ranks. No function here is collective unless its comment says so. */
#ifndef MLPDIST_DOCTOR_H
#define MLPDIST_DOCTOR_H

#include "base/element.h"
#include "doctor/doctor_model.h"
#include "network/network.h"
#include "ranks/placement_check.h"

typedef struct doctor {
  mlpd_comm *comm, *alone; /* all ranks; this one */
  const mlpd_doctor_options *options;
  mlpd_doctor_report *report;
  int threads;
  uint32_t features, outputs;
  element_type type; /* of the inputs */
  bool classes;      /* targets are classes */
  const backend *gemm;
  mlpd_network *network;
  placement_view places;
} doctor;

/* Rate of reading the training part; features, outputs, type and classes of the data. Collective. */
mlpd_status doctor_read(doctor *d, double seconds);

/* Peak, memory bandwidth, denormals. Collective. */
mlpd_status doctor_cores(doctor *d, double seconds);

/* Each back end at the network's products. Collective. */
mlpd_status doctor_products(doctor *d, double seconds);

/* The canonical sum over vectors of several lengths, and the model fitted to it. Collective. */
mlpd_status doctor_wire(doctor *d, double seconds);

/* Steps on these ranks, and on each number of ranks the work of its busiest; the predictions. Collective. */
mlpd_status doctor_steps(doctor *d, const int *ranks, int count, double seconds);

/* The findings, from all the rest. */
void doctor_judge(doctor *d);

#endif
