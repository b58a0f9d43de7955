#include "base/foreign_rows.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { LINES_READ = 200, ROWS_LEAST = 2, QUOTED_LEAST = 3 };

/* A line without the blanks around it. */
typedef struct text_line {
  const char *begin, *end;
} text_line;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Reads the next line that is not blank; false at the end of the text. */
static bool take_line(const char **text, text_line *line) {
  do {
    if (**text == '\0') return false;
    line->begin = *text;
    line->end = *text + strcspn(*text, "\n");
    *text = line->end + (*line->end == '\n');
    while (line->end > line->begin && is_blank(line->end[-1])) line->end--;
    while (line->begin < line->end && is_blank(*line->begin)) line->begin++;
  } while (line->begin == line->end);
  return true;
}

static size_t count(const text_line *line, char c) {
  size_t found = 0;
  for (const char *p = line->begin; p < line->end; p++) found += *p == c;
  return found;
}

static bool begins(const text_line *line, const char *word) {
  const size_t length = strlen(word);
  return (size_t)(line->end - line->begin) >= length && strncasecmp(line->begin, word, length) == 0;
}

/* [1, 2, 3], or {1, 2, 3}; or [[1. 2. 3.]: cells in brackets, and no bracket among them. */
static bool is_bracketed(const text_line *line) {
  static const char open[] = "[({", close[] = "])}";
  const char *p = line->begin, *q = line->end;
  while (q > p && (strchr(",;", q[-1]) != NULL || is_blank(q[-1]))) q--;
  if (q - p < 3 || strchr(open, *p) == NULL || strchr(close, q[-1]) == NULL) return false;
  while (p < q && strchr(open, *p) != NULL) p++;
  while (q > p && strchr(close, q[-1]) != NULL) q--;
  size_t delimiters = 0;
  for (; p < q; p++) {
    if (strchr("[](){}", *p) != NULL) return false;
    delimiters += strchr(", \t;", *p) != NULL;
  }
  return delimiters > 0;
}

/* 1 & 2 & 3 \\ */
static bool is_latex(const text_line *line) {
  return count(line, '&') > 0 && line->end - line->begin > 2 && line->end[-1] == '\\' && line->end[-2] == '\\';
}

/* "1,2,""a""": a whole row in quotes. *delimiters: how many the row has. */
static bool is_quoted(const text_line *line, char delimiter, size_t *delimiters) {
  if (line->end - line->begin < 3 || *line->begin != '"' || line->end[-1] != '"') return false;
  *delimiters = 0;
  for (const char *p = line->begin + 1; p < line->end - 1; p++) {
    if (*p == '"' && (p + 1 == line->end - 1 || *++p != '"')) return false; /* a cell in quotes, not the row */
    *delimiters += *p == delimiter;
  }
  return *delimiters > 0;
}

/* a=1.5 b=2, or a=1.5, b=2: a name before each value. *names: their hash. */
static bool is_named(const text_line *line, size_t *names) {
  int values = 0;
  *names = 0;
  for (const char *p = line->begin; p < line->end; values++) {
    const char *const name = p;
    while (p < line->end && (isalnum((unsigned char)*p) || *p == '_' || *p == '-' || *p == '.'))
      *names = *names * 31 + (unsigned char)*p++;
    if (p == name || p == line->end || *p++ != '=') return false;
    const char *const value = p;
    while (p < line->end && strchr(",; \t=", *p) == NULL) p++;
    if (p == value || (p < line->end && *p == '=')) return false;
    while (p < line->end && strchr(",; \t", *p) != NULL) p++;
    *names = *names * 31 + '=';
  }
  return values > 1;
}

static bool all_named(const char *text) {
  text_line line;
  size_t names = 0, first = 0;
  int lines = 0;
  for (; lines < LINES_READ && take_line(&text, &line); lines++) {
    if (*text == '\0' && lines >= QUOTED_LEAST) break; /* may be cut */
    if (!is_named(&line, &names) || (lines > 0 && names != first)) return false;
    first = names;
  }
  return lines >= QUOTED_LEAST;
}

static bool all_quoted(const char *text, char delimiter) {
  text_line line;
  size_t delimiters = 0, first = 0;
  int lines = 0;
  for (; lines < LINES_READ && take_line(&text, &line); lines++) {
    if (*text == '\0' && lines >= QUOTED_LEAST) break; /* may be cut */
    if (!is_quoted(&line, delimiter, &delimiters) || (lines > 0 && delimiters != first)) return false;
    first = delimiters;
  }
  return lines >= QUOTED_LEAST;
}

/* IPAC: \name = value, then names between bars, and perhaps types, units and null values; no bars in the rows. */
static bool is_ipac(const char *text) {
  text_line line;
  int bars = 0;
  while (take_line(&text, &line) && *text != '\0') {
    if (*line.begin == '\\' && bars == 0) continue;
    if (*line.begin != '|') return bars > 0 && bars <= 4 && count(&line, '|') == 0;
    if (line.end[-1] != '|' || count(&line, '|') < 3) return false;
    bars++;
  }
  return false;
}

static const char *const brackets = "remove them: sed 's/[][(){}]//g; s/; *\\r*$//' %F > %B.csv";

/* What all lines tell. */
static const char *describe_all(const char *text, const char **cure) {
  if (all_quoted(text, ',') || all_quoted(text, ';') || all_quoted(text, '\t')) {
    *cure = "remove them: sed 's/^\"//; s/\"\\r*$//; s/\"\"/\"/g' %F > %B.csv";
    return "a table with quotes around each line as a whole";
  }
  if (all_named(text)) {
    *cure =
        "make CSV of its rows: python3 -c \"import csv, re; rows = [dict(c.split('=') for c in re.findall('[^,; "
        "\\t]+', "
        "l.strip())) for l in open('%F')]; w = csv.DictWriter(open('%B.csv', 'w', newline=''), list(rows[0])); "
        "w.writeheader(); w.writerows(r for r in rows if r)\"";
    return "a table with a name before each value";
  }
  if (is_ipac(text)) {
    *cure =
        "make CSV of it: python3 -c \"from astropy.table import Table; Table.read('%F', "
        "format='ascii.ipac').write('%B.csv')\" (needs astropy)";
    return "an IPAC table";
  }
  return NULL;
}

const char *foreign_wrapped_rows(const char *text, const char **cure) {
  const char *at = text;
  text_line line;
  int bracketed = 0, latex = 0, drawn = 0, variables = 0, lines = 0;
  const char *const all = describe_all(text, cure);
  if (all != NULL) return all;
  for (; lines < LINES_READ && take_line(&at, &line); lines++) {
    if (begins(&line, "COPY ") && line.end[-1] == ';') {
      *cure =
          "take its rows: sed -n '/^COPY .*;$/,/^\\\\\\.$/{s/^COPY[^(]*(\\(.*\\)).*;$/\\1/; /^\\\\\\.$/q; p}' %F | sed "
          "'1s/, "
          "/\\t/g' > %B.tsv";
      return "a dump of PostgreSQL";
    }
    if (begins(&line, "INSERT INTO ")) {
      *cure = "make CSV of the rows: sed -n '/^INSERT/I,/;$/p' %F | grep -o '([^()]*)' | tr -d '()' > %B.csv";
      return "a list of SQL statements";
    }
    variables += begins(&line, "VARIABLES") && count(&line, '=') == 1;
    if (variables > 0 && begins(&line, "ZONE ")) {
      *cure = "take its rows: sed -n '/^ *ZONE/,$p' %F | sed '/^ *[A-Za-z]/d' > %B.txt";
      return "a file of Tecplot";
    }
    bracketed += is_bracketed(&line);
    latex += is_latex(&line);
    drawn += begins(&line, "\u2502");
  }
  if (bracketed >= ROWS_LEAST && 2 * bracketed >= lines)
    return *cure = brackets, "a table with brackets around each row";
  if (drawn >= ROWS_LEAST && 2 * drawn >= lines) {
    *cure =
        "make CSV of its rows: grep '^\u2502' %F | sed 's/^\u2502//; s/\u2502$//; s/\u2502/,/g; s/\u2506/,/g' > %B.csv";
    return "a table that is drawn with lines";
  }
  if (latex < ROWS_LEAST || 2 * latex < lines) return NULL;
  *cure = "make CSV of its rows: grep '&' %F | sed 's/ *\\\\\\\\.*//' | tr '&' ',' > %B.csv";
  return "a table of LaTeX";
}
