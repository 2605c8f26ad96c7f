/* Texts and memory, for the SDK itself. */

#ifndef OCCI_TEXT_H
#define OCCI_TEXT_H

#include <occi.h>
#include <stdarg.h>

/* As `realloc`, but ends the instance where there is no memory. */
void *occi_resize(void *memory, size_t size);

/* A view of a text, for a function that only reads it. */
extension_string_t occi_borrowed(const char *text);

/* A copy of a text, for a value that the host will take. */
extension_string_t occi_copied(const char *text);

/* A text that came from the host; NULL where it holds a zero byte. */
const char *occi_received(extension_string_t text);

/* A text as `vprintf` would print it. */
char *occi_formatted(const char *format, va_list arguments);

#endif
