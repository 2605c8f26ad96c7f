#include "text.h"

typedef wasi_keyvalue_store_error_t error_t;

/* WASI's error as a fault. */
static bool refuse(occi_fault *fault, error_t error)
{
    switch (error.tag) {
    case WASI_KEYVALUE_STORE_ERROR_NO_SUCH_STORE:
        return occi_refuse(fault, OCCI_MISSING, NULL, "there is no key-value store of that name");
    case WASI_KEYVALUE_STORE_ERROR_ACCESS_DENIED:
        return occi_refuse(fault, OCCI_DENIED, NULL, "the extension may not use that key-value store");
    default:
        return occi_refuse(fault, OCCI_FAILED, NULL, "%.*s", (int)error.val.other.len,
                           (const char *)error.val.other.ptr);
    }
}

static wasi_keyvalue_store_borrow_bucket_t bucket(const occi_store *store)
{
    return wasi_keyvalue_store_borrow_bucket(store->bucket);
}

bool occi_store_open(occi_store *store, const char *name, occi_fault *fault)
{
    extension_string_t identifier = occi_borrowed(name);
    error_t error;
    return wasi_keyvalue_store_open(&identifier, &store->bucket, &error) || refuse(fault, error);
}

bool occi_store_get(const occi_store *store, const char *key, occi_bytes *value, occi_fault *fault)
{
    extension_string_t name = occi_borrowed(key);
    extension_option_list_u8_t found;
    error_t error;
    if (!wasi_keyvalue_store_method_bucket_get(bucket(store), &name, &found, &error))
        return refuse(fault, error);
    *value = (occi_bytes){ 0 };
    if (found.is_some) {
        size_t length = found.val.len;
        /* An empty value has no memory behind its pointer. */
        uint8_t *data = occi_resize(length > 0 ? found.val.ptr : NULL, length + 1);
        data[length] = '\0';
        *value = (occi_bytes){ .data = data, .length = length };
    }
    return true;
}

bool occi_store_set(const occi_store *store, const char *key, const void *data, size_t length, occi_fault *fault)
{
    extension_string_t name = occi_borrowed(key);
    extension_list_u8_t value = { .ptr = (uint8_t *)data, .len = length };
    error_t error;
    return wasi_keyvalue_store_method_bucket_set(bucket(store), &name, &value, &error) || refuse(fault, error);
}

bool occi_store_delete(const occi_store *store, const char *key, occi_fault *fault)
{
    extension_string_t name = occi_borrowed(key);
    error_t error;
    return wasi_keyvalue_store_method_bucket_delete(bucket(store), &name, &error) || refuse(fault, error);
}

bool occi_store_keys(const occi_store *store, occi_keys *keys, occi_fault *fault)
{
    *keys = (occi_keys){ 0 };
    extension_option_string_t cursor = { 0 };
    do {
        wasi_keyvalue_store_key_response_t page;
        error_t error;
        extension_string_t *after = cursor.is_some ? &cursor.val : NULL;
        if (!wasi_keyvalue_store_method_bucket_list_keys(bucket(store), after, &page, &error))
            return refuse(fault, error);
        keys->names = occi_resize(keys->names, (keys->count + page.keys.len) * sizeof *keys->names);
        for (size_t i = 0; i < page.keys.len; i++) {
            const char *name = occi_received(page.keys.ptr[i]);
            /* A key with a zero byte is none that this SDK could have written, or could ask for. */
            if (name != NULL)
                keys->names[keys->count++] = name;
        }
        cursor = page.cursor;
    } while (cursor.is_some);
    return true;
}

void occi_store_close(const occi_store *store)
{
    wasi_keyvalue_store_bucket_drop_own(store->bucket);
}
