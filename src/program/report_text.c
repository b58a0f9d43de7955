#include <stdlib.h>
#include <string.h>

#include "program/report.h"

enum { MAX_MATRIX_CLASSES = 20, MAX_CONFUSIONS = 20, MAX_NAME = 24, NAME_BYTES = 4 * MAX_NAME + 1 };

static uint64_t count_of(const mlpd_report *report, uint32_t truth, uint32_t predicted) {
  return report->confusion[(size_t)truth * report->outputs + predicted];
}

static uint64_t support_of(const mlpd_report *report, uint32_t truth) {
  uint64_t support = 0;
  for (uint32_t k = 0; k < report->outputs; k++) support += count_of(report, truth, k);
  return support;
}

/* Do the classes have names other than their numbers? */
static bool is_named(const mlpd_report *report, const mlpd_model *model) {
  char number[16];
  for (uint32_t k = 0; k < report->outputs; k++) {
    (void)snprintf(number, sizeof number, "%u", k);
    if (strcmp(number, mlpd_model_class_name(model, k)) != 0) return true;
  }
  return false;
}

/* A name for a terminal, at most MAX_NAME characters; returns their number. */
static int shorten(const char *name, char text[NAME_BYTES]) {
  int characters = 0;
  mlpd_text_printable(name, text, NAME_BYTES);
  for (char *c = text; *c != '\0'; c++) {
    if (((unsigned char)*c & 0xc0) == 0x80) continue; /* goes on with a character of UTF-8 */
    if (characters == MAX_NAME) {
      *c = '\0';
      break;
    }
    characters++;
  }
  return characters;
}

/* printf's %-*s, by characters. */
static void print_name(FILE *stream, int width, const char *name) {
  char text[NAME_BYTES];
  const int characters = shorten(name, text);
  (void)fprintf(stream, "%s%*s", text, width > characters ? width - characters : 0, "");
}

/* Columns that class names need, at least `least`. */
static int name_width(const mlpd_report *report, const mlpd_model *model, int least) {
  int width = least;
  char text[NAME_BYTES];
  for (uint32_t k = 0; k < report->outputs; k++) {
    const int length = shorten(mlpd_model_class_name(model, k), text);
    if (length > width) width = length;
  }
  return width;
}

/* Heading of the means over classes: over how many, if some have no rows. */
static int mean_label(const mlpd_report *report, uint32_t with_rows, char *text, size_t bytes) {
  if (with_rows == report->outputs) return snprintf(text, bytes, "mean of classes");
  return snprintf(text, bytes, "mean of %u of %u classes", with_rows, report->outputs);
}

/* Figures of the classes, each times its weight, added up. */
typedef struct class_means {
  double precision, recall, f1, weight;
} class_means;

static void add_class(const mlpd_report *report, uint32_t k, double weight, class_means *means) {
  means->precision += weight * report->precision[k];
  means->recall += weight * report->recall[k];
  means->f1 += weight * report->f1[k];
  means->weight += weight;
}

static void print_figures(double precision, double recall, double f1, uint64_t rows, FILE *stream) {
  (void)fprintf(stream, "  %9.4f  %6.4f  %6.4f  %8llu\n", precision, recall, f1, (unsigned long long)rows);
}

static void print_means(const mlpd_report *report, int width, const char *label, const class_means *means,
                        FILE *stream) {
  (void)fprintf(stream, "%-*s", width, label);
  print_figures(means->precision / means->weight, means->recall / means->weight, means->f1 / means->weight,
                report->rows, stream);
}

/* Classes without rows have no recall: they are shown, and are left out of the means. */
static void print_classes(const mlpd_report *report, const mlpd_model *model, FILE *stream) {
  char label[64];
  uint32_t with_rows = 0;
  for (uint32_t k = 0; k < report->outputs; k++) with_rows += support_of(report, k) > 0;
  const int width = name_width(report, model, mean_label(report, with_rows, label, sizeof label));
  class_means equal = {0}, by_rows = {0};
  (void)fprintf(stream, "\n%-*s  precision  recall      F1   support\n", width, "class");
  for (uint32_t k = 0; k < report->outputs; k++) {
    const uint64_t support = support_of(report, k);
    print_name(stream, width, mlpd_model_class_name(model, k));
    print_figures(report->precision[k], report->recall[k], report->f1[k], support, stream);
    if (support == 0) continue;
    add_class(report, k, 1, &equal);
    add_class(report, k, (double)support, &by_rows);
  }
  print_means(report, width, label, &equal, stream);
  print_means(report, width, "weighted mean", &by_rows, stream);
}

static void print_matrix_row(const mlpd_report *report, uint32_t truth, int cell, FILE *stream) {
  for (uint32_t k = 0; k < report->outputs; k++) {
    const uint64_t count = count_of(report, truth, k);
    if (count == 0)
      (void)fprintf(stream, "%*s", cell, ".");
    else
      (void)fprintf(stream, "%*llu", cell, (unsigned long long)count);
  }
  (void)fprintf(stream, "\n");
}

static void print_matrix(const mlpd_report *report, const mlpd_model *model, FILE *stream) {
  const bool named = is_named(report, model);
  const int width = named ? name_width(report, model, 4) : 0;
  int cell = 4;
  for (uint32_t k = 0; k < report->outputs; k++) {
    const int digits = snprintf(NULL, 0, "%llu", (unsigned long long)support_of(report, k));
    if (digits + 1 > cell) cell = digits + 1;
  }
  (void)fprintf(stream, "\nconfusion: a row is a true class, a column the class predicted in its stead\n");
  (void)fprintf(stream, "%*s", named ? width + 5 : 3, "");
  for (uint32_t k = 0; k < report->outputs; k++) (void)fprintf(stream, "%*u", cell, k);
  (void)fprintf(stream, "\n");
  for (uint32_t truth = 0; truth < report->outputs; truth++) {
    (void)fprintf(stream, "%3u", truth);
    if (named) (void)fprintf(stream, "  ");
    if (named) print_name(stream, width, mlpd_model_class_name(model, truth));
    print_matrix_row(report, truth, cell, stream);
  }
}

typedef struct confusion {
  uint64_t count;
  uint32_t truth, predicted;
} confusion;

/* Keeps list (at most MAX_CONFUSIONS) sorted by descending count; returns its new length. */
static uint32_t insert(confusion *list, uint32_t length, confusion found) {
  uint32_t at = length;
  while (at > 0 && list[at - 1].count < found.count) at--;
  if (at == MAX_CONFUSIONS) return length;
  const uint32_t kept = length < MAX_CONFUSIONS ? length : MAX_CONFUSIONS - 1;
  memmove(list + at + 1, list + at, (kept - at) * sizeof *list);
  list[at] = found;
  return kept + 1;
}

static void print_confusions(const mlpd_report *report, const mlpd_model *model, FILE *stream) {
  confusion list[MAX_CONFUSIONS];
  uint32_t length = 0;
  for (uint32_t truth = 0; truth < report->outputs; truth++)
    for (uint32_t k = 0; k < report->outputs; k++)
      if (k != truth && count_of(report, truth, k) > 0)
        length = insert(list, length, (confusion){count_of(report, truth, k), truth, k});
  const int width = name_width(report, model, 10);
  (void)fprintf(stream, "\nlargest confusions\n%-*s  %-*s     count  of the class\n", width, "true", width,
                "predicted");
  for (uint32_t i = 0; i < length; i++) {
    print_name(stream, width + 2, mlpd_model_class_name(model, list[i].truth));
    print_name(stream, width + 2, mlpd_model_class_name(model, list[i].predicted));
    (void)fprintf(stream, "%8llu  %11.1f%%\n", (unsigned long long)list[i].count,
                  100 * (double)list[i].count / (double)support_of(report, list[i].truth));
  }
}

static void print_errors(FILE *stream, double rmse, double mae, double r2) {
  (void)fprintf(stream, " %12.6g %12.6g %9.4f\n", rmse, mae, r2);
}

/* Of a prediction that is a distribution: how often targets are below its quantiles. */
static void print_levels(const mlpd_report *report, FILE *stream) {
  if (report->num_levels == 0) return;
  (void)fprintf(stream, "\nquantile   targets at or below\n");
  for (uint32_t q = 0; q < report->num_levels; q++)
    (void)fprintf(stream, "%8.4g   %.4f\n", report->level[q], report->below[q]);
}

static void print_values(const mlpd_report *report, const mlpd_model *model, FILE *stream) {
  char text[NAME_BYTES];
  int width = 8;
  for (uint32_t k = 0; k < report->outputs; k++) {
    const int length = shorten(mlpd_model_target_name(model, k), text);
    if (length > width) width = length;
  }
  (void)fprintf(stream, "\n%-*s %12s %12s %9s\n", width, "output", "RMSE", "MAE", "R2");
  for (uint32_t k = 0; k < report->outputs; k++) {
    print_name(stream, width, mlpd_model_target_name(model, k));
    print_errors(stream, report->rmse[k], report->mae[k], report->r2[k]);
  }
  if (report->outputs > 1) {
    print_name(stream, width, "all");
    print_errors(stream, report->rmse_all, report->mae_all, report->r2_all);
  }
  print_levels(report, stream);
}

void report_print_text(const mlpd_report *report, const mlpd_model *model, FILE *stream) {
  (void)fprintf(stream, "rows      %llu, in %.3g s\n", (unsigned long long)report->rows, report->seconds);
  (void)fprintf(stream, "loss      %.6g (%s)\n", report->loss, report->loss_text);
  if (report->task == MLPD_REGRESSION) {
    print_values(report, model, stream);
    return;
  }
  (void)fprintf(stream, "accuracy  %.4f\n", report->accuracy);
  print_classes(report, model, stream);
  if (report->outputs <= MAX_MATRIX_CLASSES)
    print_matrix(report, model, stream);
  else
    print_confusions(report, model, stream);
}

void report_print_importance(const mlpd_importance *importance, mlpd_task task, FILE *stream) {
  char text[NAME_BYTES];
  int width = 6;
  for (uint32_t i = 0; i < importance->count; i++) {
    const int length = shorten(importance->columns[i].name, text);
    if (length > width) width = length;
  }
  (void)fprintf(stream,
                "\nimportance: how much the error (%s, %.6g) rises when the values of a column are permuted,\n"
                "mean and deviation of %u repeat%s\n",
                task == MLPD_REGRESSION ? "RMSE" : "1 - accuracy", importance->error, importance->repeats,
                importance->repeats == 1 ? "" : "s");
  (void)fprintf(stream, "%-*s %12s %12s\n", width, "column", "rise", "deviation");
  for (uint32_t i = 0; i < importance->count; i++) {
    const mlpd_column_importance *const of = &importance->columns[i];
    print_name(stream, width, of->name);
    (void)fprintf(stream, " %12.6g %12.6g\n", of->mean, of->deviation);
  }
}
