/* Ensembles: K networks, the members, that share all layers but the heads (fan_out.c, heads.c), or nothing (a fork, and
 * heads in place of all dense layers: network->members_apart). Training minimises the mean of their losses; members
 * that share nothing learn as if each were alone. A prediction is the mean of their outputs. The functions here also
 * work for a single network, as an ensemble of one member. Nothing here is collective. */
#ifndef MLPDIST_ENSEMBLE_H
#define MLPDIST_ENSEMBLE_H

#include "loss/loss.h"
#include "network/network.h"

/* Adds to *sums the losses of n rows of x from row on, and writes delta of the output layer: the derivative of the mean
 * over the members or, if they share nothing, of each member's own loss. All members have the target of their row. With
 * y->folds (of members that share nothing), the member folds[i] leaves row i out: its loss and delta are 0 there, and
 * those of the other members are members / (members - 1) times as large. Adds row after row, so that
 * ensemble_loss_rows() gives the same bits. */
void ensemble_loss(const mlpd_network *network, const loss_spec *loss, uint64_t row, uint64_t n, const targets *y,
                   workspace *space, loss_sums *sums);

/* The same in parts: the sums of each row, rows (n). */
void ensemble_loss_rows(const mlpd_network *network, const loss_spec *loss, uint64_t row, uint64_t n, const targets *y,
                        workspace *space, loss_sums *rows);

/* output and output_z of n rows: the mean of a over the members, and a z for losses that are computed from it: A(z) =
 * output where A is softmax, sigmoid or exp, else the mean of z. One member: they are its arrays already. */
void ensemble_average(const mlpd_network *network, uint64_t n, workspace *space);

/* output and output_z of n rows become those of one member each: of row i, of the member folds[i], which did not learn
 * from it. Of ensembles alone. */
void ensemble_pick(const mlpd_network *network, uint64_t n, const uint8_t *folds, workspace *space);

#endif
