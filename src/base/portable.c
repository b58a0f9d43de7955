#include "base/portable.h"

double portable_log(double x) { return portable_log_inline(x); }

double portable_log1p(double x) {
  if (x > 0.4) return portable_log(1 + x);
  const double s = x / (2 + x);
  return x + (portable_atanh_tail(s) - s * x);
}

/* x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its series. */
double portable_exp(double x) {
  static const double LOG2_E = 0x1.71547652b82fep+0;
  if (!(x >= -708)) return x < -708 ? 0 : x; /* nan stays nan */
  const int64_t k = (int64_t)(x * LOG2_E - 0.5);
  const double r = (x - (double)k * PORTABLE_LN2_HIGH) - (double)k * PORTABLE_LN2_LOW;
  double sum = 0;
  for (int n = 14; n >= 2; n--) sum = (sum + 1) * r / n;
  const double e = 1 + (r + r * sum);
  return e * portable_from_bits((uint64_t)(k + 1023) << 52);
}

/* Sine and cosine of 2 pi r for |r| <= 1/8. */
static double cos_part(double r) {
  const double x = 6.28318530717958647692 * r, q = x * x;
  double sum = 0;
  for (int n = 18; n >= 2; n -= 2) sum = (1 - sum) * q / (n * (n - 1));
  return 1 - sum;
}

static double sin_part(double r) {
  const double x = 6.28318530717958647692 * r, q = x * x;
  double sum = 0;
  for (int n = 19; n >= 3; n -= 2) sum = (1 - sum) * q / (n * (n - 1));
  return x - x * sum;
}

double portable_cos_turn(double t) {
  const int quarter = (int)(4 * t + 0.5);
  const double r = t - 0.25 * quarter; /* exact */
  switch (quarter % 4) {
    case 0:
      return cos_part(r);
    case 1:
      return -sin_part(r);
    case 2:
      return -cos_part(r);
    default:
      return sin_part(r);
  }
}

double portable_power(double x, uint64_t n) {
  double power = 1;
  for (; n > 0; n >>= 1) {
    if (n & 1) power *= x;
    x *= x;
  }
  return power;
}

double portable_pow(double x, double p) {
  if (p == 0 || x == 1) return 1;
  if (p == 1) return x;
  if (x < 0x1p-1022) return 0;
  const double y = p * portable_log(x);
  return y <= 0 ? portable_exp(y) : 1 / portable_exp(-y);
}
