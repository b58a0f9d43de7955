/* Figures of classes over a held-out part, to choose the best epoch by. Every row counts once, as in `mlpdist eval`. */
#ifndef MLPDIST_HELD_FIGURE_H
#define MLPDIST_HELD_FIGURE_H

#include "model/held_out.h"

/* MLPD_ERROR_USAGE where the model has no such figure. */
mlpd_status held_figure_check(mlpd_select which, const mlpd_model *model);

/* One pass over the part. *sums: those of held_out_losses(). *figure: MLPD_SELECT_F1: the mean F1 of the classes that
 * have rows. MLPD_SELECT_AUC: the area under the ROC curve of two classes; probabilities whose odds differ by less than
 * 0.4 % are taken for equal. Counts alone are added, so it is the same number on any ranks and threads. Collective. */
mlpd_status held_figure(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                        const loss_spec *loss, int threads, mlpd_select which, loss_sums *sums, double *figure);

#endif
