#include "pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An address attribute of a pool, or the fault that names it. */
static bool read_address(occi_view view, const char *name, uint32_t *address, occi_fault *fault)
{
    const char *text = occi_text(view, name);
    if (text != NULL && address_parse(text, address))
        return true;
    return occi_refuse(fault, OCCI_INVALID, name, "'%s' is no IPv4 address such as 192.0.2.10",
                       text == NULL ? "" : text);
}

static bool read_range(occi_view view, range *range, occi_fault *fault)
{
    if (!read_address(view, POOL_FIRST, &range->first, fault) || !read_address(view, POOL_LAST, &range->last, fault))
        return false;
    if (range->last < range->first)
        return occi_refuse(fault, OCCI_INVALID, POOL_LAST, "the last address lies before the first");
    if (range->last - range->first >= RANGE_MAX)
        return occi_refuse(fault, OCCI_INVALID, POOL_LAST, "a pool has at most %d addresses", RANGE_MAX);
    return true;
}

/* The pool's name in the store: the UUID of its id, "urn:uuid:...", since a bucket has no colon in its name. */
static const char *pool_name(const occi_subject *pool)
{
    const char *id = occi_id(pool);
    const char *colon = strrchr(id, ':');
    return colon == NULL ? id : colon + 1;
}

/* Sets what follows from a pool's range, and makes it known to those that come for addresses. */
static bool publish(const occi_subject *subject, range range, occi_change *change, occi_fault *fault)
{
    occi_store pools;
    char value[128];
    snprintf(value, sizeof value, "%08" PRIx32 " %08" PRIx32 " %s", range.first, range.last, pool_name(subject));
    if (!occi_store_open(&pools, "", fault) ||
        !occi_store_set(&pools, occi_location(subject), value, strlen(value), fault))
        return false;
    occi_set_integer(change, POOL_SIZE, (int64_t)range.last - range.first + 1);
    return true;
}

/* The addresses that are taken, in ascending order. */
static bool read_taken(const occi_store *holders, uint32_t **taken, size_t *count, occi_fault *fault)
{
    occi_keys keys;
    if (!occi_store_keys(holders, &keys, fault))
        return false;
    *taken = calloc(keys.count + 1, sizeof **taken);
    if (*taken == NULL)
        return occi_refuse(fault, OCCI_FAILED, NULL, "there is not enough memory for %zu addresses", keys.count);
    *count = 0;
    for (size_t i = 0; i < keys.count; i++)
        if (address_from_key(keys.names[i], &(*taken)[*count]))
            *count += 1;
    return true;
}

bool pool_take(const char *location, const char *holder, const char **name, uint32_t *address, occi_fault *fault)
{
    occi_store pools, holders;
    occi_bytes value;
    if (!occi_store_open(&pools, "", fault) || !occi_store_get(&pools, location, &value, fault))
        return false;
    if (value.data == NULL)
        return occi_refuse(fault, OCCI_INVALID, "occi.core.source",
                           "%s is no address-pool; a floating-address is a link from its pool", location);
    /* As `publish` has written it. */
    char *rest = (char *)value.data;
    range range;
    range.first = (uint32_t)strtoul(rest, &rest, 16);
    range.last = (uint32_t)strtoul(rest, &rest, 16);
    *name = rest + 1;

    uint32_t *taken;
    size_t count;
    if (!occi_store_open(&holders, *name, fault) || !read_taken(&holders, &taken, &count, fault))
        return false;
    if (!range_first_free(range, taken, count, address))
        return occi_refuse(fault, OCCI_CONFLICT, "occi.core.source",
                           "all addresses of %s are given out; delete one, or make the pool larger", location);
    char key[ADDRESS_ROOM];
    address_to_key(*address, key);
    return occi_store_set(&holders, key, holder, strlen(holder), fault);
}

bool pool_give_back(const char *name, uint32_t address, occi_fault *fault)
{
    occi_store holders;
    char key[ADDRESS_ROOM];
    address_to_key(address, key);
    return occi_store_open(&holders, name, fault) && occi_store_delete(&holders, key, fault);
}

bool pool_create(const occi_subject *subject, occi_change *change, occi_fault *fault)
{
    range range;
    return read_range(occi_shown(subject), &range, fault) && publish(subject, range, change, fault);
}

bool pool_update(const occi_subject *subject, const occi_attributes *wanted, occi_change *change, occi_fault *fault)
{
    range range;
    occi_store holders;
    uint32_t *taken;
    size_t count;
    if (!read_range(occi_updated(wanted, subject), &range, fault) ||
        !occi_store_open(&holders, pool_name(subject), fault) || !read_taken(&holders, &taken, &count, fault))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (range_holds(range, taken[i]))
            continue;
        char text[ADDRESS_ROOM];
        address_print(taken[i], text);
        const char *attribute = taken[i] < range.first ? POOL_FIRST : POOL_LAST;
        return occi_refuse(fault, OCCI_CONFLICT, attribute, "%s is given out and would lie outside", text);
    }
    return publish(subject, range, change, fault);
}

bool pool_delete(const occi_subject *subject, occi_fault *fault)
{
    occi_store pools;
    return occi_store_open(&pools, "", fault) && occi_store_delete(&pools, occi_location(subject), fault);
}
