/* mlpdist convert: files of other formats into the HDF5 schema. */
#include <string.h>

#include "cli/outcome.h"
#include "program/commands.h"
#include "program/convert_inputs.h"
#include "program/progress.h"

typedef enum header { HEADER_AUTO, HEADER_YES, HEADER_NO } header;
static const mlpd_choice header_choices[] = {
    {"auto", HEADER_AUTO, ""}, {"yes", HEADER_YES, ""}, {"no", HEADER_NO, ""}, {NULL, 0, NULL}};

typedef struct convert_arguments {
  mlpd_convert_options convert;
  header header_kind;
  const char *delimiter, *thousands;
  const char *part; /* of --train, --valid and --test, which convert_inputs.c reads; only --help uses this */
  bool quiet, help;
} convert_arguments;

#define AT(member) OPTION_AT(convert_arguments, member)

#define SHARED(name, group, member) OPTION_SHARED(name, group, convert_arguments, member)

static option rows[] = {
    {"help", "general", NULL, OPTION_FLAG, AT(help), .help = "print this help and exit"},
    {"train", "input", "FILE", OPTION_PATH, AT(part),
     .help = "input for the training part, whatever its name; may be repeated, like the next two", .note = "by name"},
    {"valid", "input", "FILE", OPTION_PATH, AT(part), .help = "input for the validation part", .note = "by name"},
    {"test", "input", "FILE", OPTION_PATH, AT(part), .help = "input for the test part", .note = "by name"},
    {"label", "input", "COLUMN", OPTION_TEXT, AT(convert.label),
     .help =
         "target column: its name, or its number (from 0; negative: from the end); or several, as in --ignore; none: "
         "no targets",
     .note = "the last"},
    {SHARED("task", "input", convert.task)},
    {SHARED("class-names", "input", convert.class_names), .note = "from the input"},
    {SHARED("ignore", "table", convert.ignore)},
    {SHARED("columns", "table", convert.columns)},
    {SHARED("categorical", "table", convert.categorical)},
    {"header", "table", "ANSWER", OPTION_CHOICE, AT(header_kind), .help = "whether the CSV begins with column names",
     .choices = header_choices},
    {SHARED("encoding", "table", convert.encoding), .note = "auto"},
    {SHARED("dates", "table", convert.dates), .note = "auto"},
    {SHARED("delimiter", "table", delimiter), .note = "auto"},
    {SHARED("skip-lines", "table", convert.skip_lines), .maximum = 4294967295.0},
    {SHARED("decimal", "table", convert.decimal)},
    {SHARED("thousands", "table", thousands)},
    {SHARED("strip", "table", convert.strip)},
    {SHARED("missing", "table", convert.missing)},
    {SHARED("drop-missing", "table", convert.drop_missing)},
    {"valid-fraction", "output", "FRACTION", OPTION_REAL, AT(convert.valid_fraction),
     .help = "fraction of the rows to draw for validation, if no input is a validation part", .maximum = 0.9},
    {"test-fraction", "output", "FRACTION", OPTION_REAL, AT(convert.test_fraction),
     .help = "fraction of the rows to draw for the test, if no input is a validation or test part", .maximum = 0.9},
    {"seed", "output", "N", OPTION_INTEGER, AT(convert.seed), .help = "seed of the rows drawn for validation and test",
     .maximum = 9007199254740992.0},
    {"compress", "output", "LEVEL", OPTION_INTEGER, AT(convert.compress),
     .help = "level of deflate compression; 0: none", .maximum = 9},
    {"quiet", "output", NULL, OPTION_FLAG, AT(quiet), .help = "do not print the decisions about the input"},
    {.name = NULL},
};

static const option_heading headings[] = {{"ignore", "Table: how CSV is read"}, {NULL, NULL}};

static const void *defaults(void) {
  static convert_arguments arguments;
  mlpd_convert_options_default(&arguments.convert);
  return &arguments;
}

const option_table convert_table = {
    .command = "convert",
    .usage = "INPUT... OUT.h5 [options]",
    .summary =
        "Converts CSV, NPY, NPZ or IDX files (gzipped too) to an HDF5 data set, row by row: a file may be larger than "
        "memory. A word in the name of an input or of its folder (train, valid, val, dev, test, holdout, ...) makes it "
        "the training, validation or test part; the other inputs are read as one table. INPUT - is standard input.",
    .details =
        "Examples\n"
        "  mlpdist convert iris.csv iris.h5 --label species --test-fraction 0.2\n"
        "  mlpdist convert cars.csv cars.h5 --label mpg --ignore name --drop-missing\n"
        "  mlpdist convert jan.csv feb.csv mar.csv year.h5\n"
        "  xzcat big.csv.xz | mlpdist convert - big.h5\n"
        "  mlpdist convert --train jan.csv --train feb.csv --test mar.csv months.h5\n"
        "  mlpdist convert train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz \\\n"
        "    t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz mnist.h5\n",
    .rows = rows,
    .shared = rows,
    .headings = headings,
    .defaults = defaults,
    .min_positionals = 1,
    .max_positionals = -1,
};

typedef struct convert_view {
  progress bar;
  bool quiet;
} convert_view;

static void on_progress(void *context, uint64_t done_bytes, uint64_t total_bytes) {
  progress *bar = &((convert_view *)context)->bar;
  if (!bar->active) return;
  char right[80], time_left[32];
  if (total_bytes == 0) {
    (void)snprintf(right, sizeof right, "%.1f MB", (double)done_bytes * 1e-6);
    progress_draw(bar, 0, "reading a stream", right);
    return;
  }
  const double fraction = (double)done_bytes / (double)total_bytes;
  (void)progress_time_left(bar, fraction, time_left, sizeof time_left);
  (void)snprintf(right, sizeof right, "%.1f of %.1f MB%s%s%s", (double)done_bytes * 1e-6, (double)total_bytes * 1e-6,
                 time_left[0] != '\0' ? "  " : "", time_left, time_left[0] != '\0' ? " left" : "");
  progress_draw(bar, fraction, "converting", right);
}

static void on_decision(void *context, const char *line) {
  static const char note[] = "note: ";
  convert_view *const view = context;
  progress_clear(&view->bar);
  if (strncmp(line, note, strlen(note)) == 0)
    outcome_note(line + strlen(note));
  else if (!view->quiet)
    (void)printf("%s\n", line);
}

/* Otherwise the last of two --label would silently win. */
static mlpd_status refuse_repeated_lists(int argc, char **argv) {
  static const char *const lists[] = {"--label", "--ignore", "--columns", "--missing"};
  for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
    const size_t length = strlen(lists[l]);
    int found = 0;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
      found += strncmp(argv[i], lists[l], length) == 0 && (argv[i][length] == '\0' || argv[i][length] == '=');
    if (found > 1)
      return outcome_fail(MLPD_ERROR_USAGE, "%s is given %d times; give one list: %s A,B", lists[l], found, lists[l]);
  }
  return MLPD_OK;
}

static mlpd_status convert(convert_arguments *arguments) {
  mlpd_convert_options *options = &arguments->convert;
  mlpd_convert_result made = {0};
  convert_view view = {.quiet = arguments->quiet};
  mlpd_status read = mlpd_separator_read("--delimiter", arguments->delimiter, &options->delimiter);
  if (read == MLPD_OK) read = mlpd_separator_read("--thousands", arguments->thousands, &options->thousands);
  if (read != MLPD_OK) return read;
  options->header = mlpd_choice_name(header_choices, (int)arguments->header_kind);
  options->progress = on_progress;
  options->decision = on_decision;
  options->context = &view;
  progress_start(&view.bar, true);
  const mlpd_status status = mlpd_convert(options, &made);
  progress_clear(&view.bar);
  if (status != MLPD_OK) return status;
  (void)printf("%s: %llu train, %llu valid, %llu test rows of %u value%s", options->out,
               (unsigned long long)made.train_rows, (unsigned long long)made.valid_rows,
               (unsigned long long)made.test_rows, made.features, made.features == 1 ? "" : "s");
  if (made.classes > 0) (void)printf(", %u class%s", made.classes, made.classes > 1 ? "es" : "");
  (void)printf("\n");
  return MLPD_OK;
}

int command_convert(int argc, char **argv) {
  convert_arguments arguments = {.header_kind = HEADER_AUTO};
  mlpd_convert_options *const options = &arguments.convert;
  convert_inputs inputs = {0};
  option_results results = {0};
  mlpd_convert_options_default(options);
  if (options_want_help(argc, argv)) return command_print_help(&convert_table);
  mlpd_status status = refuse_repeated_lists(argc, argv);
  if (status == MLPD_OK) status = convert_inputs_take(argc, argv, &inputs);
  if (status == MLPD_OK) status = options_parse(&convert_table, inputs.argc, inputs.argv, &arguments, &results);
  if (status == MLPD_OK) status = convert_inputs_choose(&inputs, results.num_positionals, results.positionals, options);
  if (status == MLPD_OK && options->valid_fraction + options->test_fraction >= 1)
    status = outcome_fail(MLPD_ERROR_USAGE, "--valid-fraction and --test-fraction leave nothing to train on");
  if (status == MLPD_OK && outcome_launcher_rank() <= 0) status = convert(&arguments);
  options_free(&results);
  convert_inputs_free(&inputs);
  return outcome_end(NULL, status);
}
