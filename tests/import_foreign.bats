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
      if (!(off * off <= 1e-12 * most)) { print FNR, $0, want[FNR - 1, j]; bad = 1; exit } } }
    END { exit bad || !(rows > 3 && FNR == rows + 1) }' "$2" got.csv || fail "other predictions: $1"
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

@test "import: pipelines of scikit-learn, as skl2onnx writes them, predict what they do there, with the names of classes" {
  local at=$BATS_TEST_DIRNAME/foreign name
  # wanted NAME HEADER: as `imports`; and the columns of the predictions.
  wanted() {
    imports "$at/skl_$1.onnx" "$at/skl_$1.csv" "$at/torch_rows.csv"
    [ "$(head -n 1 got.csv)" = "$2" ] || fail "$1: $(head -n 1 got.csv)"
  }
  wanted maps row,class,größer,low,top
  wanted three row,class,größer,low,top
  wanted two row,class,7
  awk -F, 'NR > 1 && $2 != ($3 > 0.5 ? 7 : -3) { exit 1 }' got.csv || fail "classes: $(cat got.csv)"
  wanted value row,value_0
  alone import "$at/skl_refused_many.onnx" x.h5
  fails_with 1 "skl_refused_many.onnx: operator Binarizer, which makes binarizer7, is not known here"
  alone import "$at/skl_refused_rows.onnx" x.h5
  fails_with 1 "skl_refused_rows.onnx: operator Normalizer, which makes normalizer0, is not known here"
  [ ! -e x.h5 ] || fail "a file is left"
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
  imports listed.keras usual.csv rows.csv
  imports old.keras old.csv rows.csv
  refused() { # NAME WORD...
    alone import "$1.keras" refused.h5
    fails_with 1 "$1.keras: " "${@:2}"
    ! grep -q '/proc/' "$errors" || fail "the name of the unpacked file is told: $(cat "$errors")"
  }
  refused rms "layer ln has rms_scaling, which divides by the deviation without subtracting the mean"
  refused hub "layer hub is of class RMSNormalization of keras_hub.src.models.gemma.rms_normalization, not of Keras"
  refused elu "layer b is of class ELU, which import does not know (with these parameters)"
  refused quantized "kernel, /layers/dense/vars/0, holds whole numbers: it is quantized, and its scale is not read"
  refused lacks "layer a has no array for its bias"
  for name in two inner named; do
    refused $name "it has other outputs than those of its last layer, third: import reads a single output"
  done
  refused wrong "layer 2 expects 5 values, but the layer before it gives 3"
  refused empty "it holds no metadata.json: it is not a model of Keras 3"
  refused forged "model.weights.h5"
  ! ls refused.h5 2> /dev/null || fail "something is left"
}

@test "import: .safetensors predict what the state dict does, in the order of widths, and damaged ones are named" {
  local name
  /usr/bin/python3 -c 'import numpy' 2> /dev/null || skip "no Python with NumPy (Debian: python3-numpy)"
  /usr/bin/python3 -B "$BATS_TEST_DIRNAME/foreign/make_safetensors.py" . || fail "make_safetensors.py"
  imports named.safetensors "$BATS_TEST_DIRNAME/foreign/torch_named.csv" "$BATS_TEST_DIRNAME/foreign/torch_rows.csv" --activation tanh
  for name in sequential types wide plain; do imports "$name.safetensors" "$name.csv" rows.csv --activation relu; done
  imports flax.safetensors plain.csv rows.csv --activation relu
  alone import unclear.safetensors x.h5 --activation relu
  fails_with 2 "unclear.safetensors: the file does not keep the order of its layers, and names and widths do not tell it: give" \
    "--layers with the names in order, of first,inner,last,middle"
  alone import endless.safetensors x.h5 --activation relu # more orders than are tried
  fails_with 2 "names and widths do not tell it: give --layers with the names in order, of a,b,c,d,e,f,g,h,i"
  imports unclear.safetensors unclear.csv rows.csv --activation relu --layers "first, middle,inner,last"
  imports "$BATS_TEST_DIRNAME/foreign/torch_named.npz" "$BATS_TEST_DIRNAME/foreign/torch_named.csv" \
    "$BATS_TEST_DIRNAME/foreign/torch_rows.csv" --activation tanh --layers fc1,bn1,fc2,out
  alone import unclear.safetensors x.h5 --activation relu --layers first,middle,middle,last
  fails_with 2 '--layers: "middle" is named twice, or is no layer of the file; these are first,middle,last,inner'
  alone import unclear.safetensors x.h5 --activation relu --layers first,last,middle
  fails_with 2 "--layers leaves out inner"
  alone import unclear.safetensors x.h5 --activation relu --layers last,first,middle,inner
  fails_with 1 "layer 2 expects 4 values, but the layer before it gives 2"
  alone import "$BATS_TEST_DIRNAME/foreign/torch_named.onnx" x.h5 --layers a
  fails_with 2 "torch_named.onnx: the file holds the order of its layers: leave out --layers"
  alone import plain.safetensors x.h5
  fails_with 2 "plain.safetensors: the file does not name the activations of its 1 hidden layer: give --activation"
  refused() { # NAME WORD...
    alone import "bad_$1.safetensors" x.h5 --activation relu
    fails_with 1 "mlpdist: bad_$1.safetensors: " "${@:2}"
  }
  for name in 'short shorter than its first number' 'length its header is longer than the file' 'gap bytes belong to no array' \
    'negative its header is longer than the file' 'json its header is no JSON: ' 'list its header is no JSON object' \
    'deep its header is no JSON: maximum parsing depth' 'twice duplicate object key' 'overlap arrays overlap' \
    'outside 2.bias: its data_offsets are not within the file' 'turned 2.bias: its data_offsets are not within the file' \
    'huge 2.bias has no shape of 1 to 2^31 elements' 'product 2.bias has no shape' 'empty 2.bias has no shape' \
    'text 2.bias has no shape' 'sizes 2.bias has 8 bytes, but its shape and dtype need 12' 'dtype 2.bias is of dtype F8_E4M3' \
    'int8 weight is of dtype I8; import takes F64, F32, F16 and BF16' 'nan 2.weight holds a value that is not finite' \
    'name 2.lora?A is neither a weight nor a bias' 'none it holds no weights; a state dict of linear layers' \
    'transposed fc1.bias has 6 values, but fc1.weight has 4 outputs; NAME.weight is (outputs, inputs), as in PyTorch, NAME.kernel (inputs, outputs), as in NumPy' \
    'unfit in none does each take as many values as the one before gives: it has 0,2,4; NAME.weight is (outputs, inputs)'; do
    refused "${name%% *}" "${name#* }"
  done
  [ ! -e x.h5 ] || fail "a file is left"
}
