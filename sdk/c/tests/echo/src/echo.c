/* All that the SDK has, for host/cli/tests/e2e/c_sdk.rs: what a client says in attributes of each type comes back. */

#include <occi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void echo(occi_view view, occi_change *change)
{
    const char *text = occi_text(view, "com.example.echo.text");
    if (text != NULL)
        occi_set_text(change, "com.example.echoed.text", text);
    else
        occi_clear(change, "com.example.echoed.text");
    int64_t integer;
    if (occi_integer(view, "com.example.echo.integer", &integer))
        occi_set_integer(change, "com.example.echoed.integer", integer);
    double number;
    if (occi_number(view, "com.example.echo.number", &number))
        occi_set_number(change, "com.example.echoed.number", number);
    bool boolean;
    if (occi_boolean(view, "com.example.echo.boolean", &boolean))
        occi_set_boolean(change, "com.example.echoed.boolean", boolean);
    const char *array = occi_json(view, "com.example.echo.array");
    if (array != NULL)
        occi_set_json(change, "com.example.echoed.array", array);
}

/* Counts what is made, and what the last one has said. */
static bool figures(occi_view view, occi_fault *fault)
{
    extension_string_t made, last;
    extension_string_set(&made, "made");
    extension_string_set(&last, "last");
    double number = 0;
    occi_number(view, "com.example.echo.number", &number);
    return occi_extension_metrics_count(&made, 2, fault) && occi_extension_metrics_gauge(&last, number, fault);
}

bool occi_create(const occi_subject *subject, occi_change *change, occi_fault *fault)
{
    /* Once for each role. */
    if (strcmp(subject->role, occi_kind(subject)) != 0)
        return true;
    if (!figures(occi_shown(subject), fault))
        return false;
    echo(occi_shown(subject), change);
    occi_set_boolean(change, "com.example.echoed.loud", occi_has_mixin(subject, "http://example.com/echo#loud"));
    occi_again(change, 1000);
    return true;
}

bool occi_update(const occi_subject *subject, const occi_attributes *wanted, occi_change *change, occi_fault *fault)
{
    (void)fault;
    echo(occi_updated(wanted, subject), change);
    return true;
}

bool occi_observe(const occi_subject *subject, const char *cause, occi_change *change, occi_fault *fault)
{
    (void)fault;
    if (strcmp(subject->role, occi_kind(subject)) == 0)
        occi_set_text(change, "com.example.echoed.cause", cause);
    return true;
}

bool occi_migrate(const occi_subject *subject, const char *from_version, occi_change *change, occi_fault *fault)
{
    (void)subject, (void)change;
    return occi_refuse(fault, OCCI_UNSUPPORTED, NULL, "there is no way from %s", from_version);
}

/* Writes so many keys with an empty value each, and counts what is there then. */
static bool keep(const occi_attributes *parameters, occi_change *change, occi_fault *fault)
{
    occi_store store;
    occi_bytes value;
    occi_keys keys;
    int64_t count = 0;
    occi_integer(occi_given(parameters), "count", &count);
    if (!occi_store_open(&store, "kept", fault))
        return false;
    for (int64_t i = 0; i < count; i++) {
        char key[24];
        snprintf(key, sizeof key, "%04lld", (long long)i);
        if (!occi_store_set(&store, key, "", 0, fault) || !occi_store_get(&store, key, &value, fault))
            return false;
        if (value.data == NULL || value.length != 0)
            return occi_refuse(fault, OCCI_FAILED, NULL, "an empty value is none");
    }
    if (!occi_store_delete(&store, "0000", fault) || !occi_store_get(&store, "0000", &value, fault))
        return false;
    if (value.data != NULL)
        return occi_refuse(fault, OCCI_FAILED, NULL, "a deleted key has a value");
    if (!occi_store_keys(&store, &keys, fault))
        return false;
    occi_store_close(&store);
    occi_set_integer(change, "com.example.echoed.keys", (int64_t)keys.count);
    return true;
}

/* Counts up a key that all entities share. */
static bool count(occi_change *change, occi_fault *fault)
{
    occi_store store;
    occi_bytes value;
    if (!occi_store_open(&store, "counted", fault) || !occi_store_get(&store, "calls", &value, fault))
        return false;
    char next[24];
    snprintf(next, sizeof next, "%d", value.data == NULL ? 1 : atoi((const char *)value.data) + 1);
    if (!occi_store_set(&store, "calls", next, strlen(next), fault))
        return false;
    occi_set_integer(change, "com.example.echoed.keys", atoi(next));
    return true;
}

static bool refuse(const char *how, occi_fault *fault)
{
    occi_store store;
    occi_extension_volumes_own_volume_t volume;
    occi_extension_metrics_own_usage_t usage;
    occi_extension_metrics_list_reading_t readings;
    extension_string_t unknown;
    if (strcmp(how, "store") == 0)
        return occi_store_open(&store, "no/such", fault);
    if (strcmp(how, "volume") == 0)
        return occi_extension_volumes_static_volume_open(OCCI_EXTENSION_TYPES_END_SUBJECT, &volume, fault);
    if (strcmp(how, "usage") == 0)
        return occi_extension_metrics_static_usage_read(OCCI_EXTENSION_TYPES_END_SUBJECT, &usage, fault);
    if (strcmp(how, "readings") == 0)
        return occi_extension_metrics_readings(OCCI_EXTENSION_TYPES_END_SUBJECT, &readings, fault);
    if (strcmp(how, "figure") == 0) {
        extension_string_set(&unknown, "unknown");
        return occi_extension_metrics_count(&unknown, 1, fault);
    }
    abort();
}

bool occi_act(const occi_subject *subject, const char *action, const occi_attributes *parameters, occi_change *change,
              occi_fault *fault)
{
    (void)subject;
    if (strcmp(action, "keep") == 0)
        return keep(parameters, change, fault);
    if (strcmp(action, "count") == 0)
        return count(change, fault);
    return refuse(occi_text(occi_given(parameters), "how"), fault);
}
