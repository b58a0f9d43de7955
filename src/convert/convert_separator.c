#include <string.h>

#include "base/status.h"

mlpd_status mlpd_separator_read(const char *option, const char *text, char *character) {
  NEED(option);
  NEED(character);
  static const struct {
    const char *name;
    char character;
  } names[] = {{"auto", '\0'}, {"comma", ','},       {"semicolon", ';'}, {"tab", '\t'}, {"\\t", '\t'},
               {"blank", ' '}, {"blanks", ' '},      {"space", ' '},     {"pipe", '|'}, {"bar", '|'},
               {"point", '.'}, {"apostrophe", '\''}, {"\u2019", '\''}};
  *character = '\0';
  if (text == NULL) return MLPD_OK;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(text, names[i].name) == 0) return *character = names[i].character, MLPD_OK;
  const bool is_long = strlen(text) > 1 && strpbrk(text, "\\/.[]^$*&'") == NULL;
  if (strlen(text) != 1)
    return FAIL(MLPD_ERROR_USAGE, "%s: \"%s\" must be one character, or comma, semicolon, tab or blank%s%s%s", option,
                text, is_long ? " (sed 's/" : "", is_long ? text : "",
                is_long ? "/\\t/g' FILE > NEW.tsv writes tabs in its place)" : "");
  *character = text[0];
  return MLPD_OK;
}
