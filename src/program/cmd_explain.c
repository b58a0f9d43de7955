/* mlpdist explain: gradient descent of a small network in numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "explain/explain.h"
#include "program/commands.h"

typedef enum example { EXAMPLE_SIGMOID, EXAMPLE_RELU, EXAMPLE_XOR, EXAMPLE_MAZUR } example;

static const mlpd_choice example_choices[] = {
    {"sigmoid", EXAMPLE_SIGMOID, "3-2-1, one sample, unit by unit"},
    {"relu", EXAMPLE_RELU, "1-2-2, three samples, matrix by matrix"},
    {"xor", EXAMPLE_XOR, "2-3-1, the four samples of exclusive or, 200 steps"},
    {"mazur", EXAMPLE_MAZUR, "2-2-2, the step-by-step example of Matt Mazur (2015), 10000 steps"},
    {NULL, 0, NULL}};

typedef struct explain_arguments {
  explain_settings settings; /* first: of explain_setting_rows; as the command line leaves those of the lesson */
  example which;
  const char *network;
  bool print_network, help;
} explain_arguments;

#define AT(member) OPTION_AT(explain_arguments, member)

static const option rows[] = {
    {"example", "input", "NAME", OPTION_CHOICE, AT(which), .help = "network to show", .choices = example_choices},
    {"network", "input", "FILE", OPTION_PATH, AT(network),
     .help = "text file of a network to show; \"-\": standard input"},
    {"print-network", "input", NULL, OPTION_FLAG, AT(print_network),
     .help = "print the text of the example, which --network reads, and exit"},
    {"help", "general", NULL, OPTION_FLAG, AT(help), .help = "print this help and exit"},
    {.name = NULL},
};

static const void *defaults(void) {
  static explain_arguments arguments;
  arguments = (explain_arguments){.settings = explain_settings_default(), .which = EXAMPLE_SIGMOID};
  return &arguments;
}

const option_table explain_table = {
    .command = "explain",
    .usage = "[--example NAME | --network FILE] [options]",
    .summary =
        "Shows forward pass, back propagation and gradient descent of a small network: the formulas with "
        "their numbers, computed by the code that trains.",
    .details =
        "The cost is summed over the samples; train takes the mean. delta is dC/dz, from\n"
        "yhat - y; the example sigmoid follows a textbook that takes y - yhat. Defaults\n"
        "hold where neither the example nor FILE gives a value.\n"
        "\n"
        "A network of your own\n"
        "  mlpdist explain --example mazur --print-network > mine.txt\n"
        "  mlpdist explain --network mine.txt --steps 20\n"
        "  mlpdist explain --example xor --hidden 4 --seed 2 --steps 500\n"
        "  mlpdist explain --example sigmoid --norm layer --optimizer adam --show-step 2\n"
        "\n"
        "A line of FILE is an option above without its dashes (lr 0.5), or one of:\n"
        "  title TEXT               heading\n"
        "  weights L NUMBERS        of layer L from 1, also on the lines that follow:\n"
        "                           a row for each input, a column for each output\n"
        "  biases L NUMBERS         one for each output; 0 where they are not given\n"
        "  gain L NUMBERS           of the norm of layer L; 1 where they are not given\n"
        "  shift L NUMBERS          likewise; 0\n"
        "  scale NUMBERS            of each input, with input-scale; 1\n"
        "  sample INPUTS -> TARGETS\n"
        "  # a note\n"
        "If FILE gives no weights, they are drawn by --seed. With members, give the\n"
        "weights of member 1, then those of member 2, and so on.\n",
    .rows = rows,
    .library_rows = explain_setting_rows,
    .defaults = defaults,
};

static bool is_given(const option_results *results, const char *name) {
  for (int i = 0; i < results->num_given; i++)
    if (strcmp(results->given[i]->name, name) == 0) return true;
  return false;
}

/* Options that give weights other shapes, or another seed. */
static bool draws_anew(const option_results *results) {
  static const char *const names[] = {"hidden", "seed", "embed-numbers", "categories", "ensemble", "members"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (is_given(results, names[i])) return true;
  return false;
}

static mlpd_status read_example(const char *name, explain_lesson *lesson) {
  char *const text = strdup(explain_example(name)); /* fmemopen takes no const */
  FILE *const stream = text != NULL ? fmemopen(text, strlen(text), "r") : NULL;
  const mlpd_status status = stream != NULL ? explain_read(stream, name, lesson)
                                            : outcome_fail(MLPD_ERROR_MEMORY, "out of memory, reading an example");
  if (stream != NULL) (void)fclose(stream);
  free(text);
  return status;
}

static mlpd_status read_file(const char *path, explain_lesson *lesson) {
  if (strcmp(path, "-") == 0) return explain_read(stdin, "standard input", lesson);
  FILE *const stream = fopen(path, "r");
  if (stream == NULL) return outcome_fail(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  const mlpd_status status = explain_read(stream, path, lesson);
  (void)fclose(stream);
  return status;
}

/* The lesson's settings, and what of them the command line changes. */
static mlpd_status settle(int argc, char **argv, explain_arguments *arguments, option_results *results,
                          explain_lesson *lesson) {
  options_free(results);
  arguments->settings = lesson->settings;
  const mlpd_status status = options_parse(&explain_table, argc, argv, arguments, results);
  lesson->settings = arguments->settings;
  if (status != MLPD_OK) return status;
  for (int i = 0; i < results->num_given; i++) explain_setting_given(lesson, results->given[i]->name, -1);
  return explain_lesson_finish(lesson, draws_anew(results));
}

static mlpd_status show(const explain_lesson *lesson, const explain_arguments *arguments, bool is_changed) {
  explain_step step;
  mlpd_status status = explain_step_make(lesson, lesson->settings.shown, &step);
  if (status == MLPD_OK) {
    explain_note_idle(lesson);
    if (!is_changed && arguments->network == NULL && arguments->which == EXAMPLE_SIGMOID)
      explain_sigmoid(lesson, &step, stdout);
    else if (!is_changed && arguments->network == NULL && arguments->which == EXAMPLE_RELU)
      explain_relu(lesson, &step, stdout);
    else
      explain_any(lesson, &step, stdout);
    status = explain_steps(lesson, &step, stdout);
  }
  explain_step_free(&step);
  return status;
}

/* The text of an example, whatever else was asked for. */
static mlpd_status print_network(const char *name, const option_results *results) {
  char note[160];
  for (int i = 0; i < results->num_given; i++) {
    const char *const other = results->given[i]->name;
    if (strcmp(other, "example") == 0 || strcmp(other, "print-network") == 0) continue;
    (void)snprintf(note, sizeof note, "--%s does not change what --print-network prints; give it beside --network FILE",
                   other);
    outcome_note(note);
  }
  return fputs(explain_example(name), stdout) >= 0 ? MLPD_OK : MLPD_ERROR_FILE;
}

static mlpd_status explain(int argc, char **argv, explain_arguments *arguments, option_results *results) {
  const char *const name = mlpd_choice_name(example_choices, (int)arguments->which);
  const bool has_example = is_given(results, "example");
  if (arguments->network != NULL && (has_example || arguments->print_network))
    return outcome_fail(MLPD_ERROR_USAGE, "--network and --%s exclude each other",
                        has_example ? "example" : "print-network");
  if (arguments->print_network) return print_network(name, results);
  explain_lesson lesson = {0};
  const bool is_changed = results->num_given > (has_example ? 1 : 0);
  mlpd_status status =
      arguments->network != NULL ? read_file(arguments->network, &lesson) : read_example(name, &lesson);
  if (status == MLPD_OK) status = settle(argc, argv, arguments, results, &lesson);
  if (status == MLPD_OK) status = show(&lesson, arguments, is_changed);
  explain_lesson_free(&lesson);
  return status;
}

int command_explain(int argc, char **argv) {
  explain_arguments arguments = {.settings = explain_settings_default(), .which = EXAMPLE_SIGMOID};
  option_results results = {0};
  if (options_want_help(argc, argv)) return command_print_help(&explain_table);
  mlpd_status status = options_parse(&explain_table, argc, argv, &arguments, &results);
  if (status == MLPD_OK && outcome_launcher_rank() <= 0) status = explain(argc, argv, &arguments, &results);
  options_free(&results);
  return outcome_end(NULL, status);
}
