# train --log: metrics as JSON lines and as an event file of TensorBoard say what metrics.csv says, after a resume too.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

data=(--data "$BATS_TEST_DIRNAME/../datasets/digits.h5" --hidden 4 --valid-fraction 0.2)

# agree FOLDER ROWS: the three files hold the same numbers of so many epochs; checksums are computed anew, bit by bit.
agree() {
  python3 - "$@" << 'END' || fail "the files of $1 differ"
import csv, json, math, struct, sys
folder, rows = sys.argv[1], int(sys.argv[2])
table = list(csv.DictReader(open(folder + "/metrics.csv")))
assert len(table) == rows, len(table)
lines = [json.loads(line) for line in open(folder + "/metrics.jsonl")]
assert [list(line) for line in lines] == [list(row) for row in table]
for line, row in zip(lines, table):
    assert [line[k] for k in row] == [float(v) if v else None for v in row.values()], (line, row)

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff

def fields(message):
    while message:
        tag, message = varint(message)
        if tag & 7 == 0: value, message = varint(message)
        elif tag & 7 == 1: value, message = struct.unpack("<d", message[:8])[0], message[8:]
        elif tag & 7 == 5: value, message = struct.unpack("<f", message[:4])[0], message[4:]
        else:
            size, message = varint(message)
            value, message = message[:size], message[size:]
            assert len(value) == size
        yield tag >> 3, value

def varint(message):
    value = shift = 0
    for k, byte in enumerate(message):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128: return value, message[k + 1:]

raw, events = open(folder + "/events.out.tfevents.mlpdist", "rb").read(), []
assert crc32c(b"123456789") == ((0xe3069283 >> 15 | 0xe3069283 << 17) + 0xa282ead8) & 0xffffffff # RFC 3720's check value
while raw:
    size, = struct.unpack("<Q", raw[:8])
    data = raw[12:12 + size]
    assert struct.unpack("<I", raw[8:12])[0] == crc32c(raw[:8]) and struct.unpack("<I", raw[12 + size:16 + size])[0] == crc32c(data)
    events.append(dict(fields(data)))
    raw = raw[16 + size:]
assert events[0][3] == b"brain.Event:2" and len(events) == rows + 1, events[0]
times = [event[1] for event in events]
assert times == sorted(times) and times[0] > 1.5e9
columns = {"train_loss": "loss/train", "valid_loss": "loss/valid", "train_metric": "metric/train", "valid_metric": "metric/valid",
           "lr": "run/lr", "samples_per_second": "run/samples_per_second", "epoch": "run/epoch"}
for event, row in zip(events[1:], table):
    assert event[2] == int(row["step"])
    values = {v[1].decode(): v[2] for v in (dict(fields(m)) for k, m in fields(event[5]) if k == 1)}
    want = {tag: float(row[name]) for name, tag in columns.items() if row[name]}
    assert values.keys() == want.keys(), (values, want)
    assert all(abs(values[tag] - want[tag]) <= 1e-6 * abs(want[tag]) for tag in want), (values, want)
END
}

@test "train --log: three forms of the same numbers, also on two ranks, without validation rows, and after a resume" {
  on 2 train "${quick[@]}" "${data[@]}" --epochs 2 --quiet --out run --log csv,json,tensorboard --checkpoint-every 1epochs
  succeeds
  agree run 2
  alone train "${quick[@]}" "${data[@]}" --epochs 4 --quiet --out run --log "json, tensorboard" --resume auto
  succeeds
  agree run 4
  # In another folder, where there was none of it.
  local last
  for last in run/checkpoints/step-*.h5; do :; done
  alone train "${quick[@]}" "${data[@]}" --epochs 5 --quiet --out other --log json,tensorboard --resume "$last"
  succeeds
  agree other 5
  # A new run without them removes those of the former run; the weights do not depend on them.
  alone train "${quick[@]}" "${data[@]}" --epochs 1 --quiet --out run --valid-fraction 0
  digest=$(last_line)
  [ ! -e run/metrics.jsonl ] && [ ! -e run/events.out.tfevents.mlpdist ] || fail "left: $(ls run)"
  alone train "${quick[@]}" "${data[@]}" --epochs 1 --quiet --out run --valid-fraction 0 --log tensorboard,json
  [ "$(last_line)" = "$digest" ] || fail "another digest"
  agree run 1
}

@test "train --log: files of others stay, and what is wrong is said" {
  local file
  for file in metrics.jsonl events.out.tfevents.mlpdist; do
    mkdir -p "of-$file"
    echo precious > "of-$file/$file"
    alone train "${quick[@]}" "${data[@]}" --epochs 1 --quiet --out "of-$file" --log json,tensorboard
    fails_with 1 "of-$file/$file exists, no run of mlpdist wrote it"
    alone train "${quick[@]}" "${data[@]}" --epochs 1 --quiet --out "of-$file" # which does not write it
    succeeds
    [ "$(cat "of-$file/$file")" = precious ] || fail "harmed"
    alone train "${quick[@]}" "${data[@]}" --epochs 1 --quiet --out run --trace "run/$file"
    fails_with 2 "--trace run/$file is a file that the run itself writes"
  done
  alone train "${quick[@]}" "${data[@]}" --epochs 1 --log json,tensorbord --out run
  fails_with 2 "tensorbord" "tensorboard"
  alone train "${quick[@]}" "${data[@]}" --epochs 1 --quiet --out run --log json,tensorboard
  for file in metrics.jsonl events.out.tfevents.mlpdist; do
    alone predict --model run/model.h5 "${data[@]:0:2}" --out "run/$file"
    fails_with 2 "run/$file is the $file of a training run"
  done
}
