#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *occi_resize(void *memory, size_t size)
{
    void *resized = realloc(memory, size);
    if (resized == NULL && size > 0)
        abort();
    return resized;
}

extension_string_t occi_borrowed(const char *text)
{
    /* The generated type has no const; the functions that take one only read. */
    return (extension_string_t){ .ptr = (uint8_t *)text, .len = strlen(text) };
}

extension_string_t occi_copied(const char *text)
{
    size_t length = strlen(text);
    uint8_t *copy = occi_resize(NULL, length + 1);
    memcpy(copy, text, length + 1);
    return (extension_string_t){ .ptr = copy, .len = length };
}

const char *occi_received(extension_string_t text)
{
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)
        return NULL;
    /* An empty text has no memory behind its pointer. */
    char *ended = occi_resize(text.len > 0 ? text.ptr : NULL, text.len + 1);
    ended[text.len] = '\0';
    return ended;
}

char *occi_formatted(const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        abort();
    char *text = occi_resize(NULL, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}
