/* The inputs of convert by the part they are for: --train FILE, --valid FILE and --test FILE, each as often as wanted.
 */
#ifndef MLPDIST_PROGRAM_CONVERT_INPUTS_H
#define MLPDIST_PROGRAM_CONVERT_INPUTS_H

#include "mlpdist.h"

typedef struct convert_inputs {
  int argc; /* the remaining arguments */
  char **argv;
  const char **files; /* (count), borrowed from the arguments */
  mlpd_split *roles;  /* (count) */
  int count;
} convert_inputs;

/* Removes these options from the arguments. Call convert_inputs_free in any case. */
mlpd_status convert_inputs_take(int argc, char **argv, convert_inputs *taken);
void convert_inputs_free(convert_inputs *taken);

/* The inputs and the output of a conversion: those that were taken, or the positional ones. */
mlpd_status convert_inputs_choose(const convert_inputs *taken, int num_positionals, const char **positionals,
                                  mlpd_convert_options *options);

#endif
