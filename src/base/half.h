/* Numbers of two bytes, as files hold them. Nothing here is collective. */
#ifndef MLPDIST_HALF_H
#define MLPDIST_HALF_H

#include <stdint.h>

double half_to_double(uint16_t bits);    /* IEEE 754 binary16, with infinities and NaN */
float half_from_bfloat16(uint16_t bits); /* the upper half of a float */

#endif
