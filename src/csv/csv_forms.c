#include "csv/csv_forms.h"

#include <stddef.h>
#include <string.h>

#include "source/date.h"

enum { SKELETON_BYTES = 32 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Signs beyond ASCII, and what stands for them in a skeleton; s: a digit or minus that is raised. */
static const struct {
  const char *sign;
  char stands;
} SIGNS[] = {{"\u00B1", '~'}, {"\u00D7", 'x'},  {"\u00B7", 'x'},  {"\u2013", '-'}, {"\u2014", '-'}, {"\u2212", '-'},
             {"\u207B", 's'}, {"\u2070", 's'},  {"\u00B9", 's'},  {"\u00B2", 's'}, {"\u00B3", 's'}, {"\u2074", 's'},
             {"\u2075", 's'}, {"\u2076", 's'},  {"\u2077", 's'},  {"\u2078", 's'}, {"\u2079", 's'}, {"\u2020", '*'},
             {"\u2021", '*'}, {"\u2032", '\''}, {"\u2019", '\''}, {"\u2033", '"'}, {"\u201D", '"'}};

static const char *take_sign(const char *p, const char *end, char *stands) {
  *stands = *p;
  for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++) {
    const size_t length = strlen(SIGNS[i].sign);
    if ((size_t)(end - p) < length || memcmp(p, SIGNS[i].sign, length) != 0) continue;
    *stands = SIGNS[i].stands;
    return p + length;
  }
  return p + 1;
}

static const char *after_exponent(const char *p, const char *end) {
  if (p == end || (*p != 'e' && *p != 'E')) return p;
  const char *at = p + 1;
  if (at < end && (*at == '+' || *at == '-')) at++;
  if (at == end || !is_digit(*at)) return p;
  while (at < end && is_digit(*at)) at++;
  return at;
}

/* The text without its blanks, with 0 for each number: "0(0)" of 4.0 (2). false: it is longer. */
static bool make_skeleton(const char *p, const char *end, char skeleton[SKELETON_BYTES]) {
  int used = 0;
  if (p < end && (*p == '-' || *p == '+')) p++;
  while (p < end) {
    if (used + 1 == SKELETON_BYTES) return false;
    if (*p == ' ') {
      p++;
    } else if (is_digit(*p)) {
      while (p < end && is_digit(*p)) p++;
      if (end - p > 1 && *p == '.' && is_digit(p[1]))
        for (p++; p < end && is_digit(*p);) p++;
      p = after_exponent(p, end);
      skeleton[used++] = '0';
    } else {
      p = take_sign(p, end, &skeleton[used]);
      used++;
    }
  }
  skeleton[used] = '\0';
  return used > 0;
}

/* ---- Forms ------------------------------------------------------------------------------------------ */

static bool is_one_of(const char *skeleton, const char *const *list) {
  for (; *list != NULL; list++)
    if (strcmp(skeleton, *list) == 0) return true;
  return false;
}

static bool has_error(const char *s) {
  static const char *const list[] = {"0~0", "0+/-0", "0+-0", NULL};
  return is_one_of(s, list);
}

static bool has_parentheses(const char *s) { return strcmp(s, "0(0)") == 0; }

static bool is_range(const char *s) {
  static const char *const list[] = {"0-0", "0to0", "0..0", "0...0", NULL};
  return is_one_of(s, list);
}

/* temp=23.6, of telegraf and the like */
static bool is_named(const char *s) {
  const char *p = s;
  while (is_letter(*p) || (p > s && *p != '\0' && strchr("0_.-", *p) != NULL)) p++;
  return p > s && (strcmp(p, "=0") == 0 || strcmp(p, "=-0") == 0);
}

static bool has_minus_behind(const char *s) { return strcmp(s, "0-") == 0; }

static bool is_fraction(const char *s) { return strcmp(s, "0/0") == 0 || strcmp(s, "00/0") == 0; }

static bool is_power(const char *s) {
  static const char *const list[] = {"0x0^0",  "0x0^-0",  "0x0^(0)", "0x0^(-0)", "0*0^0", "0*0^-0",
                                     "0*0**0", "0*0**-0", "0*^0",    "0*^-0",    NULL}; /* *^: of Mathematica */
  return is_one_of(s, list) || (strncmp(s, "0x0s", 4) == 0 && strspn(s + 3, "s") == strlen(s + 3));
}

static bool is_feet(const char *s) {
  static const char *const list[] = {"0'0\"",  "0'0\"\"",  "0'0''", "0'0",  "0'",     "0\"", "0''",
                                     "0ft0in", "0ft.0in.", "0ft",   "0''0", "0''0\"", NULL};
  return is_one_of(s, list);
}

/* Feet, inches, or minutes of a match: the same sign in all texts. */
static bool is_primed(const char *s) {
  static const char *const list[] = {"0'", "0\"", "0''", NULL};
  return is_one_of(s, list);
}

/* What Fortran writes for three values 0.5. A size such as 2*4 looks the same. */
static bool is_repeated(const char *s) { return strcmp(s, "0*0") == 0 || strcmp(s, "0*-0") == 0; }

/* Also alone: in a column where some cells have a mark. */
static bool is_marked(const char *s) { return *s == '0' && strspn(s + 1, "*+#?!") == strlen(s + 1); }

static bool is_united(const char *s) {
  if (*s == ':') return strspn(s + 1, "bcdefimnprsuz") == strlen(s + 1); /* a missing value of Eurostat, with flags */
  const char *p = s + (*s == '$');
  if (*p++ != '0') return false;
  while (is_letter(*p) || (unsigned char)*p >= 0x80 || *p == '%' || *p == '/' || *p == '$') p++;
  return *p == '\0';
}

static bool is_several(const char *s) {
  int numbers = 0;
  if (strncmp(s, "POINT", 5) == 0) s += 5; /* of a map: POINT (4.9 52.4) */
  for (const char *p = s; *p != '\0'; p++) {
    if (*p != '0' && strchr(",;:.x[](){}|/_-", *p) == NULL) return false;
    numbers += *p == '0';
  }
  return numbers > 1;
}

/* 12 (34%), 190Nm@ 2000rpm: more than one number, and a sign that no code has. */
static bool has_several(const char *s) {
  int numbers = 0;
  if (*s != '0' || strpbrk(s, "%@(") == NULL) return false;
  for (const char *p = s; *p != '\0'; p++) {
    if (*p != '0' && !is_letter(*p) && (unsigned char)*p < 0x80 && strchr("%@(),;:/.", *p) == NULL) return false;
    numbers += *p == '0';
  }
  return numbers > 1;
}

static bool is_python(const char *s) {
  static const char *const list[] = {"tensor(0)",    "tensor(-0)",    "array(0)",   "array(-0)",
                                     "np.float0(0)", "np.float0(-0)", "np.int0(0)", "np.int0(-0)",
                                     "Decimal('0')", "Decimal('-0')", NULL};
  return is_one_of(s, list);
}

static bool is_complex(const char *s) {
  static const char *const list[] = {"0+0j", "0-0j", "(0+0j)", "(0-0j)", "(-0+0j)", "(-0-0j)", "0+0i", "0-0i", NULL};
  return is_one_of(s, list);
}

typedef struct form {
  bool (*has)(const char *skeleton);
  bool amounts;
  const char *reason;
} form;

const char csv_form_united[] =
    "its texts are numbers, each with another text behind it or none; write all rows in one unit";
static const char several[] = "its texts are several numbers each; write each in a column of its own";

static const form FORMS[] = {
    {has_error, true, "its texts are values and their errors; write each in a column of its own"},
    {is_repeated, true,
     "its texts are two numbers with a *, as Fortran repeats a value (3*0.5 is 0.5, 0.5, 0.5); write each value in a "
     "column of its own"},
    {has_parentheses, false, "its texts are numbers, with others in parentheses; write each in a column of its own"},
    {is_power, true, "its texts are numbers with powers of ten; written as 7.28e3 they are read"},
    {is_primed, true, "its texts are numbers with ' or \" behind them; write the numbers alone"},
    {is_feet, true,
     "its texts are feet and inches; write inches alone: perl -pe 's/\\x22*(\\d+)(?:\\x27+|ft\\.?) "
     "*([\\d.]*)(?:in\\.?|[\\x27\\x22]*)/$1*12+$2/ge' OLD > NEW"},
    {is_named, true, "its texts are numbers with a name before them; --strip with it reads them, as --strip temp="},
    {is_python, true, "its texts are numbers in words of Python; write float(x) of each"},
    {has_minus_behind, false, "its texts are numbers with a minus behind them; written as -30 they are read"},
    {is_complex, false, "its texts are complex numbers; write both parts, each in a column of its own"},
    {is_fraction, false,
     "its texts are two numbers with a slash; write fractions as decimal numbers, days as 2021-03-15, others each in a "
     "column of its own"},
    {is_range, false, "its texts are ranges of numbers; write both ends, each in a column of its own"},
    {is_marked, false,
     "its texts are numbers with marks behind them; write the numbers alone, or use --strip with the marks, such as "
     "'**,*'"},
    {is_united, false, csv_form_united},
    {is_several, false, several},
    {has_several, false, several},
};

/* ---- Units with multiples ---------------------------------------------------------------------------- */

enum { SCALES = 9, MULTIPLES_MOST = 12, PLAIN = 1 };

/* Units of one quantity by their size: the number of a plain number's multiples, of bytes, masses, lengths, ... */
static const struct {
  const char *unit;
  int size;
} SCALED[SCALES][MULTIPLES_MOST] = {{{"", PLAIN},
                                     {"k", 2},
                                     {"K", 2},
                                     {"M", 3},
                                     {"mn", 3},
                                     {"mio", 3},
                                     {"B", 4},
                                     {"G", 4},
                                     {"bn", 4},
                                     {"mrd", 4},
                                     {"T", 5}},
                                    {{"B", 1}, {"kB", 2}, {"KB", 2}, {"MB", 3}, {"GB", 4}, {"TB", 5}},
                                    {{"p", 1}, {"n", 2}, {"u", 3}, {"\u00B5", 3}, {"\u03BC", 3}, {"m", 4}},
                                    {{"mg", 1}, {"g", 2}, {"kg", 3}, {"t", 4}},
                                    {{"mm", 1}, {"cm", 2}, {"m", 3}, {"km", 4}},
                                    {{"ml", 1}, {"cl", 2}, {"l", 3}, {"L", 3}},
                                    {{"ms", 1}, {"s", 2}, {"m", 3}, {"min", 3}, {"h", 4}},
                                    {{"Hz", 1}, {"kHz", 2}, {"MHz", 3}, {"GHz", 4}},
                                    {{"W", 1}, {"kW", 2}, {"MW", 3}}};

/* The size of the unit in the quantity, or 0. */
static int size_of(int quantity, const char *unit, size_t length) {
  for (int i = 0; i < MULTIPLES_MOST && SCALED[quantity][i].unit != NULL; i++)
    if (strlen(SCALED[quantity][i].unit) == length && memcmp(SCALED[quantity][i].unit, unit, length) == 0)
      return SCALED[quantity][i].size;
  return 0;
}

/* Are the texts whole numbers with a capital letter, or without, that occur again and again? Names of houses are 12M,
 * 14B and 7; amounts as 3M and 2B rarely repeat. */
static bool are_names(const category_set *set) {
  enum { ROWS_EACH = 5 };
  for (uint32_t i = 0; i < set->count; i++) {
    const char *const p = set->all[i].text + strspn(set->all[i].text, "0123456789");
    if (p == set->all[i].text || !(*p == '\0' || (*p >= 'A' && *p <= 'Z' && p[1] == '\0'))) return false;
  }
  return set->rows >= ROWS_EACH * (uint64_t)set->count;
}

/* The length of the sign of a currency in front of a skeleton, or 0. */
static size_t currency_length(const char *skeleton) {
  size_t length = 0;
  while (skeleton[length] == '$' || (unsigned char)skeleton[length] >= 0x80) length++;
  return length;
}

/* Numbers in different multiples of one unit, as 201k and 1.5M, or 8 GB and 512 MB, also behind a currency: the order
 * of the texts is not that of the amounts. Of units of one letter, two must follow one another: sizes of shoes are 8M
 * and 8W, of clothes 12M and 2T, and cards 10h and 2s. */
static bool differ_in_scale(const category_set *set) {
  char skeleton[SKELETON_BYTES];
  if (are_names(set)) return false;
  for (int q = 0; q < SCALES; q++) {
    unsigned sizes = 0;
    bool all = true, longer = false;
    for (uint32_t i = 0; i < set->count && all; i++) {
      const category *const one = &set->all[i];
      all = make_skeleton(one->text, one->text + one->length, skeleton);
      const char *const amount = skeleton + (all ? currency_length(skeleton) : 0);
      all = all && *amount == '0';
      const int size = all ? size_of(q, amount + 1, strlen(amount + 1)) : 0;
      all = size > 0;
      sizes |= 1U << size;
      longer = longer || (all && strlen(amount) > 2);
    }
    const bool several = (sizes & (sizes - 1)) != 0, follow = (sizes & (sizes >> 1)) != 0;
    if (all && several && (longer || follow)) return true;
  }
  return false;
}

/* The length of a prefix of SI, as of mA, or 0. */
static size_t prefix_length(const char *unit) {
  static const char *const prefixes[] = {"p", "n", "u", "\u00B5", "\u03BC", "m", "k", "M", "G"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    const size_t length = strlen(prefixes[i]);
    if (strncmp(unit, prefixes[i], length) == 0 && unit[length] != '\0') return length;
  }
  return 0;
}

/* Numbers in one unit with different prefixes, as 5 mA and 20 uA. */
static bool differ_in_prefix(const category_set *set) {
  char unit[CSV_UNIT_BYTES], first[CSV_UNIT_BYTES];
  bool differ = false;
  for (uint32_t i = 0; i < set->count; i++) {
    const csv_cell cell = {.begin = set->all[i].text, .end = set->all[i].text + set->all[i].length};
    if (!csv_cell_unit(&cell, i == 0 ? first : unit)) return false;
    if (i == 0 || strcmp(first, unit) == 0) continue;
    const size_t length = prefix_length(unit), before = prefix_length(first);
    const bool same = strcmp(unit + length, first + before) == 0 || strcmp(unit, first + before) == 0 ||
                      strcmp(unit + length, first) == 0;
    if (!same) return false;
    differ = true;
  }
  return differ;
}

/* ---- Texts without digits of ASCII ------------------------------------------------------------------- */

/* Also with a fraction and an exponent of two, as %a of C prints them: -0x1.8p-2 */
static bool is_hexadecimal(const category *one) {
  const char *const p = one->text + (one->text[0] == '-' || one->text[0] == '+');
  if (p[0] != '0' || (p[1] != 'x' && p[1] != 'X') || p[2] == '\0') return false;
  const size_t digits = strspn(p + 2, "0123456789abcdefABCDEF.");
  const char *end = p + 2 + digits;
  if (*end == 'p' || *end == 'P') end += 1 + strspn(end + 1, "+-0123456789");
  return digits > 0 && *end == '\0';
}

/* Arabic, Persian, Devanagari and full-width digits. */
static bool has_other_digits(const category *one) {
  bool any = false;
  const char *p = one->text, *const end = one->text + one->length;
  while (p < end) {
    const unsigned char a = (unsigned char)p[0], b = end - p > 1 ? (unsigned char)p[1] : 0,
                        c = end - p > 2 ? (unsigned char)p[2] : 0;
    const bool arabic = a == 0xD9 && ((b >= 0xA0 && b <= 0xA9) || b == 0xAB || b == 0xAC);
    const bool persian = a == 0xDB && b >= 0xB0 && b <= 0xB9;
    const bool devanagari = a == 0xE0 && b == 0xA5 && c >= 0xA6 && c <= 0xAF;
    const bool wide = a == 0xEF && b == 0xBC && (c >= 0x8E && c <= 0x99);
    if (!arabic && !persian && !devanagari && !wide && strchr(".,-+", *p) == NULL) return false;
    any = any || arabic || persian || devanagari || wide;
    p += arabic || persian ? 2 : devanagari || wide ? 3 : 1;
  }
  return any;
}

/* Numbers alone with signs between them, in a text that is longer than a skeleton: an embedding, the pixels of an
 * image.
 */
static bool is_long_list(const category *one) {
  return one->length >= SKELETON_BYTES && strspn(one->text, "0123456789+-.eE,;:|[](){} ") == one->length &&
         strpbrk(one->text, ",;:| ") != NULL;
}

static bool all_are(const category_set *set, bool (*is)(const category *one)) {
  for (uint32_t i = 0; i < set->count; i++)
    if (!is(&set->all[i])) return false;
  return set->count > 0;
}

const char *csv_form_of(const category_set *set, bool *amounts) {
  bool fits[sizeof FORMS / sizeof *FORMS];
  char skeleton[SKELETON_BYTES];
  memset(fits, 1, sizeof fits);
  *amounts = true;
  if (all_are(set, has_other_digits)) return "its texts are numbers in digits of another script; write 0 to 9";
  if (differ_in_scale(set) || differ_in_prefix(set))
    return "its texts are numbers in units that differ; write all rows in one unit";
  *amounts = false;
  if (all_are(set, is_long_list)) return several;
  if (all_are(set, is_hexadecimal)) return "its texts are hexadecimal numbers; written as decimal ones they are read";
  for (uint32_t i = 0; i < set->count; i++) {
    const category *const one = &set->all[i];
    const bool made = make_skeleton(one->text, one->text + one->length, skeleton);
    for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS; k++) fits[k] = fits[k] && made && FORMS[k].has(skeleton);
  }
  for (size_t k = 0; k < sizeof FORMS / sizeof *FORMS && set->count > 0; k++)
    if (fits[k]) return *amounts = FORMS[k].amounts, FORMS[k].reason;
  return NULL;
}

/* 18.30.00 */
static bool is_pointed_time(const category *one) {
  const char *const p = one->text;
  if (one->length != 8 || p[2] != '.' || p[5] != '.') return false;
  for (int i = 0; i < 8; i++)
    if (i % 3 != 2 && !is_digit(p[i])) return false;
  const int first = 10 * (p[0] - '0') + p[1] - '0';
  return first < 24 && p[3] < '6' && p[6] < '6' && (first == 0 || memcmp(p + 3, "00", 2) == 0 || p[6] == '0');
}

bool csv_form_flags(const category_set *set, char list[CSV_FLAGS_BYTES]) {
  bool bare = false; /* a number, or a missing value, without a text behind it */
  list[0] = '\0';
  for (uint32_t i = 0; i < set->count; i++) {
    char unit[CSV_UNIT_BYTES];
    const csv_cell cell = {.begin = set->all[i].text, .end = set->all[i].text + set->all[i].length};
    if (!csv_cell_unit(&cell, unit))
      bare = true;
    else if (!csv_flags_add(list, unit))
      return false;
  }
  return bare && list[0] != '\0';
}

const char *csv_form_of_dates(const category_set *set) {
  uint64_t orders[DATE_ORDERS] = {0};
  for (uint32_t i = 0; i < set->count; i++)
    orders[date_order_of(set->all[i].text, set->all[i].text + set->all[i].length)]++;
  const bool mostly = set->count > 0 && 2 * orders[ORDER_NONE] < set->count;
  if (mostly && orders[ORDER_DAY_FIRST] > 0 && orders[ORDER_MONTH_FIRST] > 0)
    return "its texts look like dates, some with the day first and some with the month first; written as 2021-03-15 "
           "(ISO 8601) they are read";
  if (mostly && orders[ORDER_EITHER] > 0 && orders[ORDER_DAY_FIRST] + orders[ORDER_MONTH_FIRST] == 0)
    return "its texts look like dates, but no row shows whether the day or the month comes first; --dates dmy or "
           "--dates mdy says it";
  if (all_are(set, is_pointed_time)) return "its texts look like times; written as 18:00:00 they are read";
  if (set->count > 0 && date_is_foreign(set->all[0].text, set->all[0].text + set->all[0].length))
    return "its texts look like dates; written as 2021-03-15 (ISO 8601) they are read";
  return NULL;
}
