#include "source/roles.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

typedef struct role_word {
  const char *word;
  role is;
} role_word;

static const role_word words[] = {
    {"train", ROLE_TRAIN},      {"training", ROLE_TRAIN}, {"valid", ROLE_VALID}, {"val", ROLE_VALID},
    {"validation", ROLE_VALID}, {"dev", ROLE_VALID},      {"test", ROLE_TEST},   {"testing", ROLE_TEST},
    {"holdout", ROLE_TEST},     {"eval", ROLE_TEST},      {"t10k", ROLE_TEST},
};

static role look_up(const char *word, size_t length) {
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i].word) == length && strncasecmp(words[i].word, word, length) == 0) return words[i].is;
  return ROLE_UNCLEAR;
}

static bool is_x_or_y(char c) { return strchr("xXyY", c) != NULL; }

/* The role that a word indicates, ignoring digits at its end ("train01") and an x or y at either end ("xtrain"). */
static role role_of_word(const char *word, size_t length) {
  role found = look_up(word, length);
  while (found == ROLE_UNCLEAR && length > 1 && isdigit((unsigned char)word[length - 1]))
    found = look_up(word, --length);
  if (found == ROLE_UNCLEAR && length > 1 && is_x_or_y(*word)) found = look_up(word + 1, length - 1);
  if (found == ROLE_UNCLEAR && length > 1 && is_x_or_y(word[length - 1])) found = look_up(word, length - 1);
  return found;
}

static bool is_in_word(char c) { return isalnum((unsigned char)c) || (unsigned char)c >= 0x80; }

/* Does a word begin at a capital letter within letters: dataTrain, XTest? */
static bool begins_at_capital(const char *at, const char *end) {
  return isupper((unsigned char)at[0]) &&
         (islower((unsigned char)at[-1]) || (is_x_or_y(at[-1]) && at + 1 < end && islower((unsigned char)at[1])));
}

/* The role that the words of a name indicate; unclear if they contradict each other. */
static role role_of_name(const char *name, size_t length) {
  role found = ROLE_UNCLEAR;
  const char *const last = name + length;
  for (const char *begin = name; begin < last;) {
    const char *end = begin;
    while (end < last && is_in_word(*end) && (end == begin || !begins_at_capital(end, last))) end++;
    const role is = role_of_word(begin, (size_t)(end - begin));
    if (is != ROLE_UNCLEAR && found != ROLE_UNCLEAR && is != found) return ROLE_UNCLEAR;
    if (is != ROLE_UNCLEAR) found = is;
    begin = end < last && !is_in_word(*end) ? end + 1 : end;
  }
  return found;
}

role role_by_name(const char *path, size_t shared) {
  static const char devices[] = "/dev/"; /* where the system's dev says nothing: /dev/shm, /dev/fd */
  const char *end = path + strlen(path);
  if (shared < sizeof devices - 1 && strncmp(path, devices, sizeof devices - 1) == 0) shared = sizeof devices - 1;
  while (end > path + shared) { /* the file's own name first, then the folder it is in, and so on */
    const char *begin = end;
    while (begin > path + shared && begin[-1] != '/') begin--;
    const role found = role_of_name(begin, (size_t)(end - begin));
    if (found != ROLE_UNCLEAR) return found;
    end = begin > path + shared ? begin - 1 : begin;
  }
  return ROLE_UNCLEAR;
}

bool roles_name_parts(const char *const *texts, uint32_t count) {
  bool trains = false;
  if (count < 2 || count > ROLES_PARTS_MOST) return false;
  for (uint32_t k = 0; k < count; k++) {
    const role is = role_by_name(texts[k], 0);
    if (is == ROLE_UNCLEAR) return false;
    trains = trains || is == ROLE_TRAIN;
  }
  return trains;
}

size_t roles_shared_folder(const char *const *paths, int count) {
  size_t shared = 0, length = 0;
  for (;; length++) {
    const char c = paths[0][length];
    for (int i = 1; i < count; i++)
      if (paths[i][length] != c) return shared;
    if (c == '\0') return shared;
    if (c == '/') shared = length + 1;
  }
}

static const char *const cure = "name the parts: mlpdist convert --train FILE --valid FILE --test FILE OUT.h5";

mlpd_status roles_settle(const char *const *paths, int count, int per_part, role *roles, bool *all_unclear) {
  int found[3] = {0}, unclear = 0, last = 0;
  for (int i = 0; i < count; i++) {
    if (roles[i] != ROLE_UNCLEAR) {
      found[roles[i]]++;
      continue;
    }
    unclear++;
    last = i;
  }
  *all_unclear = unclear == count;
  if (unclear == 0) return MLPD_OK;
  if (found[ROLE_TRAIN] > 0 && unclear > per_part)
    return FAIL(MLPD_ERROR_USAGE,
                "the names of %d files beside a training file do not say which part they are ('%s' is one); %s",
                unclear, paths[last], cure);
  if (found[ROLE_TRAIN] > 0 && found[ROLE_TEST] > 0)
    return FAIL(MLPD_ERROR_USAGE, "%s: its name does not say which part it is, beside training and test files; %s",
                paths[last], cure);
  for (int i = 0; i < count; i++)
    if (roles[i] == ROLE_UNCLEAR) roles[i] = found[ROLE_TRAIN] > 0 ? ROLE_TEST : ROLE_TRAIN;
  return MLPD_OK;
}
