/* Functions whose every bit is the same on every processor. Those of the C library are not: glibc's log, exp, pow and
 * cos differ by an ulp between processors with and without fused multiply-add. These are made of + - * / alone, which
 * IEEE 754 rounds in one way only (and so is sqrt, which stays the C library's); the build forbids contraction. Errors
 * are below 3 ulp, of portable_cos_turn() below 3 ulp of 1. Not collective. */
#ifndef MLPDIST_PORTABLE_H
#define MLPDIST_PORTABLE_H

#include <stdint.h>

double portable_log(double x);               /* of normal numbers x > 0 */
double portable_log1p(double x);             /* log(1 + x) for x in [0, 1] */
double portable_exp(double x);               /* for x <= 0; 0 below -708 */
double portable_cos_turn(double t);          /* cos(2 pi t) for t in [0, 1] */
double portable_power(double x, uint64_t n); /* x^n by repeated squaring: error up to about n ulp */

#endif
