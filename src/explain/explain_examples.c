/* The examples of `mlpdist explain`, as the lessons that --network reads. */
#include <string.h>

#include "explain/explain.h"

/* The textbook case of back propagation (Han and Kamber, Data Mining, chapter on back propagation). */
static const char sigmoid[] =
    "title One step of gradient descent, in numbers\n"
    "hidden 2\n"
    "activation sigmoid\n"
    "output-activation sigmoid\n"
    "lr 0.9\n"
    "weights 1              # a row for each input, a column for each hidden unit\n"
    "   0.2  -0.3\n"
    "   0.4   0.1\n"
    "  -0.5   0.2\n"
    "biases 1  -0.4 0.2\n"
    "weights 2\n"
    "  -0.3\n"
    "  -0.2\n"
    "biases 2   0.1\n"
    "sample 1 0 1 -> 1      # inputs -> targets\n";

/* Chosen so that some units are off: a hidden one for samples 2 and 3, an output for the same. */
static const char relu[] =
    "title One step of gradient descent on three samples, in numbers\n"
    "hidden 2\n"
    "activation relu\n"
    "output-activation relu\n"
    "lr 0.1\n"
    "weights 1  0.6 -0.5    # a row for each input, a column for each hidden unit\n"
    "biases 1   0.1  0.8\n"
    "weights 2\n"
    "  0.5 -0.3\n"
    "  0.2  0.9\n"
    "biases 2   0.1  0.3\n"
    "sample 1 -> 0.6 0.2    # inputs -> targets\n"
    "sample 2 -> 1   0.4\n"
    "sample 3 -> 1.2 0.1\n";

static const char xor_of_two[] =
    "title Exclusive or: what no network without a hidden layer can learn\n"
    "hidden 3\n"
    "activation tanh\n"
    "output-activation sigmoid\n"
    "loss binary-cross-entropy\n"
    "lr 0.5\n"
    "steps 200\n"
    "seed 1                 # no weights are given: they are drawn\n"
    "sample 0 0 -> 0        # inputs -> targets\n"
    "sample 0 1 -> 1\n"
    "sample 1 0 -> 1\n"
    "sample 1 1 -> 0\n";

static const char mazur[] =
    "# Matt Mazur, A Step by Step Backpropagation Example (2015). He computes in double precision and publishes\n"
    "# a total error of 0.298371109 and a new w5 of 0.35891648: the same to the 7 digits that float32 holds.\n"
    "title A step by step backpropagation example (Mazur 2015), in numbers\n"
    "hidden 2\n"
    "activation sigmoid\n"
    "output-activation sigmoid\n"
    "lr 0.5\n"
    "update weights         # he leaves the biases as they are\n"
    "steps 10000\n"
    "digits 7\n"
    "weights 1              # a row for each input, a column for each hidden unit\n"
    "  0.15 0.25            # w1 w3\n"
    "  0.20 0.30            # w2 w4\n"
    "biases 1  0.35 0.35\n"
    "weights 2\n"
    "  0.40 0.50            # w5 w7\n"
    "  0.45 0.55            # w6 w8\n"
    "biases 2  0.60 0.60\n"
    "sample 0.05 0.10 -> 0.01 0.99\n";

const char *explain_example(const char *name) {
  if (strcmp(name, "sigmoid") == 0) return sigmoid;
  if (strcmp(name, "relu") == 0) return relu;
  if (strcmp(name, "xor") == 0) return xor_of_two;
  return strcmp(name, "mazur") == 0 ? mazur : NULL;
}
