/* What comes after a count: apart from the host, so that it can be tested without one. */

#pragma once

#include <stdint.h>

static inline int64_t next(int64_t count)
{
    return count + 1;
}
