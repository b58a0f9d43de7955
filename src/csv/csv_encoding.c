#include "csv/csv_encoding.h"

#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ADVISED_MOST = 3, WORD_BYTES = 64, SHOWN_BYTES = 40 };

static bool is_high(char c) { return (unsigned char)c >= 0x80; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_high(c); }

/* Signs that Windows-1252 has, but texts rarely: the florin, daggers, a circumflex alone. */
static bool is_odd(unsigned char c) { return c != 0 && strchr("\x83\x86\x87\x88\x89\x8B\x98\x9B", c) != NULL; }
static bool is_unknown(unsigned char c) { return c != 0 && strchr("\x81\x8D\x8F\x90\x9D", c) != NULL; }

static void add_word(csv_encoding *e, const char *begin, const char *end) {
  const size_t length = (size_t)(end - begin);
  size_t high = 0;
  for (const char *p = begin; p < end; p++) {
    const unsigned char c = (unsigned char)*p;
    high += is_high(*p);
    e->unknown += is_unknown(c);
    e->odd += is_odd(c);
  }
  if (high == 0) return;
  e->high += high;
  if (high == length && length > 1) e->whole += high;
  if (high < length) e->mixed += high;
  if (length >= WORD_BYTES || e->used + length + 1 > sizeof e->text) return;
  memcpy(e->text + e->used, begin, length);
  e->text[e->used + length] = '\n';
  e->used += length + 1;
}

void csv_encoding_add(csv_encoding *e, const char *begin, const char *end) {
  for (const char *p = begin; p < end;) {
    while (p < end && !is_letter(*p)) p++;
    const char *const first = p;
    while (p < end && (is_letter(*p) || (*p >= '@' && is_high(p[-1])))) p++; /* may be the second byte of a character */
    add_word(e, first, p);
  }
}

bool csv_encoding_is_western(const csv_encoding *e) {
  return e->unknown == 0 && e->whole <= e->mixed + 1 && 4 * e->odd <= e->high;
}

/* ---- Likely encodings ------------------------------------------------------------------------------- */

/* Of two bytes a character: the first bytes of frequent characters. Of one: the characters of the script. */
typedef struct candidate {
  const char *name;
  unsigned char lead[2], second[2]; /* ranges of the first byte; {0, 0}: one byte a character */
  uint32_t script[2];
  bool often; /* text in other encodings often fits, too */
} candidate;

static const candidate CANDIDATES[] = {
    {"EUC-KR", {0xB0, 0xC8}, {0, 0}, {0xAC00, 0xD7A3}, false},
    {"GB18030", {0xB0, 0xD7}, {0, 0}, {0x4E00, 0x9FFF}, false},
    {"EUC-JP", {0xB0, 0xCF}, {0xA4, 0xA5}, {0x3040, 0x9FFF}, false},
    {"CP932", {0x87, 0x98}, {0x82, 0x83}, {0x3040, 0x9FFF}, false},
    {"Big5", {0xA4, 0xC6}, {0, 0}, {0x4E00, 0x9FFF}, false},
    {"windows-1251", {0, 0}, {0, 0}, {0x400, 0x4FF}, false},
    {"KOI8-R", {0, 0}, {0, 0}, {0x400, 0x4FF}, false},
    {"windows-1253", {0, 0}, {0, 0}, {0x370, 0x3FF}, false},
    {"windows-1255", {0, 0}, {0, 0}, {0x590, 0x5FF}, true},
    {"windows-1256", {0, 0}, {0, 0}, {0x600, 0x6FF}, true},
    {"windows-1250", {0, 0}, {0, 0}, {0xC0, 0x17F}, true},
    {"TIS-620", {0, 0}, {0, 0}, {0xE01, 0xE5B}, true},
    {"CP437", {0, 0}, {0, 0}, {0xC0, 0x17F}, true},
    {"macintosh", {0, 0}, {0, 0}, {0xC0, 0x17F}, true},
};
enum { NUM_CANDIDATES = sizeof CANDIDATES / sizeof *CANDIDATES };

/* Decodes [begin, end) to UTF-8; false if it is none of that encoding, or longer. */
static bool decode(const char *name, const char *begin, const char *end, char *out, size_t size) {
  char copy[sizeof((csv_encoding *)0)->text], *from = copy, *to = out;
  size_t left = (size_t)(end - begin), room = size - 1;
  memcpy(copy, begin, left);
  const iconv_t state = iconv_open("UTF-8", name);
  if ((intptr_t)state == -1) return false;
  const bool good = iconv(state, &from, &left, &to, &room) != (size_t)-1;
  (void)iconv_close(state);
  *to = '\0';
  return good;
}

/* The next character of UTF-8 that iconv made. */
static uint32_t take_character(const char **p) {
  const unsigned char *const b = (const unsigned char *)*p;
  const int length = b[0] < 0x80 ? 1 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
  uint32_t c = length == 1 ? b[0] : b[0] & (0x7FU >> length);
  for (int i = 1; i < length; i++) c = c << 6 | (b[i] & 0x3FU);
  *p += length;
  return c;
}

/* The share of characters above 127 that are of the script. A capital letter behind a small one counts against it, as
 * KOI8 has them the other way round. */
static double share_of_script(const candidate *c, const char *text) {
  size_t all = 0, good = 0, turned = 0;
  uint32_t before = 0;
  while (*text != '\0') {
    const uint32_t one = take_character(&text);
    all += one >= 0x80;
    good += one >= c->script[0] && one <= c->script[1];
    turned += one >= 0x410 && one < 0x430 && before >= 0x430 && before < 0x450;
    before = one;
  }
  return all == 0 ? 0 : ((double)good - 2 * (double)turned) / (double)all;
}

static bool within(unsigned char byte, const unsigned char range[2]) { return byte >= range[0] && byte <= range[1]; }

/* The share of the characters of two bytes that are frequent. */
static double share_of_leads(const candidate *c, const csv_encoding *e) {
  size_t all = 0, good = 0;
  for (size_t i = 0; i < e->used; i++) {
    const unsigned char byte = (unsigned char)e->text[i];
    if (byte < 0x80) continue;
    all++;
    good += within(byte, c->lead) || (c->second[0] != 0 && within(byte, c->second));
    i++; /* the second byte */
  }
  return all == 0 ? 0 : (double)good / (double)all;
}

/* How likely an encoding is, from 0 to 1. */
static double rate(const candidate *c, const csv_encoding *e) {
  char text[4 * sizeof e->text];
  if (!decode(c->name, e->text, e->text + e->used, text, sizeof text)) return 0;
  const double share = (c->often ? 0.9 : 1) * share_of_script(c, text);
  if (c->lead[0] != 0) return share * share_of_leads(c, e);
  const bool latin = c->script[0] < 0x370; /* words of other scripts have no letters of ASCII among theirs */
  return share * (double)(latin ? e->mixed : e->whole) / (double)e->high;
}

void csv_encoding_advise(const csv_encoding *e, char advice[ENCODING_ADVICE_BYTES]) {
  static const double LIKELY = 0.7;
  double rates[NUM_CANDIDATES];
  const char *const end = memchr(e->text, '\n', e->used);
  size_t used = 0;
  advice[0] = '\0';
  for (int i = 0; i < NUM_CANDIDATES; i++) rates[i] = end != NULL ? rate(&CANDIDATES[i], e) : 0;
  for (int n = 0; n < ADVISED_MOST; n++) {
    char word[4 * WORD_BYTES];
    int best = 0;
    for (int i = 1; i < NUM_CANDIDATES; i++)
      if (rates[i] > rates[best]) best = i;
    if (rates[best] < LIKELY || !decode(CANDIDATES[best].name, e->text, end, word, sizeof word)) return;
    rates[best] = 0;
    const int added = snprintf(advice + used, ENCODING_ADVICE_BYTES - used, "%s--encoding %s if '%s' is right",
                               n > 0 ? ", " : "", CANDIDATES[best].name, word);
    if ((size_t)added >= ENCODING_ADVICE_BYTES - used) return (void)(advice[used] = '\0');
    used += (size_t)added;
  }
}

/* ---- Windows-1252 or a neighbour of it --------------------------------------------------------------- */

static bool has(const csv_encoding *e, const char *bytes) {
  for (const char *b = bytes; *b != '\0'; b++)
    if (memchr(e->text, *b, e->used) != NULL) return true;
  return false;
}

/* Is it a sign that elsewhere is a letter, before a letter? Small letters of those do not stand before a capital one:
 * \xBA C is a temperature. */
static bool is_sign_in_word(const char *p, const char *end) {
  static const char capital[] = "\xA3\xA5\xA6\xAA\xAC\xAF\xBC", small[] = "\xB1\xB3\xB6\xB9\xBA\xBE";
  if (p + 1 >= end) return false;
  return strchr(capital, *p) != NULL || (strchr(small, *p) != NULL && !(p[1] >= 'A' && p[1] <= 'Z'));
}

/* Has the word such a sign, or a letter that is Iceland's alone? Spanish sentences begin with 0xA1 and 0xBF. */
static bool is_strange(const char *begin, const char *end) {
  static const char icelandic[] = "\xD0\xDD\xDE\xF0\xFD\xFE";
  for (const char *p = begin; p < end; p++) {
    if (strchr(icelandic, *p) != NULL || is_sign_in_word(p, end)) return true;
    if (p > begin && p + 1 < end && (*p == '\xA1' || *p == '\xBF')) return true;
  }
  return false;
}

/* Does the encoding read the word as letters, other ones than another encoding? */
static bool reads_other(const char *name, const char *than, const char *begin, const char *end, char *word,
                        size_t size) {
  char usual[4 * WORD_BYTES] = "";
  if (!decode(name, begin, end, word, size)) return false;
  (void)decode(than, begin, end, usual, sizeof usual);
  for (const char *p = word; *p != '\0';) {
    const uint32_t one = take_character(&p);
    if (one >= 0x80 && (one < 0xC0 || one > 0x17F || one == 0xD7 || one == 0xF7)) return false;
  }
  return strcmp(word, usual) != 0;
}

/* The first word that the encoding reads otherwise, of the strange ones if there are any. */
static bool find_other(const csv_encoding *e, const char *name, const char *than, bool strange, char *word,
                       size_t size) {
  for (const char *begin = e->text, *end; begin < e->text + e->used; begin = end + 1) {
    end = memchr(begin, '\n', (size_t)(e->text + e->used - begin));
    if ((!strange || is_strange(begin, end)) && reads_other(name, than, begin, end, word, size)) return true;
  }
  return false;
}

void csv_encoding_doubt(const csv_encoding *e, char advice[ENCODING_ADVICE_BYTES]) {
  static const char *const names[] = {"windows-1250", "ISO-8859-2", "windows-1254", "windows-1257"};
  static const char *const than[] = {"windows-1252", "windows-1250", "windows-1252", "windows-1252"};
  bool strange = false;
  size_t used = 0;
  advice[0] = '\0';
  for (const char *begin = e->text, *end; begin < e->text + e->used && !strange; begin = end + 1) {
    end = memchr(begin, '\n', (size_t)(e->text + e->used - begin));
    strange = is_strange(begin, end);
  }
  const bool czech = has(e, "\xF8\xD8") && has(e, "\xEC\xF2\xF9"), hungarian = has(e, "\xF5\xD5") && has(e, "\xFB\xDB");
  for (size_t i = 0; i < sizeof names / sizeof *names && (strange || czech || hungarian); i++) {
    char word[4 * WORD_BYTES];
    const bool eastern = i < 2;
    if ((!strange && !eastern) || !find_other(e, names[i], than[i], strange, word, sizeof word)) continue;
    const int added = snprintf(advice + used, ENCODING_ADVICE_BYTES - used, "%s--encoding %s if '%s' is right",
                               used > 0 ? ", " : "", names[i], word);
    if ((size_t)added >= ENCODING_ADVICE_BYTES - used) return (void)(advice[used] = '\0');
    used += (size_t)added;
  }
}
