/* What an author includes to write an OCCI extension in C.
 *
 * An extension is a manifest, which declares Kinds, Mixins, attributes, actions and states, and a component, which does
 * the work. The host reads the manifest, answers discovery, checks what clients send and calls the component for the
 * effect. Whatever the manifest says, the component need not check again. README.md is the way from nothing to a Kind.
 *
 * WHOSE MEMORY IT IS
 * - Each call of the host runs in a fresh instance that serves no other, and its memory goes with it. So what this SDK
 *   gives you is yours until the call ends, and nothing is to be freed.
 * - What you give to it is copied: a buffer on the stack will do.
 * - Texts end with a zero byte and are UTF-8.
 * - Where memory is at its limit the instance ends, and the host answers that one request with an error. No function here
 *   tells of it, and none answers NULL because of it.
 *
 * YES AND NO
 * Functions that may fail answer false and have filled in the fault; `return occi_refuse(fault, ...)` does both. The fault
 * of a function that failed can be handed on as it is: `if (!occi_store_open(&store, "", fault)) return false;`. */

#ifndef OCCI_H
#define OCCI_H

/* Generated from the contract. The capabilities `machines`, `volumes`, `networks`, `entities`, `folder` and `metrics` are called by
 * its functions. */
#include <extension.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why an extension, or a capability, says no. */
typedef occi_extension_types_fault_t occi_fault;
/* What an extension proposes. The host checks it against the manifest and commits it, or refuses it whole. */
typedef occi_extension_types_change_t occi_change;
/* Attributes that come with a call: the parameters of an action, or those that a client wants to change. */
typedef occi_extension_types_list_attribute_t occi_attributes;

/* The entity that a call is about, and the call's own words on it. */
typedef struct occi_subject {
    /* The host's view of it. */
    occi_extension_types_borrow_entity_t entity;
    /* The type identifier (scheme and term) of the Kind or Mixin of this extension that the call speaks to. An entity that
     * has several of them is the subject of one call for each. */
    const char *role;
    /* Stays the same when the host calls again after a crash: both calls together must then have the effect of one. Empty
     * while observing and migrating, which are no operations of a client. */
    const char *operation;
} occi_subject;

/* What you define ------------------------------------------------------------------------------------------------------
 *
 * Those of the interfaces that your world.wit exports. What you leave out does nothing and succeeds, except `occi_act`,
 * `occi_observe` and `occi_migrate`, whose interfaces have no other function. wit/ says when each is called. */

bool occi_create(const occi_subject *subject, occi_change *change, occi_fault *fault);
bool occi_update(const occi_subject *subject, const occi_attributes *wanted, occi_change *change, occi_fault *fault);
bool occi_delete(const occi_subject *subject, occi_fault *fault);
bool occi_act(const occi_subject *subject, const char *action, const occi_attributes *parameters, occi_change *change,
              occi_fault *fault);
bool occi_observe(const occi_subject *subject, const char *cause, occi_change *change, occi_fault *fault);
bool occi_migrate(const occi_subject *subject, const char *from_version, occi_change *change, occi_fault *fault);

/* The subject ----------------------------------------------------------------------------------------------------------
 *
 * NULL where there is none, as a resource has no source. */

const char *occi_id(const occi_subject *subject);
const char *occi_location(const occi_subject *subject);
const char *occi_kind(const occi_subject *subject);
/* Whether it has the Mixin with that type identifier, be it only because another one depends on it. */
bool occi_has_mixin(const occi_subject *subject, const char *mixin);
const char *occi_state(const occi_subject *subject);
/* The location of a link's source, and the location or the foreign URI of its target. */
const char *occi_source(const occi_subject *subject);
const char *occi_target(const occi_subject *subject);

/* Attributes -----------------------------------------------------------------------------------------------------------
 *
 * Read by name, with the type that the manifest declares, from one of three views. An attribute that is not there, or has
 * another type than the one asked for, is NULL or false: the host has checked the type, so that is a slip of the
 * author's. So is a text with a zero byte in it, which no C string can hold. */

typedef struct occi_view {
    const occi_attributes *given;
    const occi_subject *shown;
} occi_view;

/* What the entity shows. */
occi_view occi_shown(const occi_subject *subject);
/* What came with the call. */
occi_view occi_given(const occi_attributes *attributes);
/* What the entity will show after an update: the wanted attributes over those that it shows. */
occi_view occi_updated(const occi_attributes *wanted, const occi_subject *subject);

const char *occi_text(occi_view view, const char *name);
bool occi_integer(occi_view view, const char *name, int64_t *value);
bool occi_number(occi_view view, const char *name, double *value);
bool occi_boolean(occi_view view, const char *name, bool *value);
/* An attribute of type 'array' or 'object', as a JSON document. */
const char *occi_json(occi_view view, const char *name);

/* Changes --------------------------------------------------------------------------------------------------------------
 *
 * A change begins as one of nothing. Attributes that clients may not change can be set, too. An attribute is set or cleared
 * once in a change; the host refuses one that says two things of it. */

void occi_set_text(occi_change *change, const char *name, const char *value);
void occi_set_integer(occi_change *change, const char *name, int64_t value);
void occi_set_number(occi_change *change, const char *name, double value);
void occi_set_boolean(occi_change *change, const char *name, bool value);
void occi_set_json(occi_change *change, const char *name, const char *document);
void occi_clear(occi_change *change, const char *name);
/* Enter a state, one of those in the manifest. */
void occi_set_state(occi_change *change, const char *state);
/* Say why the entity is in its state. An empty text takes the message away. */
void occi_set_message(occi_change *change, const char *message);
/* Be observed again after so many milliseconds; after a second at the soonest. */
void occi_again(occi_change *change, uint64_t milliseconds);

/* Faults ---------------------------------------------------------------------------------------------------------------*/

/* The request, or one of its attributes, makes no sense. */
#define OCCI_INVALID "invalid"
/* It cannot be done in the state that things are in. */
#define OCCI_CONFLICT "conflict"
/* It is not allowed. */
#define OCCI_DENIED "denied"
/* There is no such thing. */
#define OCCI_MISSING "missing"
/* It makes sense, and cannot be done here. */
#define OCCI_UNSUPPORTED "unsupported"
/* Something that is needed does not answer now; trying again may help. */
#define OCCI_UNAVAILABLE "unavailable"
/* It took too long. */
#define OCCI_TIMEOUT "timeout"
/* It went wrong, and no other code fits. */
#define OCCI_FAILED "failed"

/* Say no. `attribute` is the one that the client must change, or NULL. The message, as for `printf`, is read by the client:
 * what is wrong, and what would mend it. The answer is false. */
__attribute__((format(printf, 4, 5)))
bool occi_refuse(occi_fault *fault, const char *code, const char *attribute, const char *message, ...);

/* The operator's log: the capability `logging` -------------------------------------------------------------------------*/

typedef enum occi_level {
    OCCI_TRACE,
    OCCI_DEBUG,
    OCCI_INFO,
    OCCI_WARN,
    OCCI_ERROR,
    OCCI_CRITICAL,
} occi_level;

__attribute__((format(printf, 2, 3)))
void occi_log(occi_level level, const char *message, ...);

/* Small state of the extension's own, kept for each tenant: the capability `keyvalue` ----------------------------------
 *
 * What a call writes is committed with the request that it belongs to, or not at all. Meanwhile it is read by that call,
 * and by those that come after it in the same request, such as for the other links of a batch; not by those of other
 * requests. Where another request has changed meanwhile a key that this one writes, the host calls again with what is stored
 * then. What is read and not written is not compared. */

typedef struct occi_store {
    wasi_keyvalue_store_own_bucket_t bucket;
} occi_store;

/* The value of a key; `data` is NULL where there is none. A zero byte follows it, which `length` does not count. */
typedef struct occi_bytes {
    uint8_t *data;
    size_t length;
} occi_bytes;

/* Keys, in their order. */
typedef struct occi_keys {
    const char **names;
    size_t count;
} occi_keys;

/* The store with that name; the empty one is the default. */
bool occi_store_open(occi_store *store, const char *name, occi_fault *fault);
bool occi_store_get(const occi_store *store, const char *key, occi_bytes *value, occi_fault *fault);
bool occi_store_set(const occi_store *store, const char *key, const void *data, size_t length, occi_fault *fault);
/* Succeeds where there is no such key. */
bool occi_store_delete(const occi_store *store, const char *key, occi_fault *fault);
bool occi_store_keys(const occi_store *store, occi_keys *keys, occi_fault *fault);
/* Only for a call that opens many: the end of the call closes all of them. */
void occi_store_close(const occi_store *store);

#endif
