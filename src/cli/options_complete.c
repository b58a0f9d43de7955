/* Bash completion, made from the option tables. It needs nothing but bash. */
#include <string.h>

#include "cli/command.h"

static void print_commands(const command *commands, FILE *stream) {
  for (const command *c = commands; c->name != NULL; c++)
    (void)fprintf(stream, "%s%s", c == commands ? "" : " ", c->name);
}

/* Options by the kind of their value: none, a file, or a list of words. */
static void print_values(const option_table *table, FILE *stream) {
  const option *row;
  for (size_t i = 0; (row = options_row(table, i)) != NULL; i++) {
    char words[512];
    options_choices(row, " ", words, sizeof words);
    if (strcmp(row->name, "backend") == 0) {
      size_t used = (size_t)snprintf(words, sizeof words, "auto");
      for (const char *const *name = mlpd_backend_names(); *name != NULL && used < sizeof words; name++)
        used += (size_t)snprintf(words + used, sizeof words - used, " %s", *name);
    }
    if (row->type == OPTION_FLAG) continue;
    if (strcmp(row->name, "resume") == 0)
      (void)fprintf(stream, "    '%s --%s') words='auto never' files=yes ;;\n", table->command, row->name);
    else if (words[0] != '\0')
      (void)fprintf(stream, "    '%s --%s') words='%s' ;;\n", table->command, row->name, words);
    else if (row->type == OPTION_PATH)
      (void)fprintf(stream, "    '%s --%s') files=yes ;;\n", table->command, row->name);
    else
      (void)fprintf(stream, "    '%s --%s') ;;\n", table->command, row->name);
  }
}

static void print_options_of(const option_table *table, FILE *stream) {
  const option *row;
  (void)fprintf(stream, "    '%s -'*) words='", table->command);
  for (size_t i = 0; (row = options_row(table, i)) != NULL; i++)
    (void)fprintf(stream, "%s--%s", i == 0 ? "" : " ", row->name);
  (void)fprintf(stream, "' ;;\n");
}

/* The parts of the script, between which words of the tables stand. */
static const char script_begin[] =
    "# Completion of mlpdist for bash, made by: mlpdist help --completion\n"
    "_mlpdist() {\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words='' "
    "files=''\n"
    "  # bash splits --lr=0.1 into three words\n"
    "  if [[ $cur == = ]]; then\n"
    "    cur=''\n"
    "  elif [[ $before == = ]] && ((COMP_CWORD > 2)); then\n"
    "    before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "  fi\n"
    "  COMPREPLY=()\n"
    "  if ((COMP_CWORD == 1)); then\n"
    "    words='"; /* commands */
static const char script_values[] =
    " --help --version'\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "    return\n"
    "  fi\n"
    "  case \"$command $before\" in\n";
static const char script_help[] = "    'help '*) words='"; /* commands */
static const char script_options[] =
    " --man --completion' ;;\n"
    "    *)\n"
    "      case \"$command $cur\" in\n";
static const char script_end[] =
    "        *) files=yes ;;\n"
    "      esac\n"
    "      ;;\n"
    "  esac\n"
    "  if [[ -n $words && $cur == *,* ]]; then\n" /* the last word of a list */
    "    mapfile -t COMPREPLY < <(compgen -P \"${cur%,*},\" -W \"$words\" -- \"${cur##*,}\")\n"
    "  elif [[ -n $words ]]; then\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "  fi\n"
    "  if [[ -n $files ]]; then\n"
    "    compopt -o filenames 2> /dev/null\n"
    "    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "  fi\n"
    "}\n"
    "complete -F _mlpdist mlpdist\n";

void program_print_completion(const command *commands, FILE *stream) {
  (void)fputs(script_begin, stream);
  print_commands(commands, stream);
  (void)fputs(script_values, stream);
  for (const command *c = commands; c->name != NULL; c++) print_values(c->table, stream);
  (void)fputs(script_help, stream);
  print_commands(commands, stream);
  (void)fputs(script_options, stream);
  for (const command *c = commands; c->name != NULL; c++) print_options_of(c->table, stream);
  (void)fputs(script_end, stream);
}
