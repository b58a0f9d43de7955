# HDF5 features that mlpdist does not read (filters, numbers in other files, links, tables, MATLAB's arrays): each message
# names the feature and gives a cure that works.

load helper
quick+=(--valid-fraction 0)

python=${PYTHON:-/usr/bin/python3}

setup_file() {
  cd "$BATS_FILE_TMPDIR"
  "$python" -c "import h5py" 2> /dev/null || return 0
  "$python" - <<'EOF'
import h5py, numpy as np
r = np.random.default_rng(17); x = r.normal(size=(500, 8)).astype("f4"); y = (x[:, 0] > 0).astype("u1")
def write(name, **more):
    return h5py.File(name + ".h5", "w", **more)
with write("plain") as f: f["train/x"] = x; f["train/y"] = y
with write("lzf") as f: f.create_dataset("train/x", data=x, chunks=(100, 8), compression="lzf"); f["train/y"] = y
for name, part in (("part0", x[:250]), ("part1", x[250:]), ("whole", x)):
    with write(name) as f: f["x"] = part
with write("virtual") as f:
    l = h5py.VirtualLayout((500, 8), "f4")
    l[:250] = h5py.VirtualSource("part0.h5", "x", (250, 8)); l[250:] = h5py.VirtualSource("part1.h5", "x", (250, 8))
    f.create_virtual_dataset("train/x", l); f["train/y"] = y
x.tofile("raw.bin")
with write("external") as f: f.create_dataset("train/x", (500, 8), "f4", external=[("raw.bin", 0, h5py.h5f.UNLIMITED)]); f["train/y"] = y
with write("link") as f: f["train/x"] = h5py.ExternalLink("whole.h5", "/x"); f["train/y"] = y
with write("grouplink") as f: f["train"] = h5py.ExternalLink("plain.h5", "/train")
with write("nowhere") as f: f["train/x"] = h5py.SoftLink("/gone"); f["train/y"] = y
with write("soft") as f: f["data"] = x; f["train/x"] = h5py.SoftLink("/data"); f["train/y"] = y
t = np.zeros(500, dtype=[("a", "f8"), ("b", "f8"), ("y", "i8")]); t["a"] = x[:, 0]; t["b"] = x[:, 1]; t["y"] = y
d = np.zeros(500, dtype=[("id", "S4"), ("v", "f4", (2, 2)), ("at", [("lat", "f8"), ("lon", "f8")]), ("y", "i1")])
d["id"] = b"a,b"; d["v"] = x[:, :4].reshape(500, 2, 2); d["at"]["lat"] = x[:, 4]; d["y"] = y
with write("deep") as f: f["t"] = d
with write("words") as f: f["train/x"] = np.char.mod("%.3f", x).astype("S"); f["train/y"] = y
with write("table") as f: f["df/table"] = t
for name, kind, array in (("pandas", "frame_table", "table"), ("fixed", "frame", "axis0")): # of DataFrame.to_hdf
    with write(name) as f: f["a/df/" + array] = t; f["a/df/_i/sorted"] = y; f["a/df"].attrs["pandas_type"] = kind
with write("odd") as f:
    f["reference"] = np.array([f.create_group("g").ref], dtype=h5py.ref_dtype)
    f.create_dataset("varying", (2,), dtype=h5py.vlen_dtype("i4")); f["varying"][0] = [1, 2]
    f["opaque"] = np.array([b"ab", b"cd"]).view("V2"); f["scalar"] = 3.0; f["null"] = h5py.Empty("f4"); f["y"] = y
    f["complex"] = np.zeros(3, "c8")
X = r.normal(size=(300, 5)); k = (X[:, 0] > 0) + 1.0
def matlab(name, **arrays):
    with h5py.File(name, "w", userblock_size=512) as f:
        for n, v in arrays.items(): f[n] = v; f[n].attrs["MATLAB_class"] = np.bytes_("double")
        f.create_group("S").attrs["MATLAB_class"] = np.bytes_("struct")
        f.create_group("sparse").attrs["MATLAB_sparse"] = 5
    with open(name, "r+b") as f: f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b"\0" * 8 + b"\0\x02IM")
matlab("usual.mat", X=X.T, y=k[None]); matlab("wide.mat", X=X, y=k[:, None]); matlab("square.mat", X=X[:5].T, y=k[None, :5])
with write("turned") as f: f["train/x"] = x.T; f["train/y"] = y
with write("lying") as f: f["train/x"] = x; f["train/y"] = y[None]
EOF
}

setup() {
  "$python" -c "import h5py" 2> /dev/null || skip "no h5py (package python3-h5py)"
  cd "$BATS_FILE_TMPDIR"
}

train() { alone train "${quick[@]}" --data "$1" --epochs 1 --batch 100 --quiet --out "$BATS_TEST_TMPDIR/run" "${@:2}"; }

# Runs the command of the last refusal, with a Python that is there.
cure() {
  local command
  command=$(sed -e 's/.*\(python3 -c\|h5repack\|h5copy\)/\1/' -e "s|^python3|$python|" -e 's/ (needs .*//; s/ (for each.*//' "$errors")
  bash -c "$command" || fail "the cure fails: $command"
}

same_as_plain() {
  train plain.h5
  local want
  want=$(last_line)
  train "$1"
  succeeds
  [ "$(last_line)" = "$want" ] || fail "expected $want"
}

@test "a filter that is missing is named, and written out by h5py" {
  train lzf.h5
  fails_with 1 "lzf.h5: /train/x is compressed with HDF5's filter 32000 (LZF)"
  cure
  same_as_plain lzf-plain.h5
}

@test "numbers in other files: h5repack -l CONTI brings them home" {
  command -v h5repack > /dev/null || skip "no h5repack (package hdf5-tools)"
  train virtual.h5
  fails_with 1 "/train/x is a virtual data set" "h5repack -l CONTI"
  cure
  same_as_plain virtual-whole.h5
  train external.h5
  fails_with 1 "/train/x keeps its numbers in external files"
  cure
  same_as_plain external-whole.h5
}

@test "links that lead elsewhere or nowhere are named" {
  train link.h5
  fails_with 1 "link.h5: /train/x is an external link to /x in whole.h5" "h5copy"
  train grouplink.h5
  fails_with 1 "/train is an external link to /train in plain.h5"
  train nowhere.h5
  fails_with 1 "nowhere.h5: /train/x is a link to /gone, which does not exist"
  same_as_plain soft.h5
  alone info link.h5
  succeeds
  says "/train/x                 an external link to /x in whole.h5"
  alone info nowhere.h5
  succeeds
  says "a link to /gone"
  command -v h5copy > /dev/null || skip "no h5copy (package hdf5-tools)"
  train link.h5
  cure
  sed -i 's|/train/x|/train/y|g' "$errors"
  cure
  same_as_plain link-whole.h5
}

@test "tables and types that are no numbers are named" {
  alone info odd.h5
  succeeds
  says "/complex                 holds complex numbers" "/reference               holds references" \
    "/varying                 holds rows of varying length, not numbers" "/opaque                  holds opaque bytes" \
    "/scalar                  has 0 dimensions: a single value or none" "/null                    has 0 dimensions: a single value or none"
  train odd.h5 --x /varying --y /y
  fails_with 1 "/varying holds rows of varying length, not numbers"
  train odd.h5 --x /complex --y /y
  fails_with 1 "/complex holds complex numbers; store their real and imaginary parts as columns"
  train odd.h5 --x /g --y /y
  fails_with 1 "/g is a group, not a data set"
  alone info table.h5
  succeeds
  says "/df/table                holds a compound type"
  train table.h5 --x /df/table --y /df/table
  fails_with 1 "/df/table holds a compound type"
  cure
  alone convert table.csv table-new.h5 --label y
  succeeds
  says "400 train, 50 valid, 50 test rows of 2 values, 2 classes"
  train words.h5
  fails_with 1 "/train/x holds text, not numbers; numbers that were stored as text: a.astype('f8')"
  train deep.h5 --x /t --y /t # arrays, a table and texts in it
  fails_with 1 "/t holds a compound type"
  cure
  [ "$(head -1 deep.csv | tr -d '\r')" = id,v_0,v_1,v_2,v_3,at_lat,at_lon,y ] || fail "other columns: $(head -1 deep.csv)"
  alone convert deep.csv deep-new.h5 --ignore at_lon
  succeeds
  says "columns of categories: id (1)" "400 train, 50 valid, 50 test rows of 6 values, 2 classes"
}

@test "tables of pandas are named, with the command that writes them as CSV" {
  local file
  for file in pandas fixed; do
    alone train "${quick[@]}" --data $file.h5 --label y
    fails_with 1 "$file.h5: /a/df is a table that pandas stored (to_hdf)" \
      "python3 -c \"import pandas; pandas.read_hdf('$file.h5', '/a/df').to_csv('$file.csv', index=False)\""
  done
  train pandas.h5 --x /a/df/table --y /a/df/_i/sorted
  fails_with 1 "/a/df is a table that pandas stored (to_hdf)"
}

@test "arrays that MATLAB stored transposed are named, and turned by the command" {
  local file
  for file in usual square; do
    train $file.mat --x /X --y /y
    fails_with 1 "MATLAB stores arrays transposed"
    cure
    train $file-turned.h5
    succeeds
  done
  alone info usual.mat
  succeeds
  says "MATLAB 7.3, which stores arrays transposed"
  train wide.mat --x /X --y /y
  succeeds
  train usual.mat --x /S --y /y
  fails_with 1 "/S is a MATLAB struct"
  train usual.mat --x /sparse --y /y
  fails_with 1 "/sparse is a sparse MATLAB matrix"
  train turned.h5
  fails_with 1 "samples seem to be columns"
  cure
  same_as_plain turned-turned.h5
  train lying.h5
  fails_with 1 "samples seem to be columns"
  cure
  same_as_plain lying-turned.h5
}

# notes WORD...: the last run said so in notes.
notes() {
  local word
  for word; do grep -qF -- "note: $word" "$errors.all" || fail "expected a note '$word'"; done
}

@test "rows that were never written are noted: in chunks, and in one piece" {
  "$python" -c "import h5py" 2> /dev/null || skip "no h5py"
  "$python" - <<'EOF'
import h5py, numpy as np
r = np.random.default_rng(3); x = r.normal(size=(800, 4)).astype("f4"); y = (x[:, 0] > 0).astype("u1")
with h5py.File("stopped.h5", "w") as f:
    for part in ("train", "test"):
        d = f.create_dataset(part + "/x", (800, 4), "f4", chunks=(100, 4), fillvalue=0.5, compression=4); d[:450] = x[:450]
        f[part + "/y"] = y
with h5py.File("empty.h5", "w") as f: f["train/x"] = x; f.create_dataset("train/y", (800,), "u1")
with h5py.File("whole.h5", "w") as f:
    f.create_dataset("train/x", data=x, chunks=(150, 3), maxshape=(None, 4)); f["train/y"] = y
EOF
  local lacks="3 of its 8 chunks (up to 300 of 800 rows) were never written and read as 0.5"
  alone info stopped.h5
  succeeds
  says "/train/x" "chunked 100 x 4, deflate 4; $lacks"
  launch 2 train "${quick[@]}" --data stopped.h5 --epochs 1 --out run --quiet
  succeeds
  notes "stopped.h5: /train/x: $lacks" "stopped.h5: /test/x: $lacks"
  [ "$(grep -c "never written" "$errors.all")" = 2 ] || fail "not once for each"
  launch 2 predict --model run/model.h5 --data stopped.h5 --out p.csv
  succeeds
  notes "stopped.h5: /test/x: $lacks"
  alone train "${quick[@]}" --data empty.h5 --epochs 1 --out other --classes 2 --task classification
  notes "empty.h5: /train/y: all of its 800 rows were never written and read as 0"
  alone train "${quick[@]}" --data whole.h5 --epochs 1 --out whole
  succeeds
  ! grep -q "never written" - "$errors.all" <<< "$output" || fail "all was written"
  alone info whole.h5
  ! grep -q "never written" - "$errors.all" <<< "$output" || fail "all was written"
}
