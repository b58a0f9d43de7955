#include "options/name.h"

#include <string.h>

#include "mlpdist.h"

enum { MAX_LENGTH = 63 };

/* ReLU is relu. */
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

size_t name_distance(const char *a, const char *b) {
  const size_t na = strnlen(a, MAX_LENGTH), nb = strnlen(b, MAX_LENGTH);
  size_t row[MAX_LENGTH + 1]; /* row[j]: distance of a[0, i) and b[0, j) */
  for (size_t j = 0; j <= nb; j++) row[j] = j;
  for (size_t i = 1; i <= na; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= nb; j++) {
      const size_t replaced = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
    }
  }
  return row[nb];
}

/* A beginning of the candidate counts as one step away: --learn for --learning, --conf for --config. */
static size_t remoteness(const char *word, const char *candidate) {
  const size_t length = strlen(word);
  const size_t distance = name_distance(word, candidate);
  return length >= 2 && strncmp(word, candidate, length) == 0 ? smaller(distance, 1) : distance;
}

void mlpd_name_offer(const char *word, const char *candidate, const char **best) {
  const size_t length = strlen(word);
  const size_t limit = length <= 2 ? 1 : length <= 6 ? 2 : length / 3;
  const size_t distance = remoteness(word, candidate);
  if (distance > limit || distance >= strlen(candidate)) return;
  if (*best == NULL || distance < remoteness(word, *best)) *best = candidate;
}
