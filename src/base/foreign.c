#include "base/foreign.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/foreign_rows.h"
#include "base/number.h"
#include "base/text.h"

enum { HEAD_BYTES = 4096, NAME_BYTES = FOREIGN_NAME_BYTES, FANN_HEAD = 3, ZEROS = 512 /* bytes */ };

/* A kind of file: it has magic (`bytes` bytes) at an offset. In the cure %F is the file, %B its name without the
 * last extension (or another name, if %B.csv would be the file itself), and %D a folder for the output of a program
 * that names it. */
typedef struct kind {
  const char *magic;
  size_t bytes, offset;
  const char *what, *cure;
} kind;

/* Packed files. The command unpacks no file of another suffix by its name. */
typedef struct packed_kind {
  const char *magic;
  size_t bytes;
  const char *what, *command, *suffix;
} packed_kind;

#define MAGIC(text) text, sizeof(text) - 1
#define PANDAS(read, needs) \
  "make CSV of it: python3 -c \"import pandas; pandas." read "('%F').to_csv('%B.csv', index=False)\" (needs " needs ")"
#define STATA PANDAS("read_stata", "pandas")
#define SAS(format)                                                                   \
  "make CSV of it: python3 -c \"import pandas; pandas.read_sas('%F', format='" format \
  "', encoding='latin-1').to_csv('%B.csv', index=False)\" (needs pandas)"
#define SPSS_PORTABLE                                                                                             \
  "make CSV of it: python3 -c \"import pyreadstat; pyreadstat.read_por('%F')[0].to_csv('%B.csv', index=False)\" " \
  "(needs pyreadstat)"
#define SPREADSHEET "save it as CSV: libreoffice --headless --convert-to csv%D %F"
#define UTF8 "make UTF-8 of it: iconv -f UTF-32 -t UTF-8 %F > %B-utf8.csv"
#define IMAGE "put the pixels of all images into one array (numpy.savez of x and y) and convert that"

static const packed_kind packed_kinds[] = {
    {MAGIC("\xFD"
           "7zXZ\0"),
     "packed by xz", "xz -dk", ".xz"},
    {MAGIC("BZh"), "packed by bzip2", "bzip2 -dk", ".bz2"},
    {MAGIC("\x28\xB5\x2F\xFD"), "packed by zstd", "zstd -d", ".zst"},
    {MAGIC("\x04\x22\x4D\x18"), "packed by lz4", "lz4 -d", ".lz4"},
    {MAGIC("LZIP"), "packed by lzip", "lzip -dk", ".lz"},
    {MAGIC("\x1F\x9D"), "packed by compress", "gzip -dk", ".Z"},
};
static const packed_kind gzipped_hdf5 = {MAGIC("\x1F\x8B"), "HDF5, packed by gzip", "gzip -dk", ".gz"};

static const kind kinds[] = {
    {MAGIC("\xFF\xFE\0\0"), 0, "text in UTF-32", UTF8},
    {MAGIC("\0\0\xFE\xFF"), 0, "text in UTF-32", UTF8},
    {MAGIC("7z\xBC\xAF\x27\x1C"), 0, "a 7z archive", "unpack it: 7z x %F"},
    {MAGIC("Rar!\x1A\x07"), 0, "a RAR archive", "unpack it: unrar x %F"},
    {MAGIC("ustar"), 257, "a tar archive", "unpack it: tar xf %F"},
    {MAGIC("PAR1"), 0, "a Parquet file", PANDAS("read_parquet", "pandas and pyarrow")},
    {MAGIC("ARROW1"), 0, "a Feather (Arrow) file", PANDAS("read_feather", "pandas and pyarrow")},
    {MAGIC("FEA1"), 0, "a Feather file", PANDAS("read_feather", "pandas and pyarrow")},
    {MAGIC("ORC"), 0, "an ORC file", PANDAS("read_orc", "pandas and pyarrow")},
    {MAGIC("Obj\1"), 0, "an Avro file", "make CSV of it"},
    {MAGIC("SQLite format 3\0"), 0, "an SQLite database",
     "make CSV of a table: sqlite3 -header -csv %F 'select * from TABLE' > %B.csv"},
    {MAGIC("MATLAB 5.0"), 0, "a MATLAB file of version 5",
     "make NPZ of it: python3 -c \"import scipy.io, numpy; m = scipy.io.loadmat('%F'); numpy.savez('%B.npz', x=m['X'], "
     "y=m['y'].ravel())\" with the names of your variables for X and y (needs scipy)"},
    {MAGIC("\x0E\x03\x13\x01"), 0, "an HDF4 file", "make HDF5 of it: h4toh5 %F %B.h5"},
    {MAGIC("CDF\1"), 0, "a NetCDF file of the classic format", "make HDF5 of it: nccopy -k nc4 %F %B.h5"},
    {MAGIC("CDF\2"), 0, "a NetCDF file of the classic format", "make HDF5 of it: nccopy -k nc4 %F %B.h5"},
    {MAGIC("CDF\5"), 0, "a NetCDF file of the classic format", "make HDF5 of it: nccopy -k nc4 %F %B.h5"},
    {MAGIC("FANN_FL"), 0, "a network of FANN, which is not data", "give the data that trained it"},
    {MAGIC("version https://git-lfs"), 0, "a Git LFS pointer, not the file itself", "fetch the file: git lfs pull"},
    {MAGIC("%%MatrixMarket"), 0, "a matrix of Matrix Market",
     "make NPY of it: python3 -c \"import scipy.io, numpy; m = scipy.io.mmread('%F'); numpy.save('%B.npy', getattr(m, "
     "'toarray', lambda: m)())\" (needs scipy)"},
    {MAGIC("%PDF"), 0, "a PDF document", "save its table as CSV"},
    {MAGIC("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), 0, "a Microsoft Office file (Excel?)", SPREADSHEET},
    {MAGIC("{\\rtf"), 0, "an RTF document", "save its table as CSV"},
    {MAGIC("<stata_dta>"), 0, "a Stata file", STATA},
    {MAGIC("q\1\1\0"), 0, "a Stata file", STATA},
    {MAGIC("q\2\1\0"), 0, "a Stata file", STATA},
    {MAGIC("r\1\1\0"), 0, "a Stata file", STATA},
    {MAGIC("r\2\1\0"), 0, "a Stata file", STATA},
    {MAGIC("s\1\1\0"), 0, "a Stata file", STATA},
    {MAGIC("s\2\1\0"), 0, "a Stata file", STATA},
    {MAGIC("$FL2"), 0, "an SPSS file", PANDAS("read_spss", "pandas and pyreadstat")},
    {MAGIC("$FL3"), 0, "an SPSS file", PANDAS("read_spss", "pandas and pyreadstat")},
    {MAGIC("ASCII SPSS PORT FILE"), 0, "an SPSS portable file", SPSS_PORTABLE},
    {MAGIC("ASCII SPSS PORT FILE"), 40, "an SPSS portable file", SPSS_PORTABLE},
    {MAGIC("\xC2\xEA\x81\x60\xB3\x14\x11\xCF"), 12, "a SAS file", SAS("sas7bdat")},
    {MAGIC("HEADER RECORD*******LIB"), 0, "a SAS transport file", SAS("xport")},
    {MAGIC("DUCK"), 8, "a DuckDB database", "make CSV of a table: duckdb -csv %F 'from TABLE' > %B.csv"},
    {MAGIC("Standard Jet DB"), 4, "an Access database",
     "make CSV of a table: mdb-export %F TABLE > %B.csv (needs mdbtools)"},
    {MAGIC("Standard ACE DB"), 4, "an Access database",
     "make CSV of a table: mdb-export %F TABLE > %B.csv (needs mdbtools)"},
    {MAGIC("TDSm"), 0, "a TDMS file (LabVIEW)", "save its channels as CSV (needs npTDMS: tdms convert)"},
    {MAGIC("RDX"), 0, "an R workspace",
     "make CSV of a data frame in R: load('%F'); write.csv(FRAME, '%B.csv', row.names = FALSE)"},
    {MAGIC("X\n\0\0\0"), 0, "an R file (RDS)",
     "make CSV of it: Rscript -e \"write.csv(readRDS('%F'), '%B.csv', row.names = FALSE)\""},
    {MAGIC("\x89PNG"), 0, "a PNG image", IMAGE},
    {MAGIC("\xFF\xD8\xFF"), 0, "a JPEG image", IMAGE},
    {MAGIC("GIF8"), 0, "a GIF image", IMAGE},
    {MAGIC("II*\0"), 0, "a TIFF image", IMAGE},
    {MAGIC("MM\0*"), 0, "a TIFF image", IMAGE},
    {MAGIC("DICM"), 128, "a DICOM image", IMAGE},
    {MAGIC("SIMPLE  ="), 0, "a FITS file", "save its arrays with numpy.savez (needs astropy)"},
    {MAGIC("root\0"), 0, "a ROOT file", "save its arrays with numpy.savez (needs uproot)"},
    {MAGIC("\x7F"
           "ELF"),
     0, "a program", "name the data instead"},
};

/* ---- The command ----------------------------------------------------------------------------------------- */

static bool is_plain(const char *path) {
  for (const char *c = path; *c != '\0'; c++)
    if (!isalnum((unsigned char)*c) && strchr("._-/+", *c) == NULL) return false;
  return path[0] != '-' && strlen(path) < NAME_BYTES;
}

void foreign_command_names(const char *path, char file[NAME_BYTES], char base[NAME_BYTES]) {
  const char *const given = is_plain(path) ? path : "FILE";
  const char *const slash = strrchr(given, '/'), *const name = slash != NULL ? slash + 1 : given;
  (void)snprintf(file, NAME_BYTES, "%s", given);
  (void)snprintf(base, NAME_BYTES, "%s", name);
  char *const dot = strrchr(base, '.');
  if (dot != NULL && dot != base) *dot = '\0';
}

/* The output of a cure that goes on with text behind %B: another file than the input. */
static int put_base(char *out, size_t size, const char *file, const char *base, const char *text) {
  char made[2 * NAME_BYTES];
  const int extension = (int)strspn(text, ".abcdefghijklmnopqrstuvwxyz0123456789");
  const char *const slash = strrchr(file, '/');
  (void)snprintf(made, sizeof made, "%s%.*s", base, extension, text);
  return snprintf(out, size, "%s%s", base, strcmp(made, slash != NULL ? slash + 1 : file) == 0 ? "-converted" : "");
}

/* what and cure with file names filled in, except names that a shell would split or expand. */
static bool describe(const char *path, const char *what, const char *cure, char described[FOREIGN_BYTES]) {
  char file[NAME_BYTES], base[NAME_BYTES];
  foreign_command_names(path, file, base);
  size_t used = (size_t)snprintf(described, FOREIGN_BYTES, "is %s; ", what);
  for (const char *c = cure; *c != '\0' && used + NAME_BYTES < FOREIGN_BYTES; c++) {
    char *const out = described + used;
    const size_t room = FOREIGN_BYTES - used;
    if (*c != '%' || strchr("FBD", c[1]) == NULL) {
      described[used++] = *c;
      continue;
    }
    if (*++c == 'F')
      used += (size_t)snprintf(out, room, "%s", file);
    else if (*c == 'B')
      used += (size_t)put_base(out, room, file, base, c + 1);
    else if (text_ends_in(file, ".csv"))
      used += (size_t)snprintf(out, room, " --outdir converted");
  }
  described[used] = '\0';
  return true;
}

static bool describe_packed(const char *path, const packed_kind *k, char described[FOREIGN_BYTES]) {
  char cure[80];
  if (text_ends_in(path, k->suffix))
    (void)snprintf(cure, sizeof cure, "unpack it: %s %%F", k->command);
  else
    (void)snprintf(cure, sizeof cure, "unpack it: %s < %%F > %%B-unpacked", k->command);
  return describe(path, k->what, cure, described);
}

/* ---- Text ------------------------------------------------------------------------------------------------ */

static const char *skip_blanks(const char *at) {
  while (*at != '\0' && strchr(" \t\r\n", *at) != NULL) at++;
  return at;
}

static bool begins(const char *text, const char *word) { return strncasecmp(text, word, strlen(word)) == 0; }

/* ARFF: comments behind %, then @relation. */
static bool is_arff(const char *text) {
  for (text = skip_blanks(text); *text == '%'; text = skip_blanks(text)) text += strcspn(text, "\n");
  return begins(text, "@relation");
}

/* Numbers of a line, and whether all but the first are pairs such as 3:0.25 with ascending indices. */
typedef struct number_line {
  int cells;
  int64_t first[FANN_HEAD]; /* where they are whole, else -1 */
  bool numbers, pairs;
} number_line;

/* Reads a line and moves *text past it; false at the end of the text. */
static bool take_line(const char **text, number_line *line) {
  int64_t last = -1;
  *line = (number_line){.numbers = true, .pairs = true};
  const char *at = *text, *const stop = at + strlen(at);
  while (*at != '\0' && *at != '\n' && !(*at == '#' && line->cells > 1)) { /* # DOCUMENT, in files for ranking */
    number cell, value;
    if (line->cells == 1 && strncmp(at, "qid:", 4) == 0) { /* the query to which the row belongs */
      at = number_parse(at + 4, stop, &value);
      if (at == NULL) return false;
      at += strspn(at, " \t");
    }
    const char *end = number_parse(at, stop, &cell);
    if (end == NULL) return false;
    const bool pair = *end == ':';
    if (pair) end = number_parse(end + 1, stop, &value);
    if (end == NULL) return false;
    if (pair)
      line->pairs = line->pairs && line->cells > 0 && cell.is_integer && cell.integer > last;
    else
      line->pairs = line->pairs && line->cells == 0;
    if (pair) last = cell.integer;
    if (line->cells < FANN_HEAD) line->first[line->cells] = cell.is_integer ? cell.integer : -1;
    line->numbers = line->numbers && !pair;
    line->cells++;
    at = end + strspn(end, " \t\r");
    if (at == end && *at != '\n' && *at != '\0') return false;
  }
  at += strcspn(at, "\n");
  *text = at + (*at == '\n');
  return line->cells > 0;
}

static bool is_libsvm(const char *text) {
  number_line line;
  int lines = 0;
  for (; lines < 3 && take_line(&text, &line); lines++)
    if (!line.pairs || line.cells < 2) return false;
  return lines > 0;
}

/* FANN: "ROWS INPUTS OUTPUTS", then a line of inputs and one of outputs for each row. */
static bool is_fann(const char *text) {
  number_line head, input, output;
  if (!take_line(&text, &head) || !head.numbers || head.cells != FANN_HEAD || head.first[0] < 1) return false;
  return (head.first[1] != FANN_HEAD || head.first[2] != FANN_HEAD) && take_line(&text, &input) && input.numbers &&
         input.cells == head.first[1] && take_line(&text, &output) && output.numbers && output.cells == head.first[2];
}

/* Does a second object follow on a line of its own? */
static bool is_json_lines(const char *text) {
  const char *const line = strchr(text, '\n');
  return line != NULL && *skip_blanks(line) == '{';
}

#define JSON_COLUMNS                                                                        \
  "make CSV of its columns: python3 -c \"import json, csv; d = json.load(open('%F')); w = " \
  "csv.writer(open('%B.csv', 'w', newline='')); w.writerow(d); w.writerows(zip(*d.values()))\""

#define JSON(rows)                                                       \
  "make CSV of its records: python3 -c \"import json, csv; rows = " rows \
  "; w = csv.DictWriter(open('%B.csv', 'w', newline=''), list(rows[0])); w.writeheader(); w.writerows(rows)\""

static bool describe_text(const char *path, const char *text, char described[FOREIGN_BYTES]) {
  if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
  const char *const first = skip_blanks(text);
  const char second = first[0] != '\0' ? *skip_blanks(first + 1) : '\0';
  if (is_arff(text))
    return describe(path, "an ARFF file (Weka)", "leave its head out: sed '1,/^@data/Id' %F > %B.csv", described);
  if (first[0] == '{' && second == '"' && is_json_lines(first))
    return describe(path, "a JSON Lines file", JSON("[json.loads(l) for l in open('%F')]"), described);
  if (first[0] == '{' && (second == '"' || second == '}'))
    return describe(path, "a JSON file", JSON_COLUMNS, described);
  const char *cure = NULL;
  const char *const wrapped = foreign_wrapped_rows(text, &cure);
  const bool json = first[0] == '[' && second == '[' && memchr(first, ',', strcspn(first, "\n")) != NULL;
  if (wrapped != NULL && !json) return describe(path, wrapped, cure, described);
  if (json)
    return describe(path, "a JSON file",
                    "make CSV of its rows: python3 -c \"import json, csv; csv.writer(open('%B.csv', 'w', "
                    "newline='')).writerows(json.load(open('%F')))\"",
                    described);
  if (first[0] == '[' && second == '{') return describe(path, "a JSON file", JSON("json.load(open('%F'))"), described);
  if (begins(first, "<!doctype html") || begins(first, "<html"))
    return describe(path, "a web page (HTML)", "perhaps an error page was saved in the file's place: fetch it again",
                    described);
  if (begins(first, "<table"))
    return describe(path, "a web page (HTML)",
                    "make CSV of its table: python3 -c \"import pandas; pandas.read_html('%F')[0].to_csv('%B.csv', "
                    "index=False)\" (needs pandas and lxml)",
                    described);
  if (begins(first, "<?xml")) return describe(path, "an XML file", "make CSV of it", described);
  if (is_libsvm(text))
    return describe(
        path, "a LIBSVM (svmlight) file",
        "make NPZ of it: python3 -c \"import numpy; from sklearn.datasets import load_svmlight_file; x, y = "
        "load_svmlight_file('%F'); numpy.savez('%B.npz', x=x.toarray(), y=y)\" (needs scikit-learn)",
        described);
  if (is_fann(text))
    return describe(path, "a training file of FANN",
                    "put each row on one line: tail -n +2 %F | paste -d ' ' - - > %B.csv", described);
  return false;
}

/* ---- Others ---------------------------------------------------------------------------------------------- */

static bool contains(const unsigned char *head, size_t bytes, const char *word) {
  const size_t length = strlen(word);
  for (size_t i = 0; i + length <= bytes; i++)
    if (memcmp(head + i, word, length) == 0) return true;
  return false;
}

/* The first names in a zip archive show what it holds. */
static bool describe_zip(const char *path, const unsigned char *head, size_t bytes, char described[FOREIGN_BYTES]) {
  if (contains(head, bytes < 64 ? bytes : 64, ".npy")) return false;
  if (contains(head, bytes, "[Content_Types].xml") || contains(head, bytes, "xl/"))
    return describe(path, "an Excel file", SPREADSHEET, described);
  if (contains(head, bytes, "opendocument")) return describe(path, "an OpenDocument file", SPREADSHEET, described);
  if (contains(head, bytes < 128 ? bytes : 128, "data.pkl"))
    return describe(path, "a PyTorch file",
                    "make NPZ of tensors x and y: python3 -c \"import torch, numpy; d = torch.load('%F'); "
                    "numpy.savez('%B.npz', x=d['x'].numpy(), y=d['y'].numpy())\"",
                    described);
  if (contains(head, bytes, "config.json") && contains(head, bytes, "metadata.json"))
    return describe(path, "a model of Keras, which is not data", "name the data that trained it", described);
  return describe(path, "a zip archive", "unpack it: python3 -m zipfile -e %F .", described);
}

/* What is left of a file whose writing or transfer was cut off, on some file systems. */
static bool is_zeros(const unsigned char *head, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (head[i] != 0) return false;
  return bytes >= ZEROS;
}

/* A table of dBASE, as shape files have beside them: a version, the date of the last change, rows, and zero bytes. */
static bool is_dbase(const unsigned char *head, size_t bytes) {
  static const unsigned char zeros[2] = {0};
  return bytes > 32 && (head[0] == 0x03 || head[0] == 0x83 || head[0] == 0x8B || head[0] == 0x30) && head[2] >= 1 &&
         head[2] <= 12 && head[3] >= 1 && head[3] <= 31 && memcmp(head + 12, zeros, sizeof zeros) == 0;
}

/* Pickles: protocols 2 to 5 begin with their number; the older are text. */
static bool is_pickle(const unsigned char *head, size_t bytes) {
  return bytes > 4 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 && (head[1] < 4 || head[2] == 0x95);
}

bool foreign_describe_head(const char *path, const unsigned char *head, size_t bytes, char described[FOREIGN_BYTES]) {
  for (size_t i = 0; i < sizeof packed_kinds / sizeof *packed_kinds; i++)
    if (bytes >= packed_kinds[i].bytes && memcmp(head, packed_kinds[i].magic, packed_kinds[i].bytes) == 0)
      return describe_packed(path, &packed_kinds[i], described);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (bytes >= kinds[i].offset + kinds[i].bytes &&
        memcmp(head + kinds[i].offset, kinds[i].magic, kinds[i].bytes) == 0)
      return describe(path, kinds[i].what, kinds[i].cure, described);
  if (bytes > 4 && memcmp(head, "PK\3\4", 4) == 0) return describe_zip(path, head, bytes, described);
  if (is_pickle(head, bytes))
    return describe(path, "a Python pickle",
                    "if you trust it and it is an array, make NPY of it: python3 -c \"import pickle, numpy; "
                    "numpy.save('%B.npy', pickle.load(open('%F', 'rb')))\"",
                    described);
  if (is_dbase(head, bytes)) return describe(path, "a dBASE file", SPREADSHEET, described);
  if (is_zeros(head, bytes))
    return describe(path, "nothing but zero bytes where it begins",
                    "it was cut off while it was written: fetch it again", described);
  if (memchr(head, 0, bytes) != NULL) return false;
  char text[HEAD_BYTES + 1];
  const size_t kept = bytes < HEAD_BYTES ? bytes : HEAD_BYTES;
  memcpy(text, head, kept);
  text[kept] = '\0';
  return describe_text(path, text, described);
}

/* ---- For those that read HDF5 alone ---------------------------------------------------------------------- */

#define CONVERT(other) "'mlpdist convert " other " %B.h5' makes a data set of it"

static bool describe_convertible(const char *path, const unsigned char *head, size_t bytes,
                                 char described[FOREIGN_BYTES]) {
  if (bytes >= 6 && memcmp(head, "\x93NUMPY", 6) == 0)
    return describe(path, "an NPY array", CONVERT("%F Y.npy"), described);
  if (bytes >= 4 && memcmp(head, "PK\3\4", 4) == 0)
    return describe(path, "an NPZ archive of arrays", CONVERT("%F"), described);
  if (bytes >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 0x08 && head[2] <= 0x0E && head[3] >= 1 && head[3] <= 8)
    return describe(path, "an IDX array", CONVERT("%F LABELS"), described);
  for (size_t i = 0; i < bytes; i++)
    if (head[i] < ' ' && (head[i] == 0 || strchr("\t\r\n\f", head[i]) == NULL)) return false;
  return describe(path, "text", "if it is a table (CSV), " CONVERT("%F"), described);
}

/* The first bytes of a regular file, unpacked where it is gzipped. */
static size_t read_head(const char *path, unsigned char head[HEAD_BYTES], bool *gzipped) {
  struct stat about;
  *gzipped = false;
  if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return 0;
  const gzFile file = gzopen(path, "rb");
  if (file == NULL) return 0;
  const int got = gzread(file, head, HEAD_BYTES);
  *gzipped = gzdirect(file) == 0;
  (void)gzclose(file);
  return got > 0 ? (size_t)got : 0;
}

bool foreign_describe(const char *path, char described[FOREIGN_BYTES]) {
  unsigned char head[HEAD_BYTES];
  bool gzipped = false;
  const size_t bytes = read_head(path, head, &gzipped);
  if (bytes == 0) return false;
  if (bytes >= 8 && memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0)
    return gzipped && describe_packed(path, &gzipped_hdf5, described);
  return foreign_describe_head(path, head, bytes, described) || describe_convertible(path, head, bytes, described);
}
