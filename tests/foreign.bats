# Files of other kinds: every command says what they are, and gives a cure that works.

load helper

python=${PYTHON:-/usr/bin/python3}

setup_file() {
  cd "$BATS_FILE_TMPDIR"
  "$python" - <<'EOF'
import bz2, gzip, json, lzma, pickle, random, sqlite3, zipfile
r = random.Random(23)
rows = [[round(r.gauss(0, 1), 4) for _ in range(3)] for _ in range(100)]
labels = [int(a[0] > 0) for a in rows]
table = "".join(",".join(map(str, a)) + f",{k}\n" for a, k in zip(rows, labels))
csv = "a,b,c,k\n" + table
open("t.csv", "w").write(csv)
gzip.open("packed.csv.gz", "wt").write(csv)
lzma.open("xz.csv.xz", "wt").write(csv)
bz2.open("bz.csv.bz2", "wt").write(csv)
zipfile.ZipFile("zipped.zip", "w").writestr("zipped.csv", csv)
zipfile.ZipFile("excel.xlsx", "w").writestr("[Content_Types].xml", "<x/>")
zipfile.ZipFile("torch.pt", "w").writestr("torch/data.pkl", "")
db = sqlite3.connect("sqlite.db"); db.execute("create table t(a real, b real, c real, k int)")
db.executemany("insert into t values(?, ?, ?, ?)", [a + [k] for a, k in zip(rows, labels)]); db.commit()
open("arff.arff", "w").write("% iris\n@RELATION t\n@attribute a numeric\n@attribute k {0,1}\n\n@DATA\n" + table)
svm = "".join(f"{'+1' if k else '-1'} 1:{a[0]} 3:{a[2]}\n" for a, k in zip(rows, labels))
open("svm.svm", "w").write(svm)
records = [dict(zip("abck", a + [k])) for a, k in zip(rows, labels)]
json.dump(records, open("json.json", "w")); json.dump(records, open("pretty.json", "w"), indent=1)
json.dump({c: [v[c] for v in records] for c in "abck"}, open("columns.json", "w"))
open("lines.jsonl", "w").write("".join(json.dumps(v) + "\n" for v in records))
open("fann.fann", "w").write("100 3 1\n" + "".join(" ".join(map(str, a)) + f"\n{k}\n" for a, k in zip(rows, labels)))
listed = [a + [k] for a, k in zip(rows, labels)]
open("list.txt", "w").write("".join(f"{a}\n" for a in listed))
open("printed.txt", "w").write("[" + "\n ".join("[" + "  ".join(map(str, a)) + "]" for a in listed) + "]\n")
open("array.h", "w").write("t[100][4] = {\n" + ",\n".join("{" + str(a)[1:-1] + "}" for a in listed) + "\n};\n")
open("dump.sql", "w").write("-- a dump\nCREATE TABLE t (a REAL, b REAL, c REAL, k INT);\n" + "".join(
    f"INSERT INTO t (a,b,c,k) VALUES ({str(a)[1:-1]});\n" for a in listed[:50]) + "insert into t (a,b,c,k) values\n" +
    ",\n".join(f"({str(a)[1:-1]})" for a in listed[50:]) + ";\n")
open("paper.tex", "w").write("a & b & c & k \\\\\n\\hline\n" + "".join(" & ".join(map(str, a)) + " \\\\ % x\n" if i == 7
    else " & ".join(map(str, a)) + " \\\\\n" for i, a in enumerate(listed)))
open("quoted.txt", "w").write("".join(f'"{line}"\r\n' for line in csv.splitlines()))
open("drawn.txt", "w").write("┌───┬───┐\n│ a ┆ b ┆ c ┆ k │\n│ --- ┆ --- ┆ --- ┆ --- │\n╞═══╪═══╡\n" + "".join(
    "│ " + " ┆ ".join(map(str, a)) + " │\n" for a in listed) + "└───┴───┘\n")
open("named.log", "w").write("".join(f"a={a[0]} b={a[1]}, c={a[2]} k={k}\n" for a, k in zip(rows, labels)))
open("query.svm", "w").write("".join(f"{k} qid:{i // 10} 1:{a[0]} 3:{a[2]} # document {i}\n"
    for i, (a, k) in enumerate(zip(rows, labels))))
open("copy.sql", "w").write("--\n-- PostgreSQL database dump\n--\n\nSET x = 0;\nCREATE TABLE t (\n    a real\n);\n\n" +
    "COPY public.t (a, b, c, k) FROM stdin;\n" + "".join("\t".join(map(str, a)) + "\n" for a in listed) + "\\.\n\n-- done\n")
open("sky.tbl", "w").write("\\fixlen = T\n\\ made by hand\n|   a   |  b    |  c    | k |\n| real  | real  | real  |int|\n" +
    "".join(" " + " ".join(f"{v:7}" for v in a) + "\n" for a in listed))
open("flow.plt", "w").write('TITLE = "x"\nVARIABLES = "a", "b", "c", "k"\nZONE T="z", I=100, F=POINT\n' +
    "".join(" ".join(map(str, a)) + "\n" for a in listed))
open("market.mtx", "w").write("%%MatrixMarket matrix array real general\n100 4\n" + "".join(f"{a[j]}\n" for j in range(4) for a in listed))
open("table.xls", "w").write("<table><tr><td>a</td></tr></table>\n")
open("page.html", "w").write("\n<!DOCTYPE html>\n<html><body>404: Not Found</body></html>\n")
open("lfs.csv", "w").write("version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 1234\n")
pickle.dump(rows, open("pickle.pkl", "wb")); pickle.dump(rows, open("old.pkl", "wb"), protocol=2)
for name, head in {"t.zst": b"\x28\xb5\x2f\xfd", "t.parquet": b"PAR1", "t.feather": b"ARROW1\0\0", "v5.mat":
        b"MATLAB 5.0 MAT-file", "hdf4.hdf": b"\x0e\x03\x13\x01", "classic.nc": b"CDF\x01", "t.pdf": b"%PDF-1.4",
        "t.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "t.dta": b"<stata_dta>", "t.png": b"\x89PNG\r\n\x1a\n", "t.jpg":
        b"\xff\xd8\xff\xe0", "t.7z": b"7z\xbc\xaf\x27\x1c", "t.tar": b"t.csv".ljust(257, b"\0") + b"ustar\0"}.items():
    open(name, "wb").write(head + bytes(range(256)) * 4)
for name, head in {"old.dta": b"r\2\1\0", "t.zsav": b"$FL3@(#)", "t.por": b"ASCII SPSS PORT FILE".ljust(40) * 5, "t.xpt":
        b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!".ljust(80, b"0") + b"SAS     SAS     SASLIB  9.4".ljust(80),
        "t.sas7bdat": bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "t.duckdb": bytes(8) + b"DUCK", "t.mdb":
        b"\0\1\0\0Standard Jet DB", "t.accdb": b"\0\1\0\0Standard ACE DB", "t.dbf": b"\3\x7a\1\1<\0\0\0a\0\x14\0"}.items():
    open(name, "wb").write(head + bytes(300))
gzip.open("r.rds", "wb").write(b"X\n\0\0\0\3" + bytes(200))
open("no thing.json", "w").write('[{"a": 1}]')
open("empty.h5", "w")
open("npy.npy", "wb").write(b"\x93NUMPY\1\0\6\0{}    \n")
EOF
}

setup() { cd "$BATS_FILE_TMPDIR"; }

# What each is called.
kinds() {
  cat <<'EOF'
xz.csv.xz packed by xz
bz.csv.bz2 packed by bzip2
t.zst packed by zstd
zipped.zip a zip archive
excel.xlsx an Excel file
torch.pt a PyTorch file
t.parquet a Parquet file
t.feather a Feather
sqlite.db an SQLite database
arff.arff an ARFF file
svm.svm a LIBSVM
query.svm a LIBSVM
copy.sql a dump of PostgreSQL
sky.tbl an IPAC table
flow.plt a file of Tecplot
market.mtx a matrix of Matrix Market
json.json a JSON file
pretty.json a JSON file
columns.json a JSON file
lines.jsonl a JSON Lines file
fann.fann a training file of FANN
list.txt a table with brackets around each row
printed.txt a table with brackets around each row
array.h a table with brackets around each row
dump.sql a list of SQL statements
paper.tex a table of LaTeX
quoted.txt a table with quotes around each line
drawn.txt a table that is drawn with lines
named.log a table with a name before each value
table.xls a web page
page.html a web page
lfs.csv a Git LFS pointer
pickle.pkl a Python pickle
old.pkl a Python pickle
v5.mat a MATLAB file of version 5
hdf4.hdf an HDF4 file
classic.nc a NetCDF file
t.pdf a PDF document
t.xls (Excel?)
t.dta a Stata file
old.dta a Stata file
t.zsav an SPSS file
t.por an SPSS portable file
t.xpt a SAS transport file
t.sas7bdat a SAS file
t.duckdb a DuckDB database
t.mdb an Access database
t.accdb an Access database
t.dbf a dBASE file
t.png a PNG image
t.jpg a JPEG image
t.7z a 7z archive
t.tar a tar archive
r.rds an R file
EOF
}

@test "convert, train and info name files of other kinds" {
  local file words
  while read -r file words <&3; do
    alone convert "$file" o.h5
    fails_with 1 "$file: is " "$words"
    alone info "$file"
    fails_with 1 "$file: not an HDF5 file: it is " "$words"
  done 3< <(kinds)
  alone train "${quick[@]}" --data sqlite.db
  fails_with 1 "an SQLite database"
  launch 2 train "${quick[@]}" --data t.parquet
  fails_with 1 "a Parquet file"
}

@test "a table or arrays where HDF5 belongs: read, or the command that converts it" {
  alone train "${quick[@]}" --data t.csv --epochs 1 --quiet
  succeeds
  alone doctor --data t.csv
  fails_with 1 "t.csv: not an HDF5 file: it is text" "'mlpdist convert t.csv t.h5'"
  alone info packed.csv.gz
  fails_with 1 "'mlpdist convert packed.csv.gz packed.csv.h5'"
  alone predict --data t.csv --model t.csv --out p.csv
  fails_with 1 "t.csv: not an HDF5 file: it is text"
  alone info npy.npy
  fails_with 1 "an NPY array" "mlpdist convert npy.npy"
  alone train "${quick[@]}" --data empty.h5
  fails_with 1 "it is empty"
  alone info "no thing.json"
  fails_with 1 "no thing.json: not an HDF5 file: it is a JSON file" "open('FILE')"
}

# cure FILE: the command in the refusal, with a Python that is there.
cure() {
  alone convert "$1" o.h5
  local command
  command=$(sed -e 's/.*; [^:]*: //' -e 's/ (needs .*//' -e "s|python3|$python|" -e 's/TABLE/t/' "$errors")
  bash -c "$command" || fail "the cure fails: $command"
}

@test "the cures for packed files, SQLite, ARFF, LIBSVM, JSON, FANN, SQL and printed tables make what convert reads" {
  local want file made need tried=0
  alone convert t.csv want.h5
  succeeds
  want=$(last_line)
  want=${want#want.h5: }
  while read -r file made need; do
    command -v "$need" > /dev/null || [ "$need" = sklearn ] || continue
    [ "$need" != sklearn ] || "$python" -c "import sklearn" 2> /dev/null || continue
    cure "$file"
    alone convert "$made" made.h5
    succeeds
    [ "$(last_line)" = "made.h5: $want" ] || fail "$file: expected $want"
    tried=$((tried + 1))
  done <<'EOF'
xz.csv.xz xz.csv xz
bz.csv.bz2 bz.csv bzip2
zipped.zip zipped.csv sed
sqlite.db sqlite.csv sqlite3
arff.arff arff.csv sed
svm.svm svm.npz sklearn
query.svm query.npz sklearn
copy.sql copy.tsv sed
flow.plt flow.txt sed
json.json json.csv sed
pretty.json pretty.csv sed
columns.json columns.csv sed
lines.jsonl lines.csv sed
fann.fann fann.csv paste
list.txt list.csv tr
printed.txt printed.csv tr
array.h array.csv tr
dump.sql dump.csv sed
paper.tex paper.csv sed
quoted.txt quoted.csv sed
drawn.txt drawn.csv sed
named.log named.csv sed
EOF
  [ "$tried" -ge 14 ] || fail "expected more cures to be tried"
}

@test "a cure works whatever the file is called, and never writes over it" {
  local file want made
  alone convert t.csv want.h5
  succeeds
  want=$(last_line)
  want=${want#want.h5: }
  rm -rf misnamed
  mkdir misnamed
  cp arff.arff misnamed/arff.csv
  cp json.json misnamed/json.csv
  "$python" -c "import csv, json; json.dump([[float(v) for v in r] for r in list(csv.reader(open('t.csv')))[1:]],
    open('misnamed/rows.json', 'w'))"
  cp misnamed/rows.json misnamed/list.csv
  cp xz.csv.xz misnamed/xz.csv
  gzip -c want.h5 > misnamed/hdf5.h5
  cd misnamed
  while read -r file made; do
    [ "$file" != xz.csv ] || command -v xz > /dev/null || continue
    cp "$file" kept
    cure "$file"
    cmp "$file" kept || fail "$file: expected it to be kept"
    if [ "$made" = hdf5-unpacked ]; then
      cmp "$made" ../want.h5 || fail "expected the data set"
      continue
    fi
    alone convert "$made" made.h5
    succeeds
    [ "$(last_line)" = "made.h5: $want" ] || fail "$file: expected $want"
  done <<'NAMES'
arff.csv arff-converted.csv
json.csv json-converted.csv
rows.json rows.csv
list.csv list-converted.csv
xz.csv xz-unpacked
hdf5.h5 hdf5-unpacked
NAMES
  cp ../excel.xlsx excel.csv
  alone convert excel.csv o.h5
  fails_with 1 "--outdir converted excel.csv"
  cp ../t.csv t.h5
  alone info t.h5
  fails_with 1 "'mlpdist convert t.h5 t-converted.h5' makes a data set of it"
  alone convert t.h5 t-converted.h5
  succeeds
}

@test "files of zero bytes, archived arrays and folders as inputs are named" {
  head -c 4096 /dev/zero > zeros.h5
  alone info zeros.h5
  fails_with 1 "zeros.h5: not an HDF5 file: it is nothing but zero bytes where it begins"
  tar czf arrays.tar.gz npy.npy
  alone convert arrays.tar.gz o.h5
  fails_with 1 "unpack it: tar xf arrays.tar.gz"
  ! grep -q "gzip" "$errors" || fail "expected one command: tar unpacks gzip"
  alone convert . o.h5
  fails_with 1 ".: is a folder; name the files in it"
}
