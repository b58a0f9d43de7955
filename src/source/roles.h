/* Guesses from the names of the input files which part of the data set each is: train, valid or test. Nothing here is
 * collective. */
#ifndef MLPDIST_SOURCE_ROLES_H
#define MLPDIST_SOURCE_ROLES_H

#include "base/status.h"

typedef enum role { ROLE_UNCLEAR = -1, ROLE_TRAIN = MLPD_TRAIN, ROLE_VALID = MLPD_VALID, ROLE_TEST = MLPD_TEST } role;

/* The role that a word in the file's name, or in a folder after the first `shared` bytes of path, indicates: train,
 * training; valid, val, validation, dev; test, holdout, eval, t10k. Words are separated by punctuation, so "latest.csv"
 * indicates nothing. */
role role_by_name(const char *path, size_t shared);

enum { ROLES_PARTS_MOST = 8 }; /* so many folds may have names */

/* Do these texts say to which part each row belongs: train, test, ...? Not if they are more than ROLES_PARTS_MOST. */
bool roles_name_parts(const char *const *texts, uint32_t count);

/* Length in bytes of the leading folders that all paths (count) have in common: they do not distinguish the files. */
size_t roles_shared_folder(const char *const *paths, int count);

/* Settles roles that the names leave unclear. If all are unclear, the files are parts of one table, and are train; a
 * single unclear file beside train files is test, if there is no other test file. MLPD_ERROR_USAGE if the choice is not
 * clear. per_part: number of files that make one table (2: x and y). *all_unclear: no name was clear. */
mlpd_status roles_settle(const char *const *paths, int count, int per_part, role *roles, bool *all_unclear);

#endif
