/* The constant parts of a model in C: %s, or @ in ENCODE, is the name of the file. */
#ifndef MLPDIST_EXPORT_C_TEXT_H
#define MLPDIST_EXPORT_C_TEXT_H

static const char HEAD[] =
    "/* Made by mlpdist %s from a model with digest %s: %s.\n"
    " *\n"
    " * C99, thread-safe, no allocation. Link with -lm; no other file is needed. A program includes the header beside\n"
    " * this file, which declares the same, or this file itself. */\n"
    "#include <math.h>\n"
    "#include <string.h>\n\n";

static const char DENSE[] =
    "/* z = x W + b, W (inputs, outputs); b may be NULL */\n"
    "static void %s_dense(int inputs, int outputs, const float *x, const float *w, const float *b, float *z) {\n"
    "  for (int j = 0; j < outputs; j++) z[j] = 0;\n"
    "  for (int i = 0; i < inputs; i++)\n"
    "    for (int j = 0; j < outputs; j++) z[j] = fmaf(x[i], w[i * outputs + j], z[j]);\n"
    "  for (int j = 0; b && j < outputs; j++) z[j] += b[j];\n"
    "}\n\n";

/* Of a fork, for a member. */
static const char COPY[] =
    "static void %s_copy(int n, const float *x, float *z) {\n"
    "  for (int j = 0; j < n; j++) z[j] = x[j];\n"
    "}\n\n";

/* Of an input scale, and of a member's row at the fan-out of an ensemble. */
static const char MULTIPLY[] =
    "static void %s_multiply(int n, const float *x, const float *scale, float *z) {\n"
    "  for (int j = 0; j < n; j++) z[j] = scale[j] * x[j];\n"
    "}\n\n";

static const char PARAMETRIC[] =
    "static void %s_parametric(int n, const float *x, const float *alpha, float (*bent)(float), float *z) {\n"
    "  for (int j = 0; j < n; j++) z[j] = x[j] + alpha[j] * (bent(x[j]) - x[j]);\n"
    "}\n\n";

static const char LAYER_NORM[] =
    "static void %s_layer_norm(int n, const float *x, const float *gain, const float *shift, float *z) {\n"
    "  double mean = 0, variance = 0;\n"
    "  for (int j = 0; j < n; j++) mean += x[j];\n"
    "  mean /= n;\n"
    "  for (int j = 0; j < n; j++) variance += (x[j] - mean) * (x[j] - mean);\n"
    "  const float inverse = (float)(1 / sqrt(variance / n + 1e-5));\n"
    "  for (int j = 0; j < n; j++) z[j] = gain[j] * ((x[j] - (float)mean) * inverse) + shift[j];\n"
    "}\n\n";

static const char RMS_NORM[] =
    "static void %s_rms_norm(int n, const float *x, const float *gain, float *z) {\n"
    "  double squares = 0;\n"
    "  for (int j = 0; j < n; j++) squares += (double)x[j] * x[j];\n"
    "  const float inverse = (float)(1 / sqrt(squares / n + 1e-5));\n"
    "  for (int j = 0; j < n; j++) z[j] = gain[j] * (x[j] * inverse);\n"
    "}\n\n";

static const char EMBED[] =
    "/* An input of sizes[i] codes becomes a row of its table, width values, or zeros; others pass through. */\n"
    "static void %s_embed(int inputs, int width, const float *x, const int *sizes, const float *table, float *z) {\n"
    "  for (int i = 0; i < inputs; table += sizes[i++] * width) {\n"
    "    const int known = x[i] >= 0 && x[i] < (float)sizes[i];\n"
    "    if (!sizes[i]) *z++ = x[i];\n"
    "    for (int j = 0; sizes[i] && j < width; j++) *z++ = known ? table[(int)x[i] * width + j] : 0;\n"
    "  }\n"
    "}\n\n";

static const char PERIODIC[] =
    "/* A number (of size 1) becomes W cos(2 pi f x + p) + b, width - 1 values, and x; others pass through. */\n"
    "static void %s_periodic(int inputs, int width, const float *x, const int *sizes, const float *f, const float *p,\n"
    "                        const float *w, const float *b, float *z) {\n"
    "  for (int i = 0; i < inputs; i++) {\n"
    "    for (int j = 0; sizes[i] && j < width - 1; j++) {\n"
    "      double sum = b[j];\n"
    "      for (int k = 0; k < 16; k++) sum += w[j * 16 + k] * cos(6.283185307179586 * f[k] * x[i] + p[k]);\n"
    "      *z++ = (float)sum;\n"
    "    }\n"
    "    if (sizes[i]) f += 16, p += 16, w += 16 * (width - 1), b += width - 1;\n"
    "    *z++ = x[i];\n"
    "  }\n"
    "}\n\n";

static const char PIECEWISE[] =
    "/* A number (of size 1) becomes the sum of its bins' parts below it, times w, width - 1 values, and x. */\n"
    "static void %s_piecewise(int inputs, int width, const float *x, const int *sizes, int bins, const float *e,\n"
    "                         const float *w, float *z) {\n"
    "  for (int i = 0; i < inputs; i++) {\n"
    "    for (int j = 0; sizes[i] && j < width - 1; j++) {\n"
    "      double sum = 0;\n"
    "      for (int t = 0; t < bins && e[t] < e[t + 1] && x[i] > e[t]; t++)\n"
    "        sum += w[t * (width - 1) + j] * fmin(((double)x[i] - e[t]) / ((double)e[t + 1] - e[t]), 1);\n"
    "      *z++ = (float)sum;\n"
    "    }\n"
    "    if (sizes[i]) e += bins + 1, w += bins * (width - 1);\n"
    "    *z++ = x[i];\n"
    "  }\n"
    "}\n\n";

/* As column_codes.c, but NaN is a missing category, too. @ is the name. */
static const char ENCODE[] =
    "int @_category(int column, const char *text) {\n"
    "  for (int k = @_first[column]; k < @_first[column + 1]; k++) {\n"
    "    const char *const known = @_categories[k];\n"
    "    if (known != 0 && strcmp(known, text) == 0) return k - @_first[column];\n"
    "  }\n"
    "  return -2;\n"
    "}\n\n"
    "static void @_encode(const double *x, float *a) {\n"
    "  for (int j = 0; j < @_begin[@_INPUTS]; j++) a[j] = 0;\n"
    "  for (int j = 0; j < @_INPUTS; j++) {\n"
    "    float *const to = a + @_begin[j];\n"
    "    const int missing = x[j] != x[j], count = @_first[j + 1] - @_first[j];\n"
    "    if (!@_is_category[j]) {\n"
    "      to[0] = (float)(((missing ? @_fill[j] : x[j]) - @_shift[j]) * @_scale[j]);\n"
    "      if (@_marked[j]) to[1] = missing ? 1 : 0;\n"
    "      continue;\n"
    "    }\n"
    "    int input = -1;\n"
    "    if (x[j] >= 0 && x[j] < count && x[j] == (int)x[j]) input = @_category_input[@_first[j] + (int)x[j]];\n"
    "    if (@_marked[j] && (missing || x[j] == -1)) input = @_known[j];\n"
    "    if (@_embedded[j])\n"
    "      to[0] = (float)input;\n"
    "    else if (input >= 0)\n"
    "      to[input] = 1;\n"
    "  }\n"
    "}\n\n";

/* Of an ensemble: what its members share is kept, and their outputs are added. Inputs, outputs, array, members; then
 * outputs, array, outputs, array, members. */
static const char MEMBERS_BEGIN[] =
    "  float shared[%u];\n"
    "  double sum[%u] = {0};\n"
    "  memcpy(shared, %s, sizeof shared);\n"
    "  for (int m = 0; m < %u; m++) {\n";
static const char MEMBERS_END[] =
    "    for (int j = 0; j < %u; j++) sum[j] += %s[j];\n"
    "  }\n"
    "  for (int j = 0; j < %u; j++) %s[j] = (float)(sum[j] / %u);\n";

/* As vector_squash. */
static const char CLIP[] =
    "static float @_clip(float x) {\n"
    "  const double value = x, part = value / @_limit;\n"
    "  return (float)(value / sqrt(1 + part * part));\n"
    "}\n\n";

/* As column_curves.c. */
static const char CURVE[] =
    "static float @_curve(int column, double x) {\n"
    "  int first = @_curve_first[column], last = @_curve_first[column + 1] - 1;\n"
    "  if (x <= @_curve_x[first]) return (float)@_curve_z[first];\n"
    "  if (x >= @_curve_x[last]) return (float)@_curve_z[last];\n"
    "  while (last - first > 1) {\n"
    "    const int middle = first + (last - first) / 2;\n"
    "    if (x >= @_curve_x[middle])\n"
    "      first = middle;\n"
    "    else\n"
    "      last = middle;\n"
    "  }\n"
    "  const double slope = (@_curve_z[last] - @_curve_z[first]) / (@_curve_x[last] - @_curve_x[first]);\n"
    "  return (float)(@_curve_z[first] + (x - @_curve_x[first]) * slope);\n"
    "}\n\n";

static const char CURVE_ALL[] =
    "  for (int j = 0; j < @_INPUTS; j++)\n"
    "    if (@_curve_first[j] < @_curve_first[j + 1]) a[j] = @_curve(j, x[j]);\n";

static const char CURVE_NUMBERS[] =
    "  for (int j = 0; j < @_INPUTS; j++)\n"
    "    if (@_curve_first[j] < @_curve_first[j + 1]) a[@_begin[j]] = @_curve(j, x[j] != x[j] ? @_fill[j] : x[j]);\n";

static const char CLIP_ALL[] = "  for (int j = 0; j < @_INPUTS; j++) a[j] = @_clip(a[j]);\n";

static const char CLIP_NUMBERS[] =
    "  for (int j = 0; j < @_INPUTS; j++)\n"
    "    if (!@_is_category[j]) a[@_begin[j]] = @_clip(a[@_begin[j]]);\n";

static const char CLAMP[] =
    "static double @_clamp(double y, int target) {\n"
    "  if (y < @_target_minimum[target]) return @_target_minimum[target];\n"
    "  return y > @_target_maximum[target] ? @_target_maximum[target] : y;\n"
    "}\n\n";

static const char SOFTMAX[] =
    "static void %s_softmax(int n, float *z) {\n"
    "  double largest = z[0], sum = 0;\n"
    "  for (int j = 1; j < n; j++) largest = z[j] > largest ? z[j] : largest;\n"
    "  for (int j = 0; j < n; j++) sum += exp(z[j] - largest);\n"
    "  for (int j = 0; j < n; j++) z[j] = (float)(exp(z[j] - largest) / sum);\n"
    "}\n\n";

#endif
