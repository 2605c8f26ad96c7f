/* Built with the machine's own compiler; README.md says how. */

#undef NDEBUG
#include "../src/counter.h"

#include <assert.h>

int main(void)
{
    assert(next(0) == 1);
    assert(next(41) == 42);
}
