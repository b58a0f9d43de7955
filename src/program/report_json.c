#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "program/report.h"

/* JSON has no NaN and no infinity. */
static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *count(uint64_t value) { return json_integer((json_int_t)value); }

/* Names come from any file, but JSON needs UTF-8. */
static json_t *name_of(const char *name) {
  const size_t bytes = 3 * strlen(name) + 1;
  char *const text = malloc(bytes);
  if (text == NULL) return NULL;
  mlpd_text_utf8(name, text, bytes);
  json_t *const made = json_string(text);
  free(text);
  return made;
}

static json_t *classification(const mlpd_report *report, const mlpd_model *model) {
  json_t *classes = json_array(), *confusion = json_array();
  for (uint32_t k = 0; k < report->outputs; k++) {
    json_t *row = json_array();
    uint64_t support = 0;
    for (uint32_t j = 0; j < report->outputs; j++) {
      const uint64_t cell = report->confusion[(size_t)k * report->outputs + j];
      support += cell;
      (void)json_array_append_new(row, count(cell));
    }
    (void)json_array_append_new(confusion, row);
    json_t *entry = json_object();
    (void)json_object_set_new(entry, "name", name_of(mlpd_model_class_name(model, k)));
    (void)json_object_set_new(entry, "precision", number(report->precision[k]));
    (void)json_object_set_new(entry, "recall", number(report->recall[k]));
    (void)json_object_set_new(entry, "f1", number(report->f1[k]));
    (void)json_object_set_new(entry, "support", count(support));
    (void)json_array_append_new(classes, entry);
  }
  json_t *root = json_object();
  (void)json_object_set_new(root, "accuracy", number(report->accuracy));
  (void)json_object_set_new(root, "classes", classes);
  (void)json_object_set_new(root, "confusion", confusion);
  return root;
}

static json_t *errors(double rmse, double mae, double r2) {
  json_t *entry = json_object();
  (void)json_object_set_new(entry, "rmse", number(rmse));
  (void)json_object_set_new(entry, "mae", number(mae));
  (void)json_object_set_new(entry, "r2", number(r2));
  return entry;
}

static json_t *levels(const mlpd_report *report) {
  json_t *const list = json_array();
  for (uint32_t q = 0; q < report->num_levels; q++) {
    json_t *const entry = json_object();
    (void)json_object_set_new(entry, "quantile", number(report->level[q]));
    (void)json_object_set_new(entry, "below", number(report->below[q]));
    (void)json_array_append_new(list, entry);
  }
  return list;
}

static json_t *regression(const mlpd_report *report, const mlpd_model *model) {
  json_t *root = errors(report->rmse_all, report->mae_all, report->r2_all), *outputs = json_array();
  for (uint32_t k = 0; k < report->outputs; k++) {
    json_t *const entry = errors(report->rmse[k], report->mae[k], report->r2[k]);
    (void)json_object_set_new(entry, "name", name_of(mlpd_model_target_name(model, k)));
    (void)json_array_append_new(outputs, entry);
  }
  (void)json_object_set_new(root, "outputs", outputs);
  if (report->num_levels > 0) (void)json_object_set_new(root, "quantiles", levels(report));
  return root;
}

static json_t *column_importance(const mlpd_column_importance *of, uint32_t repeats) {
  json_t *const entry = json_object(), *const rises = json_array();
  (void)json_object_set_new(entry, "name", name_of(of->name));
  (void)json_object_set_new(entry, "mean", number(of->mean));
  (void)json_object_set_new(entry, "deviation", number(of->deviation));
  for (uint32_t r = 0; r < repeats; r++) (void)json_array_append_new(rises, number(of->rise[r]));
  (void)json_object_set_new(entry, "rises", rises);
  return entry;
}

static json_t *importance_of(const mlpd_importance *importance) {
  json_t *const root = json_object(), *const columns = json_array();
  for (uint32_t i = 0; i < importance->count; i++)
    (void)json_array_append_new(columns, column_importance(&importance->columns[i], importance->repeats));
  (void)json_object_set_new(root, "error", number(importance->error));
  (void)json_object_set_new(root, "repeats", count(importance->repeats));
  (void)json_object_set_new(root, "columns", columns);
  return root;
}

/* The results of jansson's setters, which accept NULL, are ignored; that of writing the text is checked. */
mlpd_status report_print_json(const mlpd_report *report, const mlpd_importance *importance, const mlpd_model *model,
                              FILE *stream) {
  json_t *root = json_object();
  json_t *details = report->task == MLPD_REGRESSION ? regression(report, model) : classification(report, model);
  (void)json_object_set_new(root, "task", json_string(mlpd_choice_name(mlpd_task_choices, (int)report->task)));
  (void)json_object_set_new(root, "rows", count(report->rows));
  (void)json_object_set_new(root, "loss", number(report->loss));
  (void)json_object_set_new(root, "loss_kind",
                            json_string(mlpd_choice_name(mlpd_loss_choices, (int)report->loss_kind)));
  (void)json_object_set_new(root, "loss_text", json_string(report->loss_text));
  (void)json_object_set_new(root, "seconds", number(report->seconds));
  int failed = json_object_update(root, details);
  if (importance != NULL && importance->count > 0)
    (void)json_object_set_new(root, "importance", importance_of(importance));
  if (failed == 0) failed = json_dumpf(root, stream, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
  json_decref(details);
  json_decref(root);
  if (failed != 0) return outcome_fail(MLPD_ERROR_FILE, "the report cannot be written as JSON");
  (void)fprintf(stream, "\n");
  return MLPD_OK;
}
