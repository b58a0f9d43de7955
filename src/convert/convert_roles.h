/* Which part of the data set each input file is: train, valid or test, by its name where that is clear. Nothing here is
 * collective. */
#ifndef MLPDIST_CONVERT_ROLES_H
#define MLPDIST_CONVERT_ROLES_H

#include "base/status.h"

typedef enum role { ROLE_UNCLEAR = -1, ROLE_TRAIN = MLPD_TRAIN, ROLE_VALID = MLPD_VALID, ROLE_TEST = MLPD_TEST } role;

/* The part that the name says, by a word between its punctuation or by a folder below the first `shared` bytes of path:
 * train, training; valid, val, validation, dev; test, holdout, eval, t10k. "latest.csv" says nothing. */
role role_by_name(const char *path, size_t shared);

/* Bytes of the folders that all paths (count) have in common: these tell no file from another. */
size_t roles_shared_folder(const char *const *paths, int count);

/* Settles the roles that names leave unclear: files of unclear roles are train, shards of one table; one beside a train
 * file without a test file is test. MLPD_ERROR_USAGE where that would be a guess. per_part: files that make one table
 * (2: x and y). *all_unclear: nothing was clear. */
mlpd_status roles_settle(const char *const *paths, int count, int per_part, role *roles, bool *all_unclear);

#endif
