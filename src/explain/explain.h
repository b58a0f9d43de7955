/* Explain: gradient descent of a small network in numbers. All numbers come out of the library that trains.
 *
 * A lesson is a network with its weights, samples and settings, read from text (explain_read.c says how it looks). The
 * examples are such texts, too. */
#ifndef MLPDIST_EXPLAIN_H
#define MLPDIST_EXPLAIN_H

#include "cli/options.h"

enum {
  EXPLAIN_MAX_LAYERS = 16,
  EXPLAIN_MAX_WIDTH = 1024,
  EXPLAIN_MAX_SAMPLES = 1024,
  EXPLAIN_MAX_SETTINGS = 56,
  EXPLAIN_MAX_MEMBERS = 16
};

typedef enum explain_update { EXPLAIN_UPDATE_ALL, EXPLAIN_UPDATE_WEIGHTS } explain_update;

/* What lines of a lesson and options of the command set. Texts are borrowed. */
typedef struct explain_settings {
  mlpd_train_options train; /* those that have a row; lr is for the gradient summed over the samples */
  uint64_t steps, shown;    /* steps to take, and the one to write out, from 1 */
  uint64_t digits;          /* decimals of a number */
  const char *categories;   /* "3,0,12": of each input of a sample, 0: a number; "": all are numbers */
  int update;               /* an explain_update */
} explain_settings;

explain_settings explain_settings_default(void);

/* Completes explain_setting_rows by the rows of the training options. Call it before their first use. */
void explain_settings_prepare(void);

/* The rows of all settings, of an explain_settings. Only explain_settings_prepare changes them. */
extern option explain_setting_rows[];

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
  explain_list weights[EXPLAIN_MAX_LAYERS]; /* [l] (inputs, outputs), row-major; of members one below the other */
  explain_list biases[EXPLAIN_MAX_LAYERS];  /* [l] (outputs); none: 0 */
  explain_list gains[EXPLAIN_MAX_LAYERS], shifts[EXPLAIN_MAX_LAYERS]; /* of norms, likewise; none: 1 and 0 */
  explain_list scale; /* (values), of separate members a row for each; none: 1 */
  explain_list x, y;  /* (n, inputs), (n, targets) */
  uint64_t n;
  uint32_t inputs, targets;                /* of a sample; after explain_categorize() with one-hot columns */
  option_results texts;                    /* owns what settings borrows */
  int setting_lines[EXPLAIN_MAX_SETTINGS]; /* of each row: from 1, 0: default, -1: the command line; the last is 0 */
  /* By explain_lesson_finish(): */
  uint32_t num_layers, widths[EXPLAIN_MAX_LAYERS + 1]; /* dense layers */
  uint32_t values;                                     /* of a sample, after its inputs were embedded */
  uint32_t *categories; /* (inputs) as for mlpd_network_from_samples(); NULL: all inputs are numbers */
  mlpd_activation activations[EXPLAIN_MAX_LAYERS];
  char activation_names[32 * EXPLAIN_MAX_LAYERS]; /* of hidden layers, "relu,tanh" */
  uint32_t outputs;                               /* of the network: targets, or several for each */
  float *sample_weights;                          /* (n), by class; NULL: 1 each */
  bool drawn;                                     /* the weights are drawn by seed */
} explain_lesson;

/* Reads a lesson from a stream, named name in messages, which say the line. Zero the lesson before; free it after, also
 * after a failure. */
mlpd_status explain_read(FILE *stream, const char *name, explain_lesson *lesson);
void explain_lesson_free(explain_lesson *lesson);

/* Where a setting was given, to begin a message: "mine.txt:3: activation" or "--activation". */
enum { EXPLAIN_PLACE_BYTES = 256 };
const char *explain_setting_place(const explain_lesson *lesson, const char *name, char place[EXPLAIN_PLACE_BYTES]);
int explain_setting_line(const explain_lesson *lesson, const char *name);       /* as in setting_lines */
void explain_setting_given(explain_lesson *lesson, const char *name, int line); /* line as in setting_lines */

/* Settles widths and activations, and checks that everything fits: after the command line has changed the settings.
 * draw: the given weights are dropped. */
mlpd_status explain_lesson_finish(explain_lesson *lesson, bool draw);

/* Reads the setting categories: fills lesson->categories, checks the codes of the samples, and makes columns one-hot
 * that have at most embed-above categories. explain_categories_start prints them for the head of a page. */
mlpd_status explain_categorize(explain_lesson *lesson);
void explain_categories_start(const explain_lesson *lesson, FILE *stream);

/* Fills sample_weights as the setting class-weight says, from targets that are one class a sample. */
mlpd_status explain_weigh(explain_lesson *lesson);

/* Notes on settings that were given but have no effect. */
void explain_note_idle(const explain_lesson *lesson);

/* The text of an example, NULL: none of this name. */
const char *explain_example(const char *name);

/* Members of an ensemble of either kind; 1: the network is none. */
uint32_t explain_members(const explain_lesson *lesson);

/* A step of a lesson: before as it was, after it, and the traces of both. */
typedef struct explain_step {
  mlpd_network *before, *after;
  mlpd_descent *held, *descent;           /* the optimizer before and after the step */
  mlpd_network *mean_before, *mean_after; /* averages of the weights; NULL: none is wanted */
  mlpd_trace trace, trace_after;
  double lr; /* of the step */
} explain_step;

/* Step `number`, from 1, after those before it. MLPD_ERROR_DIVERGED where their cost is no longer finite. Free with
 * explain_step_free, also after a failure. */
mlpd_status explain_step_make(const explain_lesson *lesson, uint64_t number, explain_step *step);
void explain_step_free(explain_step *step);

/* Output j for sample i: the mean over the members. */
double explain_answer(const explain_lesson *lesson, const mlpd_trace *trace, uint64_t i, uint32_t j);

/* The printers: of any lesson, matrix after matrix; of the examples sigmoid (unit after unit) and relu. */
void explain_any(const explain_lesson *lesson, const explain_step *step, FILE *stream);
void explain_sigmoid(const explain_lesson *lesson, const explain_step *step, FILE *stream);
void explain_relu(const explain_lesson *lesson, const explain_step *step, FILE *stream);

/* A table of the cost over the settings' steps, which step goes through. MLPD_ERROR_DIVERGED where the cost is no
 * longer finite. */
mlpd_status explain_steps(const explain_lesson *lesson, explain_step *step, FILE *stream);

#endif
