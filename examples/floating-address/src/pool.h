/* Pools: which range of addresses each has, and which of them are taken.
 *
 * In the key-value store, since a call sees no entity but its own. The default bucket holds each pool's range and name by
 * its location; the bucket of that name holds, by address, the id of the floating address that has it. */

#ifndef POOL_H
#define POOL_H

#include "range.h"

#include <occi.h>

#define POOL_FIRST "com.example.floating.pool.first"
#define POOL_LAST "com.example.floating.pool.last"
#define POOL_SIZE "com.example.floating.pool.size"

/* Takes the lowest free address of the pool at a location for `holder`; the pool's name and the address. */
bool pool_take(const char *location, const char *holder, const char **name, uint32_t *address, occi_fault *fault);

/* Gives an address back. */
bool pool_give_back(const char *name, uint32_t address, occi_fault *fault);

/* The calls about the pool itself. */
bool pool_create(const occi_subject *subject, occi_change *change, occi_fault *fault);
bool pool_update(const occi_subject *subject, const occi_attributes *wanted, occi_change *change, occi_fault *fault);
bool pool_delete(const occi_subject *subject, occi_fault *fault);

#endif
