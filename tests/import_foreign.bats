# mlpdist import: files in tests/foreign, which other programs wrote, with what those programs predict. Trains a tiny network.

load helper

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# imports FILE WANT ROWS OPTION...: the model made of a file predicts for the rows what its program did, to 1e-6.
imports() {
  alone import "$1" model.h5 "${@:4}"
  succeeds
  "$MLPDIST" predict --model model.h5 --data "$3" --out got.csv > told 2>&1 || fail "predict with $1: $(cat told)"
  awk -F, '
    NR == FNR { for (j = 1; j <= NF; j++) { want[NR, j] = $j; if ($j * $j > most) most = $j * $j } width = NF; rows = NR; next }
    FNR > 1 { for (j = 1; j <= width; j++) { off = $(NF - width + j) - want[FNR - 1, j]
      if (!(off * off <= 1e-12 * most)) { print FNR, $0, want[FNR - 1, j]; exit 1 } } }
    END { exit !(rows > 3 && FNR == rows + 1) }' "$2" got.csv || fail "other predictions: $1"
}

@test "import: networks that PyTorch exported predict what they do there" {
  local at=$BATS_TEST_DIRNAME/foreign name
  for name in slopes scaled usual norms parts named; do
    imports "$at/torch_$name.onnx" "$at/torch_$name.csv" "$at/torch_rows.csv"
  done
  imports "$at/torch_named.npz" "$at/torch_named.csv" "$at/torch_rows.csv" --activation tanh
  # Slopes are parametric activations: a model with them is exported, comes back, and learns on.
  imports "$at/torch_slopes.onnx" "$at/torch_slopes.csv" "$at/torch_rows.csv"
  "$MLPDIST" info model.h5 | grep -q 'parametric' || fail "$("$MLPDIST" info model.h5)"
  alone export model.h5 again.onnx
  succeeds
  imports again.onnx "$at/torch_slopes.csv" "$at/torch_rows.csv"
  paste -d, "$at/torch_rows.csv" <(echo u,v; cat "$at/torch_slopes.csv") > table.csv
  alone train --data table.csv --label u,v --init-from model.h5 --epochs 1 --lr 0 --normalize-targets none --valid-fraction 0 \
    --test-fraction 0 --out run
  succeeds
  grep -qE 'train loss [0-9.]+e-1[0-9]' <<< "$output" || fail "a loss that is not 0: $output"
}

@test "import: files of Keras 3, .keras and .h5, predict what Keras documents, and what is refused" {
  local name
  /usr/bin/python3 -c 'import numpy, h5py' 2> /dev/null || skip "no Python with NumPy and h5py (Debian: python3-h5py)"
  /usr/bin/python3 -B "$BATS_TEST_DIRNAME/foreign/make_keras.py" . || fail "make_keras.py"
  for name in usual roots slopes scaled; do
    imports "$name.keras" "$name.csv" rows.csv
    imports "$name.h5" "$name.csv" rows.csv
  done
  imports functional.keras usual.csv rows.csv
  imports old.keras old.csv rows.csv
  refused() { # NAME WORD...
    alone import "$1.keras" refused.h5
    fails_with 1 "$1.keras: " "${@:2}"
    ! grep -q '/proc/' "$errors" || fail "the name of the unpacked file is told: $(cat "$errors")"
  }
  refused rms "layer ln has rms_scaling, which divides by the deviation without subtracting the mean"
  refused hub "layer hub is a RMSNormalization of keras_hub.src.models.gemma.rms_normalization, not of Keras"
  refused elu "layer b is a ELU, which import does not know (with these parameters)"
  refused quantized "kernel, /layers/dense/vars/0, holds whole numbers: it is quantized, and its scale is not read"
  refused lacks "layer a has no array for its bias"
  refused wrong "layer 2 expects 5 values, but the layer before it gives 3"
  refused empty "it holds no metadata.json: it is not a model of Keras 3"
  refused forged "model.weights.h5"
  ! ls refused.h5 2> /dev/null || fail "something is left"
}
