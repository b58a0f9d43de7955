#include "program/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { MIN_BAR = 8, MAX_BAR = 40, MAX_LINE = 400 };

static const double redraw_seconds = 0.1;

/* On a monotonic clock, from an arbitrary start. */
static double seconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_start(progress *bar, bool wanted) {
  *bar = (progress){.active = wanted && isatty(STDERR_FILENO) == 1, .start = seconds()};
}

static size_t terminal_columns(void) {
  struct winsize size;
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const size_t columns = known ? size.ws_col : 80;
  return columns < MAX_LINE ? columns : MAX_LINE;
}

/* The bar alone, "[===>   ]", of `inner` columns between its brackets. */
static void make_bar(double fraction, size_t inner, char *text) {
  const size_t full = (size_t)(fraction * (double)inner);
  text[0] = '[';
  for (size_t i = 0; i < inner; i++) text[1 + i] = i < full ? '=' : i == full ? '>' : ' ';
  text[1 + inner] = ']';
  text[2 + inner] = '\0';
}

void progress_draw(progress *bar, double fraction, const char *left, const char *right) {
  if (!bar->active) return;
  const double now = seconds();
  if (now - bar->last_draw < redraw_seconds) return;
  bar->last_draw = now;
  fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
  const size_t room = terminal_columns() - 1; /* a full last column would wrap on some terminals */
  const size_t texts = strlen(left) + strlen(right) + sizeof " [] 100%  " - 1;
  size_t inner = texts < room ? room - texts : 0;
  if (inner > MAX_BAR) inner = MAX_BAR;
  char drawing[MAX_BAR + 4] = "";
  if (inner >= MIN_BAR) make_bar(fraction, inner, drawing);
  char line[MAX_LINE + 1];
  (void)snprintf(line, room + 1, "%s %s %3.0f%%  %s", left, drawing, 100 * fraction, right);
  const size_t length = strlen(line);
  const size_t stale = bar->drawn > length ? bar->drawn - length : 0;
  (void)fprintf(stderr, "\r%s%*s", line, (int)stale, "");
  (void)fflush(stderr);
  bar->drawn = length;
}

void progress_clear(progress *bar) {
  if (!bar->active || bar->drawn == 0) return;
  (void)fprintf(stderr, "\r%*s\r", (int)bar->drawn, "");
  (void)fflush(stderr);
  bar->drawn = 0;
}

const char *progress_time_left(const progress *bar, double fraction, char *buffer, size_t bytes) {
  buffer[0] = '\0';
  const double elapsed = seconds() - bar->start;
  if (fraction <= 0 || elapsed < 0.5) return buffer;
  const double left = elapsed / fraction - elapsed;
  if (left > 1e7) return buffer;
  const int seconds = (int)(left + 0.5);
  if (seconds >= 3600)
    (void)snprintf(buffer, bytes, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  else
    (void)snprintf(buffer, bytes, "%d:%02d", seconds / 60, seconds % 60);
  return buffer;
}
