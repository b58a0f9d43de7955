/* Explain: gradient descent of a small network in numbers. All numbers come out of the library that trains.
 *
 * A lesson is a network with its weights, samples and settings, read from text (explain_read.c says how it looks). The
 * examples are such texts, too. */
#ifndef MLPDIST_PROGRAM_EXPLAIN_H
#define MLPDIST_PROGRAM_EXPLAIN_H

#include "program/options.h"

enum { EXPLAIN_MAX_LAYERS = 16, EXPLAIN_MAX_WIDTH = 1024, EXPLAIN_MAX_SAMPLES = 1024, EXPLAIN_MAX_SETTINGS = 40 };

typedef enum explain_update { EXPLAIN_UPDATE_ALL, EXPLAIN_UPDATE_WEIGHTS } explain_update;

/* What lines of a lesson and options of the command set. Texts are borrowed. */
typedef struct explain_settings {
  mlpd_train_options train; /* those that have a row; lr is for the gradient summed over the samples */
  uint64_t steps, digits;   /* digits: decimals of a number */
  int update;               /* an explain_update */
} explain_settings;

explain_settings explain_settings_default(void);

/* The rows of all settings, of an explain_settings. */
extern const option explain_setting_rows[];
extern const mlpd_choice explain_update_choices[];

/* Numbers of one line or several. */
typedef struct explain_list {
  float *values;
  size_t count, capacity;
  int line; /* where it begins, from 1; 0: not given */
} explain_list;

typedef struct explain_lesson {
  const char *name; /* path or name of the example: begins messages */
  char title[100];
  explain_settings settings;
  explain_list weights[EXPLAIN_MAX_LAYERS]; /* [l] (inputs, outputs), row-major */
  explain_list biases[EXPLAIN_MAX_LAYERS];  /* [l] (outputs); none: 0 */
  explain_list x, y;                        /* (n, inputs), (n, outputs) */
  uint64_t n;
  uint32_t inputs, outputs;                /* of a sample */
  option_results texts;                    /* owns what settings borrows */
  int setting_lines[EXPLAIN_MAX_SETTINGS]; /* of each row: from 1, 0: default, -1: the command line; the last is 0 */
  /* By explain_lesson_finish(): */
  uint32_t num_layers, widths[EXPLAIN_MAX_LAYERS + 1];
  mlpd_activation activations[EXPLAIN_MAX_LAYERS];
  bool drawn; /* the weights are drawn by seed */
} explain_lesson;

/* Reads a lesson from a stream, named name in messages, which say the line. Zero the lesson before; free it after, also
 * after a failure. */
mlpd_status explain_read(FILE *stream, const char *name, explain_lesson *lesson);
void explain_lesson_free(explain_lesson *lesson);

/* Where a setting was given, to begin a message: "mine.txt:3: activation" or "--activation". */
enum { EXPLAIN_PLACE_BYTES = 256 };
const char *explain_setting_place(const explain_lesson *lesson, const char *name, char place[EXPLAIN_PLACE_BYTES]);
void explain_setting_given(explain_lesson *lesson, const char *name, int line); /* line as in setting_lines */

/* Settles widths and activations, and checks that everything fits: after the command line has changed the settings.
 * draw: the given weights are dropped. */
mlpd_status explain_lesson_finish(explain_lesson *lesson, bool draw);

/* The text of an example, NULL: none of this name. */
const char *explain_example(const char *name);

/* One gradient-descent step of a lesson: before as it was, after it, and the traces of both. */
typedef struct explain_step {
  mlpd_network *before, *after;
  mlpd_trace trace, trace_after;
} explain_step;

/* Free with explain_step_free, also after a failure. */
mlpd_status explain_step_make(const explain_lesson *lesson, explain_step *step);
void explain_step_free(explain_step *step);

/* Takes one step: network moves against the gradient of trace. */
void explain_descend(const explain_lesson *lesson, mlpd_network *network, const mlpd_trace *trace);

/* The printers: of any lesson, matrix after matrix; of the examples sigmoid (unit after unit) and relu. */
void explain_any(const explain_lesson *lesson, const explain_step *step, FILE *stream);
void explain_sigmoid(const explain_lesson *lesson, const explain_step *step, FILE *stream);
void explain_relu(const explain_lesson *lesson, const explain_step *step, FILE *stream);

/* A table of the cost over the settings' steps, the first of which is `step`. MLPD_ERROR_DIVERGED where the cost is no
 * longer finite. */
mlpd_status explain_steps(const explain_lesson *lesson, explain_step *step, FILE *stream);

/* What explain_any() says of a dense layer l. */
void explain_dense_start(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream);
void explain_dense_forward(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream);
void explain_dense_backward(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream);
void explain_dense_gradients(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream);
void explain_dense_update(const explain_lesson *lesson, const explain_step *step, uint32_t l, FILE *stream);

/* A matrix (rows, columns), rows `stride` floats apart. */
typedef struct explain_matrix {
  const float *values;
  uint64_t rows;
  uint32_t columns, stride;
} explain_matrix;

/* Prints formula, shape and numbers, 80 columns wide; of a large matrix the first rows and columns. */
void explain_print_matrix(FILE *stream, uint64_t digits, const char *formula, explain_matrix matrix);

/* value with this many decimals, never as -0.000, in buffer. */
const char *explain_number(double value, uint64_t decimals, char buffer[32]);

/* Likewise, but with an exponent where decimals would show next to nothing. */
const char *explain_cost(double value, uint64_t decimals, char buffer[32]);

#endif
