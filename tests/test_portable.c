#include "base/portable.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <xxhash.h>

#include <cmocka.h>

#include "base/rng.h"

enum { DRAWS = 200000 };

/* Distance from the exact value, in units of its last place; least: the smallest unit counted. */
static double ulps(double got, long double exact, double least) {
  const double size = fabs((double)exact), unit = nextafter(size, INFINITY) - size;
  return (double)fabsl((long double)got - exact) / fmax(unit, least);
}

static void assert_below(double worst, double bound, const char *what) {
  if (!(worst < bound)) fail_msg("%s: %g ulp", what, worst);
}

static void test_against_long_double(void **state) {
  (void)state;
  static const long double TWO_PI = 6.28318530717958647692528676655900577L;
  rng stream = rng_start(3, RNG_SHUFFLE, 0, 0);
  double log_worst = 0, log1p_worst = 0, exp_worst = 0, cos_worst = 0, pow_worst = 0;
  for (int i = 0; i < DRAWS; i++) {
    const double u = rng_uniform(&stream), x = ldexp(u, (int)rng_below(&stream, 200) - 150), y = 0.5 + u, z = -700 * u;
    log_worst = fmax(log_worst, ulps(portable_log(x), logl(x), 0));
    log_worst = fmax(log_worst, ulps(portable_log(y), logl(y), 0));
    const double small = ldexp(u, -(int)rng_below(&stream, 60));
    log1p_worst = fmax(log1p_worst, ulps(portable_log1p(small), log1pl(small), 0));
    exp_worst = fmax(exp_worst, ulps(portable_exp(z), expl(z), 0));
    exp_worst = fmax(exp_worst, ulps(portable_exp(-u), expl(-(long double)u), 0));
    cos_worst = fmax(cos_worst, ulps(portable_cos_turn(u), cosl(TWO_PI * u), 0x1p-52));
    const double p = 20 * rng_uniform(&stream), size = 3 * (1 + fabs(p * log(y)));
    pow_worst = fmax(pow_worst, ulps(portable_pow(y, p), powl(y, p), 0) / size);
  }
  assert_below(log_worst, 3, "log");
  assert_below(log1p_worst, 3, "log1p");
  assert_below(exp_worst, 3, "exp");
  assert_below(cos_worst, 3, "cos");
  assert_below(pow_worst, 1, "pow, of 3 (1 + |p log x|)");
}

static void test_edges(void **state) {
  (void)state;
  assert_true(portable_log(1) == 0);
  assert_true(portable_log1p(0) == 0);
  assert_true(portable_exp(0) == 1 && portable_exp(-1e300) == 0 && portable_exp(-INFINITY) == 0);
  assert_true(isnan(portable_exp(NAN)));
  assert_true(portable_cos_turn(0) == 1 && portable_cos_turn(0.25) == 0 && portable_cos_turn(0.5) == -1);
  assert_true(portable_cos_turn(0.75) == 0 && portable_cos_turn(1) == 1);
  assert_true(portable_power(0.9, 0) == 1 && portable_power(0, 0) == 1 && portable_power(0.5, 1000) == 0x1p-1000);
  assert_true(portable_power(-3, 5) == -243 && portable_power(0.5, UINT64_MAX) == 0);
  assert_true(portable_pow(0, 0) == 1 && portable_pow(0, 0.1) == 0 && portable_pow(1e-310, 2) == 0);
  assert_true(portable_pow(1, 1e300) == 1 && portable_pow(0.3, 1) == 0.3 && portable_pow(1e300, 2) == INFINITY);
  for (int n = 1; n < 4000; n += 7) {
    const long double exact = powl(0.999, n);
    if (!(ulps(portable_power(0.999, (uint64_t)n), exact, 0) <= n)) fail_msg("0.999^%d", n);
  }
}

/* The same bits from every compiler and on every processor, or these numbers would not come out. */
static void test_bits(void **state) {
  (void)state;
  rng stream = rng_start(5, RNG_SHUFFLE, 0, 0);
  uint64_t hash = 0;
  for (int i = 0; i < DRAWS; i++) {
    const double u = rng_uniform(&stream);
    const double values[] = {portable_log(u), portable_log1p(u), portable_exp(-50 * u), portable_cos_turn(u),
                             portable_power(u, (uint64_t)i % 100)};
    hash = XXH3_64bits_withSeed(values, sizeof values, hash);
  }
  if (hash != 0xfd55da1b61e17286) fail_msg("%016llx", (unsigned long long)hash);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_long_double),
      cmocka_unit_test(test_edges),
      cmocka_unit_test(test_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
