/* Floating addresses: given out at creation, assigned and released. README.md walks through it. */

#include "pool.h"

#include <string.h>

#define POOL_KIND "http://example.com/occi/net#address-pool"

#define ADDRESS "com.example.floating.address"
#define POOL "com.example.floating.pool"
#define RESOURCE "com.example.floating.resource"

static bool is_pool(const occi_subject *subject)
{
    return strcmp(subject->role, POOL_KIND) == 0;
}

/* What was given out to a floating address; false where its creation did not come so far. */
static bool given_out(const occi_subject *subject, const char **pool, uint32_t *address)
{
    const char *text = occi_text(occi_shown(subject), ADDRESS);
    *pool = occi_text(occi_shown(subject), POOL);
    return *pool != NULL && text != NULL && address_parse(text, address);
}

bool occi_create(const occi_subject *subject, occi_change *change, occi_fault *fault)
{
    if (is_pool(subject))
        return pool_create(subject, change, fault);
    const char *pool;
    uint32_t address;
    if (!pool_take(occi_source(subject), occi_id(subject), &pool, &address, fault))
        return false;
    char text[ADDRESS_ROOM];
    address_print(address, text);
    occi_set_text(change, ADDRESS, text);
    occi_set_text(change, POOL, pool);
    occi_log(OCCI_INFO, "%s is given out to %s", text, occi_target(subject));
    return true;
}

bool occi_update(const occi_subject *subject, const occi_attributes *wanted, occi_change *change, occi_fault *fault)
{
    return !is_pool(subject) || pool_update(subject, wanted, change, fault);
}

bool occi_delete(const occi_subject *subject, occi_fault *fault)
{
    if (is_pool(subject))
        return pool_delete(subject, fault);
    const char *pool;
    uint32_t address;
    return !given_out(subject, &pool, &address) || pool_give_back(pool, address, fault);
}

static bool assign(const occi_subject *subject, const occi_attributes *parameters, occi_change *change,
                   occi_fault *fault)
{
    const char *resource = occi_text(occi_given(parameters), "resource");
    if (resource == NULL || resource[0] != '/' || strpbrk(resource, " ?#") != NULL)
        return occi_refuse(fault, OCCI_INVALID, "resource",
                           "give the location of a resource on this server, such as /compute/1");
    if (strcmp(resource, occi_source(subject)) == 0)
        return occi_refuse(fault, OCCI_INVALID, "resource", "a pool has no use for its own addresses");
    occi_set_text(change, RESOURCE, resource);
    occi_set_state(change, "assigned");
    return true;
}

bool occi_act(const occi_subject *subject, const char *action, const occi_attributes *parameters, occi_change *change,
              occi_fault *fault)
{
    if (strcmp(action, "assign") == 0)
        return assign(subject, parameters, change, fault);
    /* The manifest has one more, `release`, for addresses that are assigned. */
    occi_clear(change, RESOURCE);
    occi_set_state(change, "free");
    return true;
}
